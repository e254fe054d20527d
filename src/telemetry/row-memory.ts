import type { RowSegment } from './metric-rows.ts';
import { cellsPerRow, rowsPerSegment, segmentBytes } from './row-layout.ts';

/** All workers' metric rows as main sees them: it reads, and zeroes rows that no worker writes any more. */
export class RowMemory {
  readonly #workers: number;
  /** By segment, then by worker. */
  readonly #segments: Float64Array[][] = [];

  constructor(workers: number) {
    this.#workers = workers;
  }

  /** Makes sure that rows below `limit` exist. */
  reach(limit: number): void {
    while (this.#segments.length * rowsPerSegment < limit) {
      this.#segments.push(
        Array.from({ length: this.#workers }, () => new Float64Array(new SharedArrayBuffer(segmentBytes))),
      );
    }
  }

  get segmentCount(): number {
    return this.#segments.length;
  }

  segments(worker: number, from: number): readonly RowSegment[] {
    return this.#segments.slice(from).map((views, place) => ({
      index: from + place,
      memory: (views[worker] as Float64Array).buffer as SharedArrayBuffer,
    }));
  }

  /** Adds cells of one row from offset `from` on, as many as `sums` has, summed over the workers. */
  addCells(row: number, from: number, sums: Float64Array): void {
    const start = (row % rowsPerSegment) * cellsPerRow + from;
    for (const view of this.#segments[Math.floor(row / rowsPerSegment)] ?? []) {
      for (let cell = 0; cell < sums.length; cell++) {
        sums[cell] = (sums[cell] as number) + (view[start + cell] as number);
      }
    }
  }

  clearRow(row: number): void {
    const start = (row % rowsPerSegment) * cellsPerRow;
    for (const view of this.#segments[Math.floor(row / rowsPerSegment)] ?? []) {
      view.fill(0, start, start + cellsPerRow);
    }
  }
}
