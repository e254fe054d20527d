interface Run {
  first: number;
  count: number;
}

/** Numbers from `first` up to `limit` (exclusive), given out as runs of consecutive ones: first fit, neighbours merge. */
export class FreeRuns {
  /** In order, never touching each other. */
  readonly #runs: Run[];

  constructor(first: number, limit: number) {
    this.#runs = limit > first ? [{ first, count: limit - first }] : [];
  }

  /** First number of the run, or undefined when no run is long enough. */
  take(count: number): number | undefined {
    const at = this.#runs.findIndex((run) => run.count >= count);
    const run = this.#runs[at];
    if (run === undefined) return undefined;
    const { first } = run;
    run.first += count;
    run.count -= count;
    if (run.count === 0) this.#runs.splice(at, 1);
    return first;
  }

  give(first: number, count: number): void {
    const at = this.#after(first);
    const before = this.#runs[at - 1];
    const after = this.#runs[at];
    const joinsBefore = before !== undefined && before.first + before.count === first;
    const joinsAfter = after !== undefined && first + count === after.first;
    if (joinsBefore) {
      before.count += count + (joinsAfter ? after.count : 0);
      if (joinsAfter) this.#runs.splice(at, 1);
    } else if (joinsAfter) {
      after.first = first;
      after.count += count;
    } else {
      this.#runs.splice(at, 0, { first, count });
    }
  }

  /** Index of the first run that begins behind `number`. */
  #after(number: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle] as Run).first > number) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
