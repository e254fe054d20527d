import type { EndpointBoardView } from './balancer.ts';

/** Words before the counts. The first says how many writers there are, so that the memory describes itself. */
const HEAD_WORDS = 16;

/** Of `beginWithin`, at a limit that others are reaching for too. */
const ATTEMPTS = 4;

/**
 * State of endpoints that all workers share: per endpoint its requests in flight.
 * Each worker writes counts of its own, a stretch of memory per worker, and readers add them up. So the counts of a
 * worker that dies can be taken back without touching the others', and workers do not contend for one cache line.
 * The main thread hands out slots; a slot goes back only when no worker can still write to it.
 */
export class EndpointBoard implements EndpointBoardView {
  readonly slots: number;
  readonly #words: Int32Array;
  readonly #writers: number;
  /** Where the counts of this view's writer start. */
  readonly #own: number;

  /** `writer` is the worker whose requests this view counts. Throws RangeError when the memory has no place for it. */
  constructor(memory: SharedArrayBuffer, writer = 0) {
    this.#words = new Int32Array(memory);
    this.#writers = Atomics.load(this.#words, 0);
    if (writer >= this.#writers) {
      throw new RangeError(
        `Use the endpoint board: it has ${this.#writers} writers, and no number ${writer}`,
      );
    }
    this.slots = (this.#words.length - HEAD_WORDS) / this.#writers;
    this.#own = HEAD_WORDS + writer * this.slots;
  }

  /** Shared memory for this many slots, 4 bytes each and writer. */
  static allocate(slots: number, writers = 1): SharedArrayBuffer {
    const memory = new SharedArrayBuffer((HEAD_WORDS + slots * writers) * Int32Array.BYTES_PER_ELEMENT);
    new Int32Array(memory)[0] = writers;
    return memory;
  }

  inFlight(slot: number): number {
    if (slot < 0) return 0;
    let sum = 0;
    for (let at = HEAD_WORDS + slot; at < this.#words.length; at += this.slots) {
      sum += Atomics.load(this.#words, at);
    }
    return sum;
  }

  /** A request was sent to this endpoint. */
  begin(slot: number): void {
    // A plain store is enough: nobody else writes here, and an aligned word is never seen half written.
    if (slot >= 0) this.#words[this.#own + slot] = (this.#words[this.#own + slot] as number) + 1;
  }

  /**
   * Counts a request unless that would make more than `limit` over all workers; a slot of -1 knows no limit. Never more,
   * whoever else does the same: each counts itself first, in one order that all see, then looks. Two that reach for the
   * last place at once may both step back, so each looks again a few times before it gives up.
   */
  beginWithin(slot: number, limit: number): boolean {
    if (slot < 0) return true;
    const own = this.#own + slot;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (this.inFlight(slot) >= limit) return false;
      Atomics.add(this.#words, own, 1);
      if (this.inFlight(slot) <= limit) return true;
      Atomics.sub(this.#words, own, 1);
    }
    return false;
  }

  /** That request has ended, well or badly. */
  end(slot: number): void {
    if (slot >= 0) this.#words[this.#own + slot] = (this.#words[this.#own + slot] as number) - 1;
  }

  /** Clears a slot before it is handed to another endpoint. */
  reset(slot: number): void {
    for (let at = HEAD_WORDS + slot; at < this.#words.length; at += this.slots) {
      Atomics.store(this.#words, at, 0);
    }
  }

  /** Takes back what a worker that has ended still had in flight. Not while it runs: its `end` calls would follow. */
  clearWriter(writer: number): void {
    const start = HEAD_WORDS + writer * this.slots;
    this.#words.fill(0, start, start + this.slots);
  }
}
