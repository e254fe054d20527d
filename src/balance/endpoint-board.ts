import type { EndpointBoardView } from './balancer.ts';

/** 32-bit words per slot: in-flight requests; the rest is kept for latency, health and breaker state. */
const WORDS = 8;

/**
 * State of endpoints that all workers share: one row of 32-bit words per endpoint, changed with Atomics.
 * The main thread hands out slots; a slot goes back only when no worker can still write to it.
 */
export class EndpointBoard implements EndpointBoardView {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** Shared memory for this many slots. */
  static allocate(slots: number): SharedArrayBuffer {
    return new SharedArrayBuffer(slots * WORDS * Int32Array.BYTES_PER_ELEMENT);
  }

  get slots(): number {
    return this.#words.length / WORDS;
  }

  inFlight(slot: number): number {
    return slot < 0 ? 0 : Atomics.load(this.#words, slot * WORDS);
  }

  /** A request was sent to this endpoint. */
  begin(slot: number): void {
    if (slot >= 0) Atomics.add(this.#words, slot * WORDS, 1);
  }

  /** That request has ended, well or badly. */
  end(slot: number): void {
    if (slot >= 0) Atomics.sub(this.#words, slot * WORDS, 1);
  }

  /** Clears a slot before it is handed to another endpoint. */
  reset(slot: number): void {
    for (let word = 0; word < WORDS; word++) Atomics.store(this.#words, slot * WORDS + word, 0);
  }
}
