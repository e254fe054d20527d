import { DigestSum } from '../table/digest-sum.ts';
import { endpointKey } from '../table/endpoint-key.ts';
import type {
  ClientAuth,
  EndpointSet,
  TableAuthority,
  TableCertificate,
  TableHost,
  TableRoute,
  TableUpstream,
} from '../table/route-table.ts';
import type { TableDelta } from '../table/table-delta.ts';
import type { UpstreamRefs } from '../upstream/tls-client.ts';
import type { PersistentMapEdit } from '../util/persistent-map.ts';
import { linkClientAuth } from './linked-client-auth.ts';
import { linkRoute, relinkBackends } from './link-route.ts';
import type { RouteLink, RouteLinkContext } from './link-route.ts';
import type { LinkedUpstream } from './linked-table.ts';
import { RoutingTable } from './routing-table.ts';
import type { PlacedEndpoints, RoutingTableParts } from './routing-table.ts';

/** A route that answers 503 because one of its filters could not be built. */
export interface ClosedRoute {
  readonly id: string;
  readonly message: string;
}

interface Entry {
  readonly id: string;
  readonly digest: string;
}

/**
 * The next table while it is being built. Nothing that the current table uses is touched before `commit`: new upstreams
 * stand by themselves, and updates and retirements are noted down.
 */
export class LinkDraft implements UpstreamRefs {
  readonly closed: ClosedRoute[] = [];

  readonly #base: RoutingTableParts;
  readonly #delta: TableDelta;
  readonly #context: RouteLinkContext;
  readonly #sum: DigestSum;
  readonly #index;
  readonly #routes;
  readonly #hosts;
  readonly #clientAuths;
  #clientAuthsMoved = false;
  readonly #upstreams;
  readonly #upstreamEntries;
  readonly #endpoints;
  readonly #certificates;
  readonly #authorities;
  readonly #created = new Set<LinkedUpstream>();
  readonly #retired = new Set<LinkedUpstream>();
  readonly #updates = new Map<LinkedUpstream, PlacedEndpoints>();

