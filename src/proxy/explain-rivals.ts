import type { PathMatch, RouteOrigin, TableRoute } from '../table/route-table.ts';
import { describeCheck } from './explain-condition.ts';
import type { FailedCondition } from './explain-condition.ts';
import type { MatchRequest } from './linked-table.ts';
import type { Candidate } from './match/candidate.ts';
import { HostRoutes } from './match/host-routes.ts';
import { compareRoutes, specificity, specificityDifference, specificityNames } from './match/precedence.ts';
import { hostPatterns } from './match/route-index.ts';

/** A route that did not serve the request, and why. */
export interface Rival {
  readonly id: string;
  readonly origin: RouteOrigin;
  /** The pattern under which it stands. */
  readonly host: string;
  readonly path: PathMatch;
  /** `host`, `precedence`: it would have served if a better one were not there. */
  readonly lost: 'path' | 'condition' | 'precedence' | 'host';
  readonly reason: string;
  /** Set when `lost` is `condition`. */
  readonly condition?: FailedCondition;
}

/** What is asked of an index of routes, whatever it holds besides. */
export interface ExplainIndex {
  match(request: MatchRequest): Candidate | undefined;
  hostRoutes(pattern: string): { all(): Iterable<Candidate> } | undefined;
}

/** Beyond this, a list explains nothing any more. */
const MAX_RIVALS = 20;

/**
 * The other routes of the chosen host, those that came nearest first, then routes of less specific hosts that take such a
 * request. `more` counts the rest.
 */
export function explainRivals(
  index: ExplainIndex,
  request: MatchRequest,
  chosen: string | undefined,
  winner: Candidate | undefined,
): { readonly rivals: readonly Rival[]; readonly more: number } {
  if (chosen === undefined) return { rivals: [], more: 0 };
  const here = [...(index.hostRoutes(chosen)?.all() ?? [])];
  const seen = new Set([...here.map(({ route }) => route.id), winner?.route.id]);
  const rivals = here
    .filter((candidate) => candidate !== winner)
    .sort(
      (a, b) =>
        likeness(b.route, request.path) - likeness(a.route, request.path) || compareRoutes(a.route, b.route),
    )
    .map((candidate) => explainRival(candidate, request, chosen, winner));
  const order = { precedence: 0, condition: 1, path: 2, host: 3 } as const;
  rivals.sort((a, b) => order[a.lost] - order[b.lost]);
  for (const pattern of lessSpecific(request.host, chosen)) {
    for (const candidate of index.hostRoutes(pattern)?.all() ?? []) {
      if (seen.has(candidate.route.id) || verdict(candidate, request) !== 'holds') continue;
      const reason = `stands on ${printHost(pattern)}, and ${printHost(chosen)} is more specific`;
      rivals.push({ ...identify(candidate.route, pattern), lost: 'host', reason });
    }
  }
  return { rivals: rivals.slice(0, MAX_RIVALS), more: Math.max(0, rivals.length - MAX_RIVALS) };
}

/** A host pattern for people. */
export function printHost(pattern: string): string {
  return pattern === '' ? 'any host' : pattern;
}

function lessSpecific(host: string, chosen: string): readonly string[] {
  const patterns = hostPatterns(host);
  return patterns.slice(patterns.indexOf(chosen) + 1);
}

/** What the matcher says to this route alone: it holds, its path differs, or the index of the condition that fails. */
function verdict(candidate: Candidate, request: MatchRequest): 'holds' | 'path' | number {
  let failed = -1;
  const trace = { failed: (_: Candidate, check: number) => (failed = check) };
  const alone = new HostRoutes<Candidate>().with(candidate);
  if (alone.find(request, { nodes: [], count: 0 }, trace) !== undefined) return 'holds';
  return failed < 0 ? 'path' : failed;
}

