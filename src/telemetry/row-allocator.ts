import { FreeRuns } from './free-runs.ts';
import type { RowSegment } from './metric-rows.ts';
import { noRouteLabels, otherLabels, rowLabels } from './route-labels.ts';
import type { MeasuredRoute } from './route-labels.ts';
import { firstRouteRow, noRouteRow, otherRow, otherRows } from './row-layout.ts';
import { RowMemory } from './row-memory.ts';

// Main's side of the per-route metrics: which rows of shared memory belong to which route. In: the routes that each
// publication sets and removes, acknowledged generations, scrapes. Out: row numbers and memory for workers, labelled
// rows for the scrape. A route keeps its rows while its id and labels stay, whatever else about it changes.

/** Rows [first, …) with their label texts. Rows of equal labels are one series: their sum. */
export interface LabelledRows {
  readonly first: number;
  readonly labels: readonly string[];
}

/** Rows whose labels no published route has any more. They go through three steps before they are used again. */
interface RetiredRows extends LabelledRows {
  /** The generation that did without them. */
  readonly generation: number;
  /** When every worker had that generation; undefined before. */
  quietSinceMs: number | undefined;
  /** A scrape has shown the last values. */
  shown: boolean;
}

export interface RowAllocatorOptions {
  readonly workers: number;
  /** Rows for routes. Default 10,000. */
  readonly maxRoutes?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

const defaultMaxRoutes = 10_000;
/** A request keeps the table that it began with, so it may count some time after the last worker has moved on. */
const restMs = 60_000;
/** Without a scrape in this time nobody is interested in the last values. */
const unscrapedMs = 15 * 60_000;

export class RowAllocator {
  readonly #memory: RowMemory;
  readonly #free: FreeRuns;
  readonly #now: () => number;
  readonly #live = new Map<string, LabelledRows>();
  readonly #overflowing = new Set<string>();
  /** By their labels, which begin with the route's id. */
  readonly #retired = new Map<string, RetiredRows>();
  #droppedRows = 0;

  constructor(options: RowAllocatorOptions) {
    this.#memory = new RowMemory(options.workers);
    this.#memory.reach(firstRouteRow);
    this.#free = new FreeRuns(firstRouteRow, firstRouteRow + (options.maxRoutes ?? defaultMaxRoutes));
    this.#now = options.now ?? ((): number => performance.now());
  }

  /** Rows that were refused because of the cap, since the start. */
  get droppedRows(): number {
    return this.#droppedRows;
  }

  get segmentCount(): number {
    return this.#memory.segmentCount;
  }

  /**
   * Gives rows to the routes that a publication sets and retires those of the routes that it removes.
   * Returns the first row of every route in `set`; a route beyond the cap gets the rows that all such share.
   */
  publish(
    generation: number,
    set: readonly MeasuredRoute[],
    removed: readonly string[],
  ): ReadonlyMap<string, number> {
    this.#release();
    for (const id of removed) this.#retire(id, generation);
    return new Map(set.map((route) => [route.id, this.#assign(route, generation)]));
  }

  /** First row of a published route, for sending the whole table again. */
  rowOf(id: string): number | undefined {
    return this.#live.get(id)?.first ?? (this.#overflowing.has(id) ? otherRow : undefined);
  }

  /**
   * A worker's memory from segment `from` on. A worker that takes another's place gets the same memory, from 0,
   * after the other has ended: so totals go on, and no sum over the workers ever falls.
   */
  segments(worker: number, from = 0): readonly RowSegment[] {
    return this.#memory.segments(worker, from);
  }

  /** Every worker serves this generation or a later one. */
  acknowledged(generation: number): void {
    for (const rows of this.#retired.values()) {
      if (rows.generation <= generation) rows.quietSinceMs ??= this.#now();
    }
  }

  /** Everything that a scrape shows. No two of them have labels in common. */
  rows(): readonly LabelledRows[] {
    const last = [...this.#retired.values()].filter((rows) => !rows.shown);
    return [noRoute, overflow, ...this.#live.values(), ...last];
  }

  /** Adds cells of one row from offset `from` on, as many as `sums` has, summed over the workers. */
  addCells(row: number, from: number, sums: Float64Array): void {
    this.#memory.addCells(row, from, sums);
  }

  /** Marks the start of a scrape; call what it returns when all rows have been shown. */
  beginScrape(): () => void {
    const quiet = [...this.#retired.values()].filter((rows) => rows.quietSinceMs !== undefined);
    return () => {
      for (const rows of quiet) rows.shown = true;
    };
  }

  #assign(route: MeasuredRoute, generation: number): number {
    const labels = rowLabels(route);
    const known = this.#live.get(route.id);
    if (known !== undefined && sameLabels(known.labels, labels)) return known.first;
    if (known !== undefined) this.#retire(route.id, generation);
    const first = this.#revive(labels) ?? this.#free.take(labels.length);
    if (first === undefined) {
      this.#droppedRows += labels.length;
      this.#overflowing.add(route.id);
      return otherRow;
    }
    this.#overflowing.delete(route.id);
    this.#memory.reach(first + labels.length);
    this.#live.set(route.id, { first, labels });
    return first;
  }

  #retire(id: string, generation: number): void {
    this.#overflowing.delete(id);
    const rows = this.#live.get(id);
    if (rows === undefined) return;
    this.#live.delete(id);
    this.#retired.set(keyOf(rows.labels), { ...rows, generation, quietSinceMs: undefined, shown: false });
  }

  /** A route that comes back counts on where it was, rather than as a second series of the same name. */
  #revive(labels: readonly string[]): number | undefined {
    const key = keyOf(labels);
    const rows = this.#retired.get(key);
    this.#retired.delete(key);
    return rows?.first;
  }

  #release(): void {
    const now = this.#now();
    for (const [key, rows] of this.#retired) {
      const { quietSinceMs } = rows;
      if (quietSinceMs === undefined || now - quietSinceMs < (rows.shown ? restMs : unscrapedMs)) continue;
      const { length } = rows.labels;
      for (let row = rows.first; row < rows.first + length; row++) this.#memory.clearRow(row);
      this.#free.give(rows.first, length);
      this.#retired.delete(key);
    }
  }
}

const noRoute: LabelledRows = { first: noRouteRow, labels: [noRouteLabels] };
const overflow: LabelledRows = {
  first: otherRow,
  labels: Array.from({ length: otherRows }, () => otherLabels),
};

function keyOf(labels: readonly string[]): string {
  return labels.join('\n');
}

function sameLabels(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, row) => text === right[row]);
}
