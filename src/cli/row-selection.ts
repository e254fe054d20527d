import type { RouteEntry } from '../admin/route-list.ts';
import type { ObjectRef } from '../diagnostics/diagnostic.ts';
import { hostPatterns } from '../proxy/match/route-index.ts';
import { isSelectorFault, matchesLabels, parseLabelSelector } from '../util/label-selector.ts';
import { UsageError } from './command-context.ts';
import type { CommandSource } from './command-source.ts';

export interface Selection<T> {
  readonly source: CommandSource;
  /** `name` or `kind/name`, kinds in kubectl's spellings; none means all. */
  readonly names: readonly string[];
  /** As for `kubectl -l`. */
  readonly selector: string | undefined;
  readonly objectOf: (row: T) => ObjectRef;
  /** Added when a name is not there. */
  readonly hint?: string;
}

/** Rows of the namespace, names and labels that were asked for. Throws when a name is not there. */
export function selectRows<T>(rows: readonly T[], selection: Selection<T>): readonly T[] {
  const { source, names, objectOf } = selection;
  const { namespace } = source;
  const hasLabels = labelTest(selection);
  const here = rows.filter((row) => {
    const object = objectOf(row);
    return (namespace === undefined || object.namespace === namespace) && hasLabels(object);
  });
  if (names.length === 0) return here;
  const tests = names.map((name) => ({ name, fits: nameTest(name) }));
  const missing = tests.find(({ fits }) => !here.some((row) => fits(objectOf(row))));
  if (missing !== undefined) {
    const hint = selection.hint === undefined ? '' : `; ${selection.hint}`;
    throw new Error(`Nothing named ${JSON.stringify(missing.name)} found in ${describeScope(source)}${hint}`);
  }
  return here.filter((row) => tests.some(({ fits }) => fits(objectOf(row))));
}

/** Routes that a request for this host can reach: those of the most specific pattern that has any. A pattern stands for itself. */
export function reachedBy(entries: readonly RouteEntry[], host: string): readonly RouteEntry[] {
  const patterns = hostPatterns(host.toLowerCase());
  const has = (pattern: string, isServed: boolean): boolean =>
    entries.some(({ id, hosts }) => (id !== '' || !isServed) && hosts.includes(pattern));
  const reached =
    patterns.find((pattern) => has(pattern, true)) ?? patterns.find((pattern) => has(pattern, false));
  return entries.filter(({ hosts }) => reached !== undefined && hosts.includes(reached));
}

/** `namespace "team-a" of context "kind"`. */
export function describeScope({ namespace, place }: CommandSource): string {
  return namespace === undefined ? place : `namespace ${JSON.stringify(namespace)} of ${place}`;
}

const kindWords = new Map([
  ['ingress', 'Ingress'],
  ['ingresses', 'Ingress'],
  ['ing', 'Ingress'],
  ['ingress.networking.k8s.io', 'Ingress'],
  ['route', 'Route'],
  ['routes', 'Route'],
  ['spr', 'Route'],
  ['route.sallyport.dev', 'Route'],
  ['service', 'Service'],
  ['services', 'Service'],
  ['svc', 'Service'],
]);

function nameTest(text: string): (object: ObjectRef) => boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return ({ name }) => name === text;
  const kind = kindWords.get(text.slice(0, slash).toLowerCase());
  if (kind === undefined) {
    throw new UsageError(
      `Read the name ${JSON.stringify(text)}: want NAME, ingress/NAME, route/NAME or service/NAME`,
    );
  }
  const wanted = text.slice(slash + 1);
  return (object) => object.kind === kind && object.name === wanted;
}

function labelTest<T>({ source, selector }: Selection<T>): (object: ObjectRef) => boolean {
  if (selector === undefined) return () => true;
  const parsed = parseLabelSelector(selector);
  if (isSelectorFault(parsed)) throw new UsageError(`Read --selector: ${parsed.fault}`);
  if (source.labels === undefined) {
    throw new UsageError(
      'Read --selector: a running process does not know labels, want --manifests or a cluster',
    );
  }
  const { labels } = source;
  return (object) => matchesLabels(parsed, labels(object));
}

/** As kubectl prints it for `-o name`. */
export function resourceName({ kind, name }: ObjectRef): string {
  const groups = new Map([
    ['Ingress', 'ingress.networking.k8s.io'],
    ['Route', 'route.sallyport.dev'],
  ]);
  return `${groups.get(kind) ?? kind.toLowerCase()}/${name}`;
}