  constructor(
    base: RoutingTable,
    delta: TableDelta,
    context: Omit<RouteLinkContext, 'upstream' | 'upstreamEntry'>,
  ) {
    const { parts } = base;
    this.#base = parts;
    this.#delta = delta;
    this.#sum = new DigestSum(base.digest);
    this.#index = parts.index.edit();
    this.#routes = parts.routes.edit();
    this.#hosts = parts.hosts.edit();
    this.#clientAuths = parts.clientAuths.edit();
    this.#upstreams = parts.upstreams.edit();
    this.#upstreamEntries = parts.upstreamEntries.edit();
    this.#endpoints = parts.endpoints.edit();
    this.#certificates = parts.certificates.edit();
    this.#authorities = parts.authorities.edit();
    this.#context = {
      filters: context.filters,
      metricsRow: (index) => context.metricsRow(index),
      upstream: (id) => this.#upstreams.get(id),
      upstreamEntry: (id) => this.#upstreamEntries.get(id),
    };
  }

  /** Whether upstreams were replaced or removed, so that every route has to be looked at. */
  get upstreamsMoved(): boolean {
    return this.#retired.size > 0;
  }

  certificate(id: string): TableCertificate | undefined {
    return this.#certificates.get(id);
  }

  authority(id: string): TableAuthority | undefined {
    return this.#authorities.get(id);
  }

  setUpstream(entry: TableUpstream, create: (entry: TableUpstream) => LinkedUpstream): void {
    if (!this.#replace(this.#upstreamEntries, entry)) return;
    const old = this.#upstreams.get(entry.id);
    if (old !== undefined) this.#retired.add(old);
    const upstream = create(entry);
    this.#created.add(upstream);
    this.#upstreams.set(entry.id, upstream);
    const placed = this.#endpoints.get(entry.id);
    if (placed !== undefined) upstream.update(placed.set, placed.slots);
  }

  removeUpstream(id: string): void {
    const old = this.#upstreams.get(id);
    if (old !== undefined) this.#retired.add(old);
    this.#drop(this.#upstreamEntries, id);
    this.#upstreams.delete(id);
  }

  setEndpoints(set: EndpointSet, slots: ReadonlyMap<string, number>): void {
    const old = this.#endpoints.get(set.id);
    const placed = { set, slots: slotsOf(set, slots) };
    if (old !== undefined) {
      if (old.set.digest === set.digest && sameSlots(old.slots, placed.slots)) return;
      this.#sum.toggle(old.set.digest);
    }
    this.#sum.toggle(set.digest);
    this.#endpoints.set(set.id, placed);
    const upstream = this.#upstreams.get(set.id);
    if (upstream === undefined) throw new Error(`endpoints of ${JSON.stringify(set.id)} have no upstream`);
    // One that nobody can see yet takes them at once, in this slice; the others at the commit.
    if (this.#created.has(upstream)) upstream.update(placed.set, placed.slots);
    else this.#updates.set(upstream, placed);
  }

  removeEndpoints(id: string): void {
    const old = this.#endpoints.get(id);
    if (old === undefined) return;
    this.#sum.toggle(old.set.digest);
    this.#endpoints.delete(id);
    const upstream = this.#upstreams.get(id);
    if (upstream === undefined) return;
    this.#updates.set(upstream, { set: { ...old.set, endpoints: [] }, slots: new Map() });
  }

  /** After the authorities that it may refer to. */
  setHost(entry: TableHost): void {
    if (!this.#replace(this.#hosts, entry)) return;
    const { id, clientAuth } = entry;
    if (clientAuth === undefined) this.#forgetClientAuth(id);
    else this.#setClientAuth(id, clientAuth);
  }

  removeHost(id: string): void {
    this.#drop(this.#hosts, id);
    this.#forgetClientAuth(id);
  }

  setCertificate(entry: TableCertificate): void {
    this.#replace(this.#certificates, entry);
  }

  removeCertificate(id: string): void {
    this.#drop(this.#certificates, id);
  }

  setAuthority(entry: TableAuthority): void {
    this.#replace(this.#authorities, entry);
  }

  removeAuthority(id: string): void {
    this.#drop(this.#authorities, id);
  }

  setRoute(route: TableRoute, row: number | undefined): void {
    if (row === undefined) throw new Error(`route ${JSON.stringify(route.id)} has no metric row`);
    const old = this.#routes.get(route.id);
    if (old?.route.digest === route.digest) {
      if (old.row !== row) this.#exchange(old, relinkBackends(old, row, this.#context));
      return;
    }
    if (old !== undefined) this.#sum.toggle(old.route.digest);
    this.#sum.toggle(route.digest);
    const { link, fault } = this.#named(route.id, () => linkRoute(route, row, this.#context));
    if (fault !== undefined) this.closed.push({ id: route.id, message: fault });
    this.#exchange(old, link);
  }

  removeRoute(id: string): void {
    const old = this.#routes.get(id);
    if (old === undefined) return;
    this.#sum.toggle(old.route.digest);
    this.#routes.delete(id);
    this.#index.remove(old);
  }

  /** Leads a route of the base that is still there to the upstreams as they are now. */
  follow(id: string): void {
    const link = this.#routes.get(id);
    const moved = link?.backends.some(({ upstream }) => this.#upstreams.get(upstream.id) !== upstream);
    if (link === undefined || moved !== true) return;
    this.#exchange(
      link,
      this.#named(id, () => relinkBackends(link, link.row, this.#context)),
    );
  }

  /** Whether the result is what the sender has. */
  get agrees(): boolean {
    return this.#sum.toString() === this.#delta.digest;
  }

  /** Makes the table live in one step: the swap, then what the new table asks of upstreams, then farewells. */
  commit(swap: (table: RoutingTable) => void): RoutingTable {
    const table = new RoutingTable({
      generation: this.#delta.generation,
      digest: this.#delta.digest,
      index: this.#index.finish(),
      routes: this.#routes.finish(),
      hosts: this.#hosts.finish(),
      clientAuths: this.#clientAuthsMoved ? this.#clientAuths.finish() : this.#base.clientAuths,
      upstreams: this.#upstreams.finish(),
      upstreamEntries: this.#upstreamEntries.finish(),
      endpoints: this.#endpoints.finish(),
      certificates: this.#certificates.finish(),
      authorities: this.#authorities.finish(),
    });
    swap(table);
    for (const [upstream, { set, slots }] of this.#updates) {
      if (!this.#retired.has(upstream)) upstream.update(set, slots);
    }
    for (const upstream of this.#retired) upstream.retire();
    return table;
  }

  /** The draft comes to nothing. */
  discard(): void {
    for (const upstream of this.#created) upstream.retire();
  }

  #setClientAuth(id: string, auth: ClientAuth): void {
    const linked = linkClientAuth(auth, (key) => this.#authorities.get(key));
    this.#clientAuths.set(id, linked);
    this.#clientAuthsMoved = true;
  }

  #forgetClientAuth(id: string): void {
    if (this.#clientAuths.delete(id)) this.#clientAuthsMoved = true;
  }

  #exchange(old: RouteLink | undefined, link: RouteLink): void {
    if (old !== undefined) this.#index.remove(old);
    this.#index.add(link);
    this.#routes.set(link.route.id, link);
  }

  /** False when the entry is there already. */
  #replace<T extends Entry>(map: PersistentMapEdit<T>, entry: T): boolean {
    const old = map.get(entry.id);
    if (old?.digest === entry.digest) return false;
    if (old !== undefined) this.#sum.toggle(old.digest);
    this.#sum.toggle(entry.digest);
    map.set(entry.id, entry);
    return true;
  }

  #drop<T extends Entry>(map: PersistentMapEdit<T>, id: string): void {
    const old = map.get(id);
    if (old === undefined) return;
    this.#sum.toggle(old.digest);
    map.delete(id);
  }

  #named<T>(id: string, link: () => T): T {
    try {
      return link();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`route ${JSON.stringify(id)}: ${reason}`, { cause: error });
    }
  }
}

function slotsOf(set: EndpointSet, slots: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const own = new Map<string, number>();
  for (const endpoint of set.endpoints) {
    const key = endpointKey(endpoint);
    const slot = slots.get(key);
    if (slot !== undefined) own.set(key, slot);
  }
  return own;
}

function sameSlots(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, slot] of a) {
    if (b.get(key) !== slot) return false;
  }
  return true;
}
