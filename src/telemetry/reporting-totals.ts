/** Where the metrics of reporting come from, read at scrape time. */
export interface ReportingSources {
  readonly isLeader: () => boolean;
  readonly totals: ReportingTotals;
  /** Objects by condition and status. */
  readonly conditions: () => Iterable<{
    readonly kind: string;
    readonly condition: string;
    readonly status: string;
    readonly objects: number;
  }>;
}

/** Counts what was written to a cluster. */
export class ReportingTotals {
  readonly #statusWrites = new Map<
    string,
    { readonly kind: string; readonly result: string; count: number }
  >();
  readonly #events = new Map<string, number>();

  statusWrite(kind: string, result: string): void {
    const known = this.#statusWrites.get(`${kind} ${result}`);
    if (known === undefined) this.#statusWrites.set(`${kind} ${result}`, { kind, result, count: 1 });
    else known.count++;
  }

  event(result: string): void {
    this.#events.set(result, (this.#events.get(result) ?? 0) + 1);
  }

  statusWrites(): Iterable<{ readonly kind: string; readonly result: string; readonly count: number }> {
    return this.#statusWrites.values();
  }

  *events(): Generator<{ readonly result: string; readonly count: number }> {
    for (const [result, count] of this.#events) yield { result, count };
  }
}
