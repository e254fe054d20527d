import type { Filter } from '../filters/filter.ts';
import type {
  EndpointSet,
  Forward,
  Retry,
  TableCertificate,
  TableRoute,
  Timeouts,
} from '../table/route-table.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { LinkedClientAuth } from './linked-client-auth.ts';

/** The run-time form of a table: built in a worker by the linker, replaced as a whole by one assignment, never mutated by readers. */
export interface LinkedTable {
  readonly generation: number;
  readonly digest: string;
  readonly routes: ReadonlyMap<string, LinkedRoute>;
  readonly upstreams: ReadonlyMap<string, LinkedUpstream>;
  /** The route that serves this request, or undefined (404). Allocates nothing on the common path. */
  match(request: MatchRequest): LinkedRoute | undefined;
  /** The certificate for a canonical name: its own, its wildcard's, or the one for every name. '' is no name. */
  certificateFor(serverName: string): TableCertificate | undefined;
  /** Host patterns that ask clients for certificates. The same map as in the table before while none of them changes. */
  readonly clientAuths: ReadonlyMap<string, LinkedClientAuth>;
  /**
   * What clients of a canonical name have to show: as the pattern says whose routes serve it, so that a host that has routes
   * of its own is not held to the policy of its wildcard. '' is no name.
   */
  clientAuthFor(host: string): LinkedClientAuth | undefined;
}

/** What matching looks at. */
export interface MatchRequest {
  readonly method: string;
  /** Canonical: lower case, no port, no trailing dot. */
  readonly host: string;
  /** Normalised. */
  readonly path: string;
  /** With its leading '?', or ''. */
  readonly query: string;
  readonly headers: HeaderList;
  readonly clientAddress: string;
}

export interface LinkedRoute {
  readonly route: TableRoute;
  /** Of the route's action; undefined when the route answers by itself. */
  readonly forward: Forward | undefined;
  /** Filters that have a request half, in order; undefined when there are none. */
  readonly requestFilters: readonly Filter[] | undefined;
  /** Of these, those for requests over HTTPS; undefined when there are none. */
  readonly secureRequestFilters: readonly Filter[] | undefined;
  /** Filters that have a response half, in reverse order; undefined when there are none. */
  readonly responseFilters: readonly Filter[] | undefined;
  /** Empty when the route answers by itself. */
  readonly backends: readonly LinkedBackend[];
  /** Chooses among the backends (split.ts); absent where there is one at most, which then serves everything. */
  readonly splitter?: Splitter | undefined;
  /** Row for exchanges that reach no backend. */
  readonly metrics: RouteMetrics;
}

export interface Splitter {
  /** The backend for a request, or undefined when every weight is 0. `random` is uniform in [0, 1). */
  choose(request: MatchRequest, random: () => number): LinkedBackend | undefined;
}

export interface LinkedBackend {
  readonly upstream: LinkedUpstream;
  readonly weight: number;
  readonly role: 'stable' | 'canary';
  readonly fallback: number | undefined;
  /** Index of a backend without whose endpoints this one leaves its requests to `fallback`. */
  readonly requires?: number | undefined;
  /** Of the route, the upstream's policy and the defaults, in this order. */
  readonly timeouts: Timeouts;
  readonly retry: Retry;
  readonly metrics: RouteMetrics;
}

/** An upstream as the linker sees it; src/upstream implements it. Kept across tables while its id and digest stay. */
export interface LinkedUpstream {
  readonly id: string;
  readonly endpointCount: number;
  /** Takes a new endpoint list; connections of endpoints that stay are kept. `slots` maps `address:port` to board slots. */
  update(set: EndpointSet, slots: ReadonlyMap<string, number>): void;
  /** No table refers to it any more: idle connections close, busy ones finish. */
  retire(): void;
}
