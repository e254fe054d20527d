import type { ErrorCodeName } from './error-codes.ts';
import {
  counterBytes,
  counterCells,
  errorCells,
  gaugeCells,
  gcCells,
  handshakeCells,
} from './counter-layout.ts';
import type { CounterName, GcKind } from './counter-layout.ts';
import { handshakeBuckets, handshakeFailures, handshakePlace } from './handshake-cells.ts';
import type { HandshakeFailure, HandshakeKind } from './handshake-cells.ts';

/** What a worker tells about its event loop. Delays are the time by which timers came late. */
export interface LoopSample {
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
  /** 0 to 1. */
  readonly utilizationRatio: number;
  readonly heapUsedBytes: number;
}

/**
 * What one worker counts beside its routes. The worker is the only writer: plain stores, nothing allocated.
 * A worker that replaces another takes over its memory: totals go on, so sums over workers never fall; gauges start at 0.
 */
export class WorkerCounters {
  readonly #cells: Float64Array;

  /** Throws RangeError when the memory has another size than `counterBytes`. */
  constructor(memory: SharedArrayBuffer) {
    if (memory.byteLength !== counterBytes) {
      throw new RangeError(`Use worker counters: they have ${memory.byteLength} bytes, not ${counterBytes}`);
    }
    this.#cells = new Float64Array(memory);
    this.#cells.fill(0, 0, gaugeCells);
  }

  connectionOpened(): void {
    this.#add(counterCells.connectionsActive, 1);
    this.#add(counterCells.connectionsTotal, 1);
  }

  connectionClosed(): void {
    this.#add(counterCells.connectionsActive, -1);
  }

  requestStarted(): void {
    this.#add(counterCells.requestsActive, 1);
    this.#add(counterCells.requestsTotal, 1);
  }

  requestEnded(): void {
    this.#add(counterCells.requestsActive, -1);
  }

  tunnelOpened(): void {
    this.#add(counterCells.tunnelsActive, 1);
    this.#add(counterCells.tunnelsTotal, 1);
  }

  tunnelClosed(): void {
    this.#add(counterCells.tunnelsActive, -1);
  }

  /** A connection to an endpoint was established. */
  upstreamOpened(): void {
    this.#add(counterCells.upstreamActive, 1);
    this.#add(counterCells.upstreamOpened, 1);
  }

  /** A request took an idle connection. */
  upstreamReused(): void {
    this.#add(counterCells.upstreamReused, 1);
  }

  upstreamClosed(): void {
    this.#add(counterCells.upstreamActive, -1);
  }

  error(code: ErrorCodeName): void {
    this.#add(errorCells.get(code) as number, 1);
  }

  /** A TLS handshake ended well. */
  handshakeDone({ ms, ...kind }: HandshakeKind & { readonly ms: number }): void {
    const seconds = ms / 1000;
    const bucket = handshakeBuckets.findIndex((bound) => seconds <= bound);
    this.#add(handshakeCells.kinds + handshakePlace(kind), 1);
    this.#add(handshakeCells.buckets + (bucket < 0 ? handshakeBuckets.length : bucket), 1);
    this.#add(handshakeCells.secondsSum, seconds);
  }

  handshakeFailed(reason: HandshakeFailure): void {
    this.#add(handshakeCells.failures + handshakeFailures.indexOf(reason), 1);
  }

  logLinesDropped(count: number): void {
    this.#add(counterCells.logLinesDropped, count);
  }

  /** A generation went live here. */
  linked(generation: number, linkMs: number): void {
    this.#cells[counterCells.generation] = generation;
    this.#cells[counterCells.linkSecondsLast] = linkMs / 1000;
    this.#add(counterCells.linksTotal, 1);
    this.#add(counterCells.linkSecondsTotal, linkMs / 1000);
  }

  sampled(sample: LoopSample): void {
    const cells = this.#cells;
    cells[counterCells.loopDelayP50Seconds] = sample.p50Seconds;
    cells[counterCells.loopDelayP99Seconds] = sample.p99Seconds;
    cells[counterCells.loopDelayMaxSeconds] = sample.maxSeconds;
    cells[counterCells.loopUtilizationRatio] = sample.utilizationRatio;
    cells[counterCells.heapUsedBytes] = sample.heapUsedBytes;
  }

  collectedGarbage(kind: GcKind, seconds: number): void {
    const cell = gcCells.get(kind) as number;
    this.#add(cell, seconds);
    this.#add(cell + 1, 1);
  }

  #add(cell: number, value: number): void {
    this.#cells[cell] = (this.#cells[cell] as number) + value;
  }
}

/** Main's view of a worker's counters. */
export class CounterReader {
  readonly #cells: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Float64Array(memory);
  }

  read(name: CounterName): number {
    return this.#cells[counterCells[name]] as number;
  }

  errors(code: ErrorCodeName): number {
    return this.#cells[errorCells.get(code) as number] as number;
  }

  handshakes(kind: HandshakeKind): number {
    return this.#cells[handshakeCells.kinds + handshakePlace(kind)] as number;
  }

  handshakeFailures(reason: HandshakeFailure): number {
    return this.#cells[handshakeCells.failures + handshakeFailures.indexOf(reason)] as number;
  }

  /** Handshakes of each bucket by itself, the last beyond all bounds. */
  handshakeBuckets(): readonly number[] {
    return [...this.#cells.subarray(handshakeCells.buckets, handshakeCells.secondsSum)];
  }

  handshakeSeconds(): number {
    return this.#cells[handshakeCells.secondsSum] as number;
  }

  gcSeconds(kind: GcKind): number {
    return this.#cells[gcCells.get(kind) as number] as number;
  }

  gcCount(kind: GcKind): number {
    return this.#cells[(gcCells.get(kind) as number) + 1] as number;
  }
}

export function createCounterMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(counterBytes);
}
