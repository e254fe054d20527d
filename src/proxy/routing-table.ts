import type {
  EndpointSet,
  TableAuthority,
  TableCertificate,
  TableHost,
  TableUpstream,
} from '../table/route-table.ts';
import { PersistentMap } from '../util/persistent-map.ts';
import type { RouteLink } from './link-route.ts';
import type { LinkedClientAuth } from './linked-client-auth.ts';
import type { LinkedTable, LinkedUpstream, MatchRequest } from './linked-table.ts';
import { RouteIndex, hostPatterns } from './match/route-index.ts';

/** An endpoint set with the board slots of its endpoints, kept so that a replaced upstream can take it over. */
export interface PlacedEndpoints {
  readonly set: EndpointSet;
  /** `address:port` → slot. */
  readonly slots: ReadonlyMap<string, number>;
}

/** What a linked table is made of. All of it is immutable and shared between generations. */
export interface RoutingTableParts {
  readonly generation: number;
  readonly digest: string;
  readonly index: RouteIndex<RouteLink>;
  readonly routes: PersistentMap<RouteLink>;
  readonly hosts: PersistentMap<TableHost>;
  /** Of the hosts that ask for certificates. The same as in the table before while none of them changes. */
  readonly clientAuths: PersistentMap<LinkedClientAuth>;
  readonly upstreams: PersistentMap<LinkedUpstream>;
  /** Same keys as `upstreams`. */
  readonly upstreamEntries: PersistentMap<TableUpstream>;
  readonly endpoints: PersistentMap<PlacedEndpoints>;
  readonly certificates: PersistentMap<TableCertificate>;
  readonly authorities: PersistentMap<TableAuthority>;
}

/** The linker's tables. */
export class RoutingTable implements LinkedTable {
  readonly generation: number;
  readonly digest: string;
  readonly routes: ReadonlyMap<string, RouteLink>;
  readonly upstreams: ReadonlyMap<string, LinkedUpstream>;
  readonly parts: RoutingTableParts;
  readonly #index: RouteIndex<RouteLink>;

  constructor(parts: RoutingTableParts) {
    this.parts = parts;
    this.generation = parts.generation;
    this.digest = parts.digest;
    this.routes = parts.routes;
    this.upstreams = parts.upstreams;
    this.#index = parts.index;
  }

  match(request: MatchRequest): RouteLink | undefined {
    return this.#index.match(request);
  }

  certificateFor(serverName: string): TableCertificate | undefined {
    const { hosts } = this.parts;
    const dot = serverName.indexOf('.');
    const host =
      hosts.get(serverName) ??
      (dot > 0 ? hosts.get(`*${serverName.slice(dot)}`) : undefined) ??
      hosts.get('');
    return host?.certificate === undefined ? undefined : this.parts.certificates.get(host.certificate);
  }

  get clientAuths(): PersistentMap<LinkedClientAuth> {
    return this.parts.clientAuths;
  }

  clientAuthFor(host: string): LinkedClientAuth | undefined {
    const { clientAuths } = this.parts;
    if (clientAuths.size === 0) return undefined;
    // The first pattern that routes name is final. One that only asks for certificates is taken too: that is never less strict.
    const own = clientAuths.get(host);
    if (own !== undefined || this.#index.hostRoutes(host) !== undefined) return own;
    for (const pattern of hostPatterns(host)) {
      const auth = clientAuths.get(pattern);
      if (auth !== undefined || this.#index.hostRoutes(pattern) !== undefined) return auth;
    }
    return undefined;
  }
}

/** Generation 0: matches nothing. */
export function emptyRoutingTable(): RoutingTable {
  return new RoutingTable({
    generation: 0,
    digest: '0000000000000000',
    index: RouteIndex.empty(),
    routes: PersistentMap.empty(),
    hosts: PersistentMap.empty(),
    clientAuths: PersistentMap.empty(),
    upstreams: PersistentMap.empty(),
    upstreamEntries: PersistentMap.empty(),
    endpoints: PersistentMap.empty(),
    certificates: PersistentMap.empty(),
    authorities: PersistentMap.empty(),
  });
}