function explainRival(
  candidate: Candidate,
  request: MatchRequest,
  host: string,
  winner: Candidate | undefined,
): Rival {
  const { route } = candidate;
  const result = verdict(candidate, request);
  if (result === 'path')
    return { ...identify(route, host), lost: 'path', reason: describePath(route.path, request.path) };
  if (result === 'holds') {
    const reason = winner === undefined ? '' : describePrecedence(route, winner.route);
    return { ...identify(route, host), lost: 'precedence', reason };
  }
  const condition = describeCheck(route, candidate.checks?.[result], request);
  const reason = `${condition.what}: wants ${condition.expected}, got ${condition.got}`;
  return { ...identify(route, host), lost: 'condition', reason, condition };
}

function identify(route: TableRoute, host: string): Pick<Rival, 'id' | 'origin' | 'host' | 'path'> {
  return { id: route.id, origin: route.origin, host, path: route.path };
}

/** Characters that route and request have in common at the start; patterns come after all that share any. */
function likeness({ path: { type, value } }: TableRoute, path: string): number {
  if (type === 'regex') return 0;
  let length = 0;
  while (length < value.length && value.charCodeAt(length) === path.charCodeAt(length)) length++;
  return length;
}

function describePath({ type, value }: PathMatch, path: string): string {
  if (type === 'regex') return `the path does not match the whole pattern ${value}`;
  if (value.toLowerCase() !== value || path.toLowerCase() !== path) {
    const [wanted, given] = [value.toLowerCase(), path.toLowerCase()];
    if (wanted === given || (type === 'prefix' && given.startsWith(`${wanted}/`)))
      return `upper and lower case differ from ${value}`;
  }
  if (type === 'prefix') {
    return path.startsWith(value)
      ? `${value} is a prefix by element, so it ends at a slash`
      : `the path is not under ${value}`;
  }
  return path === `${value}/` || `${path}/` === value
    ? `exactly ${value}, so the trailing slash counts`
    : `the path is not exactly ${value}`;
}

const kinds = { exact: 'an exact path', regex: 'a pattern', prefix: 'a prefix' } as const;

/** Why `route` comes after `winner`, both of which take the request. In the order of docs/routing.md. */
function describePrecedence(route: TableRoute, winner: TableRoute): string {
  if (route.path.type !== winner.path.type) {
    return `${kinds[winner.path.type]} goes before ${kinds[route.path.type]}`;
  }
  if (route.path.value.length < winner.path.value.length) {
    return winner.path.type === 'regex'
      ? 'its pattern is shorter'
      : `its prefix is shorter than ${winner.path.value}`;
  }
  const [own, better] = [specificity(route.conditions), specificity(winner.conditions)];
  const place = specificityDifference(own, better);
  if (place >= 0) return describeSpecificity(place, own[place] ?? 0, better[place] ?? 0);
  if (route.rank === winner.rank) return 'everything else being equal, its id comes later';
  const [age, winnersAge] = [declared(route.rank), declared(winner.rank)];
  if (age === winnersAge)
    return `of equal age, ${nameOf(winner.origin)} comes before ${nameOf(route.origin)}`;
  return `${nameOf(winner.origin)} is older: declared ${winnersAge}, this one ${age}`;
}

function describeSpecificity(place: number, own: number, better: number): string {
  const name = specificityNames[place] ?? '';
  if (name.startsWith('a ')) return `the winner asks for ${name}, this one does not`;
  const plural = better === 1 ? name : `${name}s`;
  return `the winner asks for ${better} ${plural}, this one for ${own}`;
}

function nameOf({ kind, namespace, name }: RouteOrigin): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** The tier and age at the start of a rank (compile writes `tier milliseconds …`); another rank is shown as it is. */
function declared(rank: string): string {
  const [, tier, age] = /^(\d) (\d{15}) /.exec(rank) ?? [];
  if (tier === undefined || age === undefined) return rank;
  const date = new Date(Number(age)).toISOString().replace('.000Z', 'Z');
  return tier === '0' ? date : `${date} as a default`;
}
