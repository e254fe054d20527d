/** A clock that stands still until a test moves it. */
export class ManualClock {
  #nowMs = 0;
  #next = 0;
  readonly #timers = new Map<number, { readonly atMs: number; readonly run: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const id = this.#next++;
    this.#timers.set(id, { atMs: this.#nowMs + ms, run });
    return () => this.#timers.delete(id);
  }

  random(): number {
    return 0.5;
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Throws when a timer was left behind. */
  expectIdle(): void {
    if (this.waiting > 0) throw new Error(`${this.waiting} timers were left behind`);
  }

  /** Runs what is due until then, in order of time. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= untilMs);
      const [first] = due.sort(([a, x], [b, y]) => x.atMs - y.atMs || a - b);
      if (first === undefined) break;
      const [id, { atMs, run }] = first;
      this.#timers.delete(id);
      this.#nowMs = Math.max(this.#nowMs, atMs);
      run();
    }
    this.#nowMs = untilMs;
  }
}
