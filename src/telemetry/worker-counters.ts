import type { ErrorCodeName } from './error-codes.ts';
import {
  counterBytes,
  counterCells,
  errorCells,
  familyStarts,
  gaugeCells,
  gcCells,
  handshakeCells,
} from './counter-layout.ts';
import type { CounterName, GcKind } from './counter-layout.ts';
import { handshakeBuckets, handshakeFailures, handshakePlace } from './handshake-cells.ts';
import type { HandshakeFailure, HandshakeKind } from './handshake-cells.ts';
import { Http2Counters } from './http2-counters.ts';
import {
  clientCertificateResults,
  proxyHeaderFailures,
  proxyHeaderVersions,
  requestVersions,
  tunnelEnds,
  upstreamHandshakeFailures,
} from './protocol-cells.ts';
import type {
  CellFamilyName,
  ClientCertificateResult,
  ProxyHeaderFailure,
  ProxyHeaderVersion,
  RequestVersion,
  TunnelEndReason,
  TunnelKind,
  UpstreamHandshakeFailure,
} from './protocol-cells.ts';

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
  /** Tallies of HTTP/2 connections that clients made, and of ours to endpoints. */
  readonly http2Client: Http2Counters;
  readonly http2Upstream: Http2Counters;
  readonly #cells: Float64Array;

  /** Throws RangeError when the memory has another size than `counterBytes`. */
  constructor(memory: SharedArrayBuffer) {
    if (memory.byteLength !== counterBytes) {
      throw new RangeError(`Use worker counters: they have ${memory.byteLength} bytes, not ${counterBytes}`);
    }
    this.#cells = new Float64Array(memory);
    this.#cells.fill(0, 0, gaugeCells);
    this.http2Client = new Http2Counters(this.#cells, 'client');
    this.http2Upstream = new Http2Counters(this.#cells, 'upstream');
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

  /** The head of a request was read. */
  requestVersion(version: RequestVersion): void {
    this.#add(familyStarts.requestVersions + requestVersions.indexOf(version), 1);
  }

  tunnelOpened(kind: TunnelKind): void {
    const isConnect = kind === 'connect';
    this.#add(isConnect ? counterCells.connectTunnelsActive : counterCells.tunnelsActive, 1);
    this.#add(isConnect ? counterCells.connectTunnelsTotal : counterCells.tunnelsTotal, 1);
  }

  /** `kind`: as it was opened. */
  tunnelClosed(kind: TunnelKind, reason: TunnelEndReason): void {
    this.#add(kind === 'connect' ? counterCells.connectTunnelsActive : counterCells.tunnelsActive, -1);
    this.#add(familyStarts.tunnelsClosed + tunnelEnds.indexOf(reason), 1);
  }

  /** A connection began with a PROXY protocol header that was taken. */
  proxyHeader(version: ProxyHeaderVersion): void {
    this.#add(familyStarts.proxyHeaders + proxyHeaderVersions.indexOf(version), 1);
  }

  /** A connection was closed for want of one. */
  proxyHeaderFailed(reason: ProxyHeaderFailure): void {
    this.#add(familyStarts.proxyHeaderFailures + proxyHeaderFailures.indexOf(reason), 1);
  }

  /** A handshake in which a certificate of the client was asked for has ended. */
  clientCertificate(result: ClientCertificateResult): void {
    this.#add(familyStarts.clientCertificates + clientCertificateResults.indexOf(result), 1);
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

  /** A TLS handshake with an endpoint ended well. */
  upstreamHandshakeDone(isResumed: boolean): void {
    this.#add(familyStarts.upstreamHandshakes + (isResumed ? 1 : 0), 1);
  }

  upstreamHandshakeFailed(reason: UpstreamHandshakeFailure): void {
    this.#add(familyStarts.upstreamHandshakeFailures + upstreamHandshakeFailures.indexOf(reason), 1);
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

  /** The cell of one series of a family: its place in `seriesOf`. */
  family(name: CellFamilyName, place: number): number {
    return this.#cells[familyStarts[name] + place] as number;
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
