import type { Filter, FilterSpec } from '../filters/filter.ts';
import { retryOf, timeoutsOf } from '../table/exchange-defaults.ts';
import type { FilterConfig, Forward, TableRoute, TableUpstream } from '../table/route-table.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import type { LinkedBackend, LinkedRoute, LinkedUpstream, Splitter } from './linked-table.ts';
import { compileCandidate } from './match/candidate.ts';
import type { Candidate } from './match/candidate.ts';
import { createSplitter } from './split.ts';

/** A route ready to match and to serve. */
export interface RouteLink extends LinkedRoute, Candidate {
  /** Its first metric row. */
  readonly row: number;
}

export interface RouteLinkContext {
  /** The half of the registry that runs in a worker. */
  readonly filters: { find(name: string): FilterSpec | undefined };
  /** Row of this worker's metric memory. */
  metricsRow(index: number): RouteMetrics;
  upstream(id: string): LinkedUpstream | undefined;
  upstreamEntry(id: string): TableUpstream | undefined;
}

/** A route that cannot be served as declared answers 503 itself: it never runs without one of its filters. */
const CLOSED: ErrorCodeName = 'SP_ROUTE_INVALID';

/**
 * Links one route. When one of its filters cannot be built, the link is closed (it answers 503) and `fault` says why.
 * Throws an Error for what compile never lets through: an unknown upstream, a pattern or CIDR that cannot be compiled.
 */
export function linkRoute(
  route: TableRoute,
  row: number,
  context: RouteLinkContext,
): { readonly link: RouteLink; readonly fault?: string } {
  const candidate = compileCandidate(route);
  const filters = createFilters(route.filters, context);
  if (!Array.isArray(filters)) {
    const closed: TableRoute = { ...route, filters: [], action: { kind: 'respond', code: CLOSED } };
    return { link: assemble({ ...candidate, route: closed }, row, [], context), fault: filters.fault };
  }
  return { link: assemble(candidate, row, filters, context) };
}

/** The same route with its filters and their state, over the upstreams and metric rows as they are now. */
export function relinkBackends(link: RouteLink, row: number, context: RouteLinkContext): RouteLink {
  return { ...link, row, ...serving(link.route, row, context) };
}

function assemble(
  { route, checks, pathRegex }: Candidate,
  row: number,
  filters: readonly Filter[],
  context: RouteLinkContext,
): RouteLink {
  const request = filters.filter((filter) => filter.onRequest !== undefined);
  const secure = request.filter((filter) => filter.plainOnly !== true);
  const response = filters.filter((filter) => filter.onResponse !== undefined).reverse();
  return {
    route,
    checks,
    pathRegex,
    requestFilters: request.length === 0 ? undefined : request,
    secureRequestFilters: secure.length === 0 ? undefined : secure,
    responseFilters: response.length === 0 ? undefined : response,
    row,
    ...serving(route, row, context),
  };
}

interface Serving {
  readonly forward: Forward | undefined;
  readonly backends: readonly LinkedBackend[];
  readonly splitter: Splitter | undefined;
  readonly metrics: RouteMetrics;
}

function serving({ action }: TableRoute, row: number, context: RouteLinkContext): Serving {
  const metrics = context.metricsRow(row);
  if (action.kind === 'respond') return { forward: undefined, backends: [], splitter: undefined, metrics };
  const backends = action.forward.backends.map((backend, index): LinkedBackend => {
    const upstream = context.upstream(backend.upstream);
    const entry = context.upstreamEntry(backend.upstream);
    if (upstream === undefined || entry === undefined)
      throw new Error(`upstream ${JSON.stringify(backend.upstream)} is not in the table`);
    return {
      upstream,
      weight: backend.weight,
      role: backend.role,
      fallback: backend.fallback,
      requires: backend.requires,
      timeouts: timeoutsOf(action.forward, entry),
      retry: retryOf(action.forward, entry),
      metrics: index === 0 ? metrics : context.metricsRow(row + index),
    };
  });
  return { forward: action.forward, backends, splitter: createSplitter(action.forward, backends), metrics };
}

function createFilters(
  configs: readonly FilterConfig[],
  { filters }: RouteLinkContext,
): Filter[] | { readonly fault: string } {
  const created: Filter[] = [];
  for (const { name, config } of configs) {
    const spec = filters.find(name);
    if (spec === undefined) return { fault: `filter ${JSON.stringify(name)} is not known here` };
    try {
      created.push(spec.create(config));
    } catch (error) {
      return {
        fault: `filter ${JSON.stringify(name)}: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  }
  return created;
}
