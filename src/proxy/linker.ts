import type { FilterSpec } from '../filters/filter.ts';
import type { TableUpstream } from '../table/route-table.ts';
import type { PartDelta, TableDelta } from '../table/table-delta.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import type { UpstreamRefs } from '../upstream/tls-client.ts';
import { LinkDraft } from './link-draft.ts';
import type { ClosedRoute } from './link-draft.ts';
import type { LinkedUpstream } from './linked-table.ts';
import { emptyRoutingTable } from './routing-table.ts';
import type { RoutingTable } from './routing-table.ts';

// Link: table deltas → the table that serves requests. Comes in: what main publishes. Goes out: one swap a generation.
// Works beside the table in force, in slices between which the event loop runs; takes effect in one step or not at all.
// What keeps its digest keeps its linked object: pools, balancers, filter state. Never imports the workers' messages:
// they are typed by shape here.

/** A delta with the shared-memory places of its new entries (the publication of src/workers/messages.ts). */
export interface LinkInput {
  readonly delta: TableDelta;
  /** Endpoint `address:port` → slot on the endpoint board. */
  readonly slots: ReadonlyMap<string, number>;
  /** Route id → its first metric row, one row a backend. */
  readonly rows: ReadonlyMap<string, number>;
}

export interface LinkerDependencies {
  /**
   * Makes an upstream without endpoints and without connections; `retire` is called on it if the link fails. `refs`: what
   * its entry refers to, as it is in the table that is being linked; to be asked during the call.
   */
  createUpstream(entry: TableUpstream, refs: UpstreamRefs): LinkedUpstream;
  metricsRow(index: number): RouteMetrics;
  readonly filters: { find(name: string): FilterSpec | undefined };
  /** Makes a table the one that serves. Called once a generation, with nothing between it and the upstreams' updates. */
  swap(table: RoutingTable): void;
  /** Lets the event loop run. */
  yield(): Promise<void>;
  /** Monotonic milliseconds. */
  now(): number;
}

export type LinkOutcome =
  | {
      readonly kind: 'live';
      readonly table: RoutingTable;
      /** From the start of this link to the swap. */
      readonly linkMs: number;
      /** The longest time that the event loop was held. */
      readonly stallMs: number;
      /** Routes that answer 503 because one of their filters cannot be built. */
      readonly closed: readonly ClosedRoute[];
    }
  /** The generation is not newer than what serves: dropped. */
  | { readonly kind: 'stale'; readonly have: number }
  /** Made for another base, or the result is not what the sender has: the whole table is needed. */
  | { readonly kind: 'resync'; readonly have: number; readonly reason: 'base' | 'digest' };

/** A table that cannot be linked. The one before it stays in force, untouched. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly generation: number;

  constructor(generation: number, cause: unknown) {
    super(`linking generation ${generation}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.generation = generation;
  }
}

/** How long one slice may hold the event loop. */
const SLICE_MS = 1.5;

