import type { RouteBackend, RouteEntry } from '../admin/route-list.ts';
import type { Conditions, ValueMatch } from '../table/route-table.ts';
import { addSourceOptions } from './command-source.ts';
import type { SourceFlags } from './command-source.ts';
import { addExamples } from './examples.ts';
import { addListOptions, printList } from './list-output.ts';
import type { Column, ListFlags } from './list-output.ts';
import type { AddCommand } from './program.ts';
import { reachedBy, resourceName, selectRows } from './row-selection.ts';

interface RoutesFlags extends SourceFlags, ListFlags {
  readonly host?: string;
}

export const routesCommand: AddCommand = (program, context, finished) => {
  const command = program
    .command('routes')
    .argument('[name...]', 'object that declares the routes: NAME, ingress/NAME or route/NAME')
    .description('list routes: host, path, where they lead, and whether they are served')
    .option('--host <host>', 'routes that a request for this host can reach');
  addListOptions(command);
  const open = addSourceOptions(command, context);
  addExamples(command, program, [
    'routes -A',
    'routes --host shop.example -o wide',
    'routes ingress/shop -n team-a -o yaml',
    'routes --admin localhost:10254',
    'routes --manifests ./manifests',
  ]);
  command.action(async (names: readonly string[], flags: RoutesFlags) => {
    const source = await open(flags);
    const all = await source.routes();
    const reached = flags.host === undefined ? all : reachedBy(all, flags.host);
    const rows = selectRows(reached, {
      source,
      names,
      selector: flags.selector,
      objectOf: ({ object }) => object,
      hint: 'only objects of the class that is served have routes, and a canary is a backend of the route that it joins',
    });
    printList(rows, {
      flags,
      context,
      source,
      noun: 'route',
      columns,
      nameOf: ({ object }) => resourceName(object),
    });
    finished(0);
  });
};

const columns: readonly Column<RouteEntry>[] = [
  { heading: 'NAMESPACE', scope: 'namespaces', cell: ({ object }) => object.namespace },
  { heading: 'OBJECT', cell: ({ object }) => `${object.kind.toLowerCase()}/${object.name}` },
  { heading: 'HOST', cell: ({ hosts }) => hosts.map((host) => (host === '' ? '*' : host)).join(',') },
  { heading: 'PATH', cell: ({ path }) => path.value },
  { heading: 'TYPE', cell: ({ path }) => path.type },
  { heading: 'BACKENDS', cell: describeBackends },
  { heading: 'STATUS', cell: ({ status }) => status },
  { heading: 'CONDITIONS', scope: 'wide', cell: ({ conditions }) => describeConditions(conditions) },
  {
    heading: 'CLIENT-CERT',
    scope: 'wide',
    cell: ({ clientCertificates }) => clientCertificates ?? '',
  },
  { heading: 'FILTERS', scope: 'wide', cell: ({ filters }) => filters.join(',') },
  { heading: 'RULE', scope: 'wide', cell: ({ field }) => field },
  { heading: 'REASON', scope: 'wide', cell: ({ reason }) => reason },
];

/** `shop:80`, or with several `shop:80 90%, shop-next:80 10%`. */
function describeBackends({ backends, object }: RouteEntry): string {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  const name = ({ upstream }: RouteBackend): string =>
    upstream.startsWith(`${object.namespace}/`) ? upstream.slice(object.namespace.length + 1) : upstream;
  const [only] = backends;
  if (only !== undefined && backends.length === 1) return name(only);
  return backends.map((backend) => `${name(backend)} ${percent(backend.weight, total)}`).join(', ');
}

function percent(weight: number, total: number): string {
  return total === 0 ? '0%' : `${Number(((100 * weight) / total).toFixed(2))}%`;
}

/** `GET,POST; header x-role=admin; query v; cookie user~a.*; from 10.0.0.0/8`. */
function describeConditions(conditions: Conditions | undefined): string {
  if (conditions === undefined) return '';
  const { methods = [], headers = [], query = [], cookies = [], sources = [] } = conditions;
  return [
    methods.join(','),
    ...headers.map((match) => `header ${describeMatch(match)}`),
    ...query.map((match) => `query ${describeMatch(match)}`),
    ...cookies.map((match) => `cookie ${describeMatch(match)}`),
    sources.length === 0 ? '' : `from ${sources.join(',')}`,
  ]
    .filter((part) => part !== '')
    .join('; ');
}

function describeMatch({ name, type, value }: ValueMatch): string {
  if (type === 'present') return name;
  if (type === 'absent') return `!${name}`;
  return `${name}${type === 'exact' ? '=' : '~'}${value}`;
}
