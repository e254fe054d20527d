import type { BackendEndpoint, BackendEntry } from '../admin/backend-list.ts';
import { describeProtocol } from '../table/describe-upstream.ts';
import { addSourceOptions } from './command-source.ts';
import type { CommandSource, SourceFlags } from './command-source.ts';
import { addExamples } from './examples.ts';
import { addListOptions, printList } from './list-output.ts';
import type { Column, ListFlags } from './list-output.ts';
import type { AddCommand } from './program.ts';
import { reachedBy, resourceName, selectRows } from './row-selection.ts';

interface BackendsFlags extends SourceFlags, ListFlags {
  readonly host?: string;
}

export const backendsCommand: AddCommand = (program, context, finished) => {
  const command = program
    .command('backends')
    .argument('[name...]', 'Service: NAME or service/NAME')
    .description('list the Services that routes lead to: protocol, balancing, endpoints')
    .option('--host <host>', 'Services that a request for this host can reach');
  addListOptions(command);
  const open = addSourceOptions(command, context);
  addExamples(command, program, [
    'backends -A',
    'backends shop -n team-a -o wide',
    'backends --admin localhost:10254 -o wide',
    'backends --manifests ./manifests -o json',
  ]);
  command.action(async (names: readonly string[], flags: BackendsFlags) => {
    const source = await open(flags);
    const rows = selectRows(await reachableBackends(source, flags.host), {
      source,
      names,
      selector: flags.selector,
      objectOf: serviceOf,
    });
    const counted = rows.some(({ endpoints }) => endpoints.some(({ inFlight }) => inFlight !== undefined));
    printList(rows, {
      flags,
      context,
      source,
      noun: 'backend',
      columns: counted ? [...columns, inFlightColumn, addressColumn] : [...columns, addressColumn],
      nameOf: (entry) => resourceName(serviceOf(entry)),
    });
    finished(0);
  });
};

async function reachableBackends(
  source: CommandSource,
  host: string | undefined,
): Promise<readonly BackendEntry[]> {
  const all = await source.backends();
  if (host === undefined) return all;
  const routes = reachedBy(await source.routes(), host);
  const upstreams = new Set(routes.flatMap(({ backends }) => backends.map(({ upstream }) => upstream)));
  return all.filter(({ id }) => upstreams.has(id));
}

function serviceOf({ namespace, service }: BackendEntry): { kind: string; namespace: string; name: string } {
  return { kind: 'Service', namespace, name: service };
}

const columns: readonly Column<BackendEntry>[] = [
  { heading: 'NAMESPACE', scope: 'namespaces', cell: ({ namespace }) => namespace },
  { heading: 'SERVICE', cell: ({ service }) => service },
  { heading: 'PORT', cell: ({ port }) => port },
  { heading: 'PROTOCOL', cell: describeProtocol },
  { heading: 'BALANCE', cell: ({ balance }) => balance },
  { heading: 'VARIANT', scope: 'wide', cell: ({ variant }) => variant },
  { heading: 'TLS', scope: 'wide', cell: describeTls },
  { heading: 'ROUTES', cell: ({ routes }) => String(routes) },
  {
    heading: 'MAX-REQUESTS',
    scope: 'wide',
    cell: ({ connections }) => String(connections?.maxRequests ?? ''),
  },
  { heading: 'ENDPOINTS', cell: ({ endpoints }) => String(endpoints.length) },
];

/** `shop.team-a.svc`, after `!` where nobody verifies it. */
function describeTls({ tls }: BackendEntry): string {
  return tls === undefined ? '' : `${tls.verify ? '' : '!'}${tls.name}`;
}

const inFlightColumn: Column<BackendEntry> = {
  heading: 'IN-FLIGHT',
  cell: ({ endpoints }) => String(endpoints.reduce((sum, { inFlight = 0 }) => sum + inFlight, 0)),
};

const addressColumn: Column<BackendEntry> = {
  heading: 'ADDRESSES',
  scope: 'wide',
  cell: ({ endpoints }) => endpoints.map(describeEndpoint).join(','),
};

/** `10.0.0.1:80`, with `*2` for a weight of 2 and `(3)` for three requests in flight. */
function describeEndpoint({ endpoint, weight, inFlight = 0 }: BackendEndpoint): string {
  return `${endpoint}${weight === 1 ? '' : `*${weight}`}${inFlight === 0 ? '' : `(${inFlight})`}`;
}