/** Lets timers and sockets have their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export class Linker {
  readonly #dependencies: LinkerDependencies;
  #table: RoutingTable = emptyRoutingTable();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(dependencies: LinkerDependencies) {
    this.#dependencies = dependencies;
  }

  /** The table in force. */
  get table(): RoutingTable {
    return this.#table;
  }

  /** Links and swaps in. Calls wait for each other, in order. Rejects with a LinkError when the table cannot be linked. */
  link(input: LinkInput): Promise<LinkOutcome> {
    const result = this.#queue.then(() => this.#link(input));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #link(input: LinkInput): Promise<LinkOutcome> {
    const { delta } = input;
    const have = this.#table.generation;
    if (delta.base !== 0 && delta.base !== have) {
      return delta.generation <= have ? { kind: 'stale', have } : { kind: 'resync', have, reason: 'base' };
    }
    if (delta.generation < have || (delta.generation === have && delta.digest === this.#table.digest)) {
      return { kind: 'stale', have };
    }
    const slices = new Slices(this.#dependencies);
    const draft = new LinkDraft(this.#table, delta, this.#dependencies);
    try {
      await this.#build(draft, input, slices);
    } catch (error) {
      draft.discard();
      throw new LinkError(delta.generation, error);
    }
    if (!draft.agrees) {
      draft.discard();
      return { kind: 'resync', have, reason: 'digest' };
    }
    this.#table = draft.commit((table) => {
      this.#table = table;
      this.#dependencies.swap(table);
    });
    return { kind: 'live', table: this.#table, closed: draft.closed, ...slices.end() };
  }

  /** Removals first; upstreams after what they show and believe, routes after the upstreams that they lead to. */
  async #build(draft: LinkDraft, { delta, slots, rows }: LinkInput, slices: Slices): Promise<void> {
    const { parts } = this.#table;
    const create = (entry: TableUpstream) => this.#dependencies.createUpstream(entry, draft);
    const gone = <T extends { readonly id: string }>(
      part: PartDelta<T>,
      present: ReadonlyMap<string, unknown>,
    ) => (delta.base === 0 ? leftOut(part, present, slices) : part.removed);
    await slices.each(await gone(delta.routes, parts.routes), (id) => draft.removeRoute(id));
    await slices.each(await gone(delta.upstreams, parts.upstreams), (id) => draft.removeUpstream(id));
    await slices.each(await gone(delta.endpoints, parts.endpoints), (id) => draft.removeEndpoints(id));
    await slices.each(await gone(delta.hosts, parts.hosts), (id) => draft.removeHost(id));
    await slices.each(await gone(delta.certificates, parts.certificates), (id) =>
      draft.removeCertificate(id),
    );
    await slices.each(await gone(delta.authorities, parts.authorities), (id) => draft.removeAuthority(id));
    await slices.each(delta.certificates.set, (entry) => draft.setCertificate(entry));
    await slices.each(delta.authorities.set, (entry) => draft.setAuthority(entry));
    await slices.each(delta.upstreams.set, (entry) => draft.setUpstream(entry, create));
    await slices.each(delta.endpoints.set, (set) => draft.setEndpoints(set, slots));
    await slices.each(delta.hosts.set, (entry) => draft.setHost(entry));
    await slices.each(delta.routes.set, (route) => draft.setRoute(route, rows.get(route.id)));
    if (draft.upstreamsMoved) await slices.each(parts.routes.keys(), (id) => draft.follow(id));
  }
}

/** Ids that a whole table no longer has. */
async function leftOut<T extends { readonly id: string }>(
  part: PartDelta<T>,
  present: ReadonlyMap<string, unknown>,
  slices: Slices,
): Promise<readonly string[]> {
  const gone = new Set<string>();
  await slices.each(present.keys(), (id) => gone.add(id));
  await slices.each(part.set, ({ id }) => gone.delete(id));
  return [...gone];
}

/** Work in slices, and a record of how long they took. */
class Slices {
  readonly #clock: Pick<LinkerDependencies, 'yield' | 'now'>;
  readonly #startMs: number;
  #sliceMs: number;
  #stallMs = 0;

  constructor(clock: Pick<LinkerDependencies, 'yield' | 'now'>) {
    this.#clock = clock;
    this.#startMs = clock.now();
    this.#sliceMs = this.#startMs;
  }

  async each<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
    for (const item of items) {
      work(item);
      if (this.#clock.now() - this.#sliceMs >= SLICE_MS) await this.#pause();
    }
  }

  end(): { readonly linkMs: number; readonly stallMs: number } {
    const now = this.#clock.now();
    this.#note(now);
    return { linkMs: now - this.#startMs, stallMs: this.#stallMs };
  }

  async #pause(): Promise<void> {
    this.#note(this.#clock.now());
    await this.#clock.yield();
    this.#sliceMs = this.#clock.now();
  }

  #note(now: number): void {
    this.#stallMs = Math.max(this.#stallMs, now - this.#sliceMs);
  }
}
