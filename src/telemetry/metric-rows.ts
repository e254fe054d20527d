import type { RouteMetrics } from './route-metrics.ts';
import {
  cellsPerRow,
  latencyBucketsSeconds,
  methodLabels,
  rowCells,
  rowsPerSegment,
  statusClasses,
  statusLabels,
} from './row-layout.ts';

// The worker's side of the per-route metrics. In: finished exchanges. Out: plain stores into memory that main sums up
// at scrape time. A worker is the only writer of its segments, so there is nothing to lock and nothing is atomic:
// a scrape may see an exchange half counted, and sees the rest the next time. Imports nothing outside telemetry.

/** Rows [index × rowsPerSegment, …) of one worker's metric memory. */
export interface RowSegment {
  readonly index: number;
  readonly memory: SharedArrayBuffer;
}

/** Rows point here rather than at the array, so that the segment's memory can be put in place later. */
interface Cells {
  array: Float64Array;
}

const cellsPerSegment = rowsPerSegment * cellsPerRow;

/** All metric rows of one worker. */
export class MetricRows {
  readonly #segments: (Cells | undefined)[] = [];

  constructor() {
    // Connections can be refused before the first table brings shared memory: segment 0 starts out private.
    this.#segments[0] = { array: new Float64Array(cellsPerSegment) };
  }

  /** Adds memory that main has allocated. What was counted in segment 0 before is carried over. */
  addSegment(segment: RowSegment): void {
    const array = new Float64Array(segment.memory);
    if (array.length !== cellsPerSegment) {
      throw new RangeError(
        `Add metric segment ${segment.index}: it has ${array.length} cells, not ${cellsPerSegment}`,
      );
    }
    const known = this.#segments[segment.index];
    if (known === undefined) {
      this.#segments[segment.index] = { array };
      return;
    }
    if (known.array.buffer instanceof SharedArrayBuffer) return;
    known.array.forEach((value, cell) => {
      if (value !== 0) array[cell] = (array[cell] as number) + value;
    });
    known.array = array;
  }

  /** The row of that index; throws RangeError when its segment was never added. */
  row(index: number): RouteMetrics {
    const segment = this.#segments[Math.floor(index / rowsPerSegment)];
    if (segment === undefined) throw new RangeError(`Use metric row ${index}: its segment was never added`);
    return new MetricRow(segment, (index % rowsPerSegment) * cellsPerRow);
  }
}

class MetricRow implements RouteMetrics {
  readonly #cells: Cells;
  readonly #base: number;

  constructor(cells: Cells, base: number) {
    this.#cells = cells;
    this.#base = base;
  }

  // oxlint-disable-next-line max-params -- plain numbers, so that a request allocates nothing
  record(
    method: string,
    status: number,
    durationMs: number,
    upstreamMs: number,
    requestBytes: number,
    responseBytes: number,
  ): void {
    const cells = this.#cells.array;
    const base = this.#base;
    const code = status > 99 && status < 600 ? status : strayStatus(status);
    const statusClass = ((code / 100) | 0) - 1;
    add(cells, base + rowCells.requests + methodIndex(method) * statusClasses.length + statusClass, 1);
    add(cells, base + rowCells.statuses + (statusIndexes[code] as number), 1);
    observe(cells, base + rowCells.duration, durationMs);
    if (upstreamMs >= 0) observe(cells, base + rowCells.upstream, upstreamMs);
    add(cells, base + rowCells.requestBytes, requestBytes);
    add(cells, base + rowCells.responseBytes, responseBytes);
  }

  retried(): void {
    add(this.#cells.array, this.#base + rowCells.retries, 1);
  }
}

const bucketsMs = latencyBucketsSeconds.map((seconds) => seconds * 1000);

/** Status code → index into `statusLabels`, for codes 100 to 599. */
const statusIndexes = Uint8Array.from({ length: 600 }, (_, code) => {
  const own = (statusLabels as readonly string[]).indexOf(String(code));
  if (own >= 0) return own;
  return statusLabels.length - statusClasses.length + Math.max(0, Math.floor(code / 100) - 1);
});

/** An upstream may invent codes above 599; below 100 stands for a client that got no answer at all. */
function strayStatus(status: number): number {
  return status >= 600 ? 599 : 499;
}

function add(cells: Float64Array, at: number, value: number): void {
  cells[at] = (cells[at] as number) + value;
}

function observe(cells: Float64Array, at: number, ms: number): void {
  let bucket = 0;
  while (bucket < bucketsMs.length && ms > (bucketsMs[bucket] as number)) bucket++;
  add(cells, at + bucket, 1);
  add(cells, at + bucketsMs.length + 1, ms / 1000);
}

// A switch compares interned strings by pointer; a Map would hash on every request.
function methodIndex(method: string): number {
  switch (method) {
    case 'GET':
      return 0;
    case 'HEAD':
      return 1;
    case 'POST':
      return 2;
    case 'PUT':
      return 3;
    case 'DELETE':
      return 4;
    case 'PATCH':
      return 5;
    case 'OPTIONS':
      return 6;
    default:
      return methodLabels.length - 1;
  }
}
