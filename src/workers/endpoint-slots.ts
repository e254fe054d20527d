import { endpointKey } from '../table/endpoint-key.ts';
import type { EndpointSet } from '../table/route-table.ts';
import type { PartDelta } from '../table/table-delta.ts';

/** The part of the endpoint board that slot allocation looks at. */
export interface SlotBoard {
  readonly slots: number;
  inFlight(slot: number): number;
  reset(slot: number): void;
}

interface Place {
  readonly slot: number;
  /** How many upstreams have this endpoint. */
  uses: number;
  /** The generation from which on nobody uses it. */
  leftAt: number;
}

/**
 * Gives each distinct endpoint (`address:port`) a slot on the shared board. A slot that is left rests until every worker
 * has a later table and no request is in flight on it: until then somebody may still write to it.
 * An endpoint that finds the board full gets slot -1, which the board ignores: it is balanced without shared state.
 */
export class EndpointSlots {
  readonly #board: SlotBoard;
  readonly #places = new Map<string, Place>();
  readonly #keysByUpstream = new Map<string, readonly string[]>();
  readonly #resting = new Set<string>();
  readonly #free: number[] = [];
  #next = 0;

  constructor(board: SlotBoard) {
    this.#board = board;
  }

  /** Slots in use or resting. */
  get taken(): number {
    return this.#next - this.#free.length;
  }

  /** Takes the endpoint changes of a generation; returns the slots of the endpoints that are set. */
  assign(generation: number, changes: PartDelta<EndpointSet>): ReadonlyMap<string, number> {
    const slots = new Map<string, number>();
    for (const set of changes.set) {
      const keys = set.endpoints.map(endpointKey);
      for (const key of keys) slots.set(key, this.#take(key));
      this.#leave(this.#keysByUpstream.get(set.id) ?? [], generation);
      this.#keysByUpstream.set(set.id, keys);
    }
    for (const id of changes.removed) {
      this.#leave(this.#keysByUpstream.get(id) ?? [], generation);
      this.#keysByUpstream.delete(id);
    }
    return slots;
  }

  /** The slot of an endpoint (`address:port`); undefined when it is in no table, -1 when the board had no room. */
  slotOf(key: string): number | undefined {
    return this.#places.get(key)?.slot;
  }

  /** Slots of all endpoints in use. */
  all(): ReadonlyMap<string, number> {
    const slots = new Map<string, number>();
    for (const [key, place] of this.#places) if (place.uses > 0) slots.set(key, place.slot);
    return slots;
  }

  /** The same, with those that rest. */
  held(): ReadonlyMap<string, number> {
    return new Map([...this.#places].map(([key, { slot }]) => [key, slot]));
  }

  /** This generation, or a later one, is live in every worker. */
  settled(generation: number): void {
    for (const key of this.#resting) {
      const place = this.#places.get(key);
      if (place === undefined || place.leftAt > generation) continue;
      if (place.slot >= 0 && this.#board.inFlight(place.slot) !== 0) continue;
      this.#resting.delete(key);
      this.#places.delete(key);
      if (place.slot >= 0) this.#free.push(place.slot);
    }
  }

  #take(key: string): number {
    const known = this.#places.get(key);
    if (known !== undefined) {
      known.uses++;
      this.#resting.delete(key);
      return known.slot;
    }
    const slot = this.#allocate();
    this.#places.set(key, { slot, uses: 1, leftAt: 0 });
    return slot;
  }

  #allocate(): number {
    const slot = this.#free.pop() ?? (this.#next < this.#board.slots ? this.#next++ : -1);
    if (slot >= 0) this.#board.reset(slot);
    return slot;
  }

  #leave(keys: readonly string[], generation: number): void {
    for (const key of keys) {
      const place = this.#places.get(key);
      if (place === undefined || --place.uses > 0) continue;
      place.leftAt = generation;
      this.#resting.add(key);
    }
  }
}
