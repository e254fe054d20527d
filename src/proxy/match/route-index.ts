import { PersistentMap } from '../../util/persistent-map.ts';
import type { PersistentMapEdit } from '../../util/persistent-map.ts';
import type { MatchRequest } from '../linked-table.ts';
import type { Candidate } from './candidate.ts';
import { HostRoutes } from './host-routes.ts';
import type { MatchTrace, Trail } from './host-routes.ts';

// Which route serves a request: host, then path, then finer conditions (docs/routing.md has the rules). Comes in: compiled
// routes and normalised requests. Goes out: one route or none. Immutable, so that a request in flight and a table that is
// being built never see each other. Imports table and util only: it knows neither filters nor upstreams, so that the
// main thread can ask it too (explain).

export class RouteIndex<C extends Candidate> {
  readonly #exact: PersistentMap<HostRoutes<C>>;
  /** Keys are the patterns without `*.`. */
  readonly #wildcards: PersistentMap<HostRoutes<C>>;
  readonly #catchAll: HostRoutes<C> | undefined;
  /** Safe to share: matching is synchronous. */
  readonly #trail: Trail<C> = { nodes: [], count: 0 };

  private constructor(
    exact: PersistentMap<HostRoutes<C>>,
    wildcards: PersistentMap<HostRoutes<C>>,
    catchAll: HostRoutes<C> | undefined,
  ) {
    this.#exact = exact;
    this.#wildcards = wildcards;
    this.#catchAll = catchAll;
  }

  static empty<C extends Candidate>(): RouteIndex<C> {
    return new RouteIndex<C>(PersistentMap.empty(), PersistentMap.empty(), undefined);
  }

  /** The route that serves this request. Without conditions on the way it allocates nothing (a wildcard host: one slice). */
  match(request: MatchRequest, trace?: MatchTrace<C>): C | undefined {
    return this.#routesFor(request.host)?.find(request, this.#trail, trace);
  }

  /** The routes of one pattern: `a.example`, `*.example` or ''. */
  hostRoutes(pattern: string): HostRoutes<C> | undefined {
    if (pattern === '') return this.#catchAll;
    return pattern.startsWith('*.') ? this.#wildcards.get(pattern.slice(2)) : this.#exact.get(pattern);
  }

  edit(): RouteIndexEdit<C> {
    return new RouteIndexEdit(
      this.#exact.edit(),
      this.#wildcards.edit(),
      this.#catchAll,
      (exact, wildcards, catchAll) => new RouteIndex(exact, wildcards, catchAll),
    );
  }

  /** The first that exists is final: a host's paths are never mixed with those of a pattern that is less specific. */
  #routesFor(host: string): HostRoutes<C> | undefined {
    const own = this.#exact.get(host);
    if (own !== undefined) return own;
    if (this.#wildcards.size > 0) {
      const dot = host.indexOf('.');
      const wild = dot > 0 ? this.#wildcards.get(host.slice(dot + 1)) : undefined;
      if (wild !== undefined) return wild;
    }
    return this.#catchAll;
  }
}

/** The patterns that could serve a host, the most specific first. */
export function hostPatterns(host: string): readonly string[] {
  const dot = host.indexOf('.');
  return dot > 0 ? [host, `*${host.slice(dot)}`, ''] : [host, ''];
}

type Finish<C extends Candidate> = (
  exact: PersistentMap<HostRoutes<C>>,
  wildcards: PersistentMap<HostRoutes<C>>,
  catchAll: HostRoutes<C> | undefined,
) => RouteIndex<C>;

/** Changes to one version of an index, which stays as it is. */
export class RouteIndexEdit<C extends Candidate> {
  readonly #exact: PersistentMapEdit<HostRoutes<C>>;
  readonly #wildcards: PersistentMapEdit<HostRoutes<C>>;
  #catchAll: HostRoutes<C> | undefined;
  readonly #finish: Finish<C>;

  constructor(
    exact: PersistentMapEdit<HostRoutes<C>>,
    wildcards: PersistentMapEdit<HostRoutes<C>>,
    catchAll: HostRoutes<C> | undefined,
    finish: Finish<C>,
  ) {
    this.#exact = exact;
    this.#wildcards = wildcards;
    this.#catchAll = catchAll;
    this.#finish = finish;
  }

  add(candidate: C): void {
    for (const pattern of candidate.route.hosts) {
      this.#change(pattern, (routes) => (routes ?? new HostRoutes<C>()).with(candidate));
    }
  }

  remove(candidate: C): void {
    for (const pattern of candidate.route.hosts)
      this.#change(pattern, (routes) => routes?.without(candidate));
  }

  finish(): RouteIndex<C> {
    return this.#finish(this.#exact.finish(), this.#wildcards.finish(), this.#catchAll);
  }

  #change(pattern: string, change: (routes: HostRoutes<C> | undefined) => HostRoutes<C> | undefined): void {
    if (pattern === '') {
      this.#catchAll = nonEmpty(change(this.#catchAll));
      return;
    }
    const wild = pattern.startsWith('*.');
    const map = wild ? this.#wildcards : this.#exact;
    const key = wild ? pattern.slice(2) : pattern;
    const routes = nonEmpty(change(map.get(key)));
    if (routes === undefined) map.delete(key);
    else map.set(key, routes);
  }
}

function nonEmpty<C extends Candidate>(routes: HostRoutes<C> | undefined): HostRoutes<C> | undefined {
  return routes === undefined || routes.size === 0 ? undefined : routes;
}
