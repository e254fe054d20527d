/** What reading a cluster amounted to, by kind. Reflectors count into it; it is read when a scrape asks. */
export class WatchTotals {
  readonly relists = new Map<string, number>();
  readonly garbageSeen = new Map<string, number>();
  readonly known = new Map<string, number>();
  readonly #restarts = new Map<string, Map<string, number>>();
  readonly #heardMs = new Map<string, number>();
  readonly #now: () => number;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A scope of the kind was read as a whole. */
  relisted(kind: string): void {
    add(this.relists, kind, 1);
  }

  watchRestarted(kind: string, reason: string): void {
    add(
      this.#restarts.getOrInsertComputed(kind, () => new Map()),
      reason,
      1,
    );
  }

  /** Bytes that are no event. */
  garbage(kind: string): void {
    add(this.garbageSeen, kind, 1);
  }

  /** The API server said something about the kind. */
  heard(kind: string): void {
    this.#heardMs.set(kind, this.#now());
  }

  /** So many more objects of the kind are known, or fewer. */
  objects(kind: string, difference: number): void {
    add(this.known, kind, difference);
  }

  *restarts(): Generator<{ readonly kind: string; readonly reason: string; readonly count: number }> {
    for (const [kind, reasons] of this.#restarts) {
      for (const [reason, count] of reasons) yield { kind, reason, count };
    }
  }

  /** Seconds since each kind was heard of. */
  *agesSeconds(): Generator<readonly [kind: string, seconds: number]> {
    const now = this.#now();
    for (const [kind, heardMs] of this.#heardMs) yield [kind, (now - heardMs) / 1000];
  }
}

function add(totals: Map<string, number>, key: string, count: number): void {
  totals.set(key, (totals.get(key) ?? 0) + count);
}
