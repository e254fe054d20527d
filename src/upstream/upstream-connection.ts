import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { ChunkedDecoder } from '../http1/chunked-decoder.ts';
import { ResponseHeadParser } from '../http1/response-head-parser.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import type { EndpointPool } from './endpoint-pool.ts';
import type { ResponseSink } from './response-sink.ts';
import { socketErrorCode } from './socket-errors.ts';

/** Informational responses that one exchange may bring before it is refused. */
const MAX_INFORMATIONAL = 8;
const NO_BYTES = Buffer.alloc(0);

type Phase = 'connecting' | 'idle' | 'head' | 'length' | 'chunked' | 'close' | 'done' | 'tunnel' | 'closed';

/**
 * All upstream connections of a thread read into this buffer, one after the other, which spares an allocation a read.
 * So nothing of it may be kept beyond the call that hands it over: sinks write it out or copy it.
 */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Times of one try, ms. */
export interface ExchangeTimeouts {
  readonly connectMs: number;
  readonly sendMs: number;
  readonly readMs: number;
}

/**
 * One TCP connection to an endpoint, with one HTTP/1.1 exchange at a time. It lives across exchanges: `begin` lends it to
 * a sink, the end of the response gives it back to its pool, unless anything makes it unfit for another request.
 */
export class UpstreamConnection implements Expiring {
  deadline = 0;
  sweepIndex = -1;
  /** Exchanges begun, so that age limits can be kept and a reused connection told from a new one. */
  exchanges = 0;
  readonly createdAtMs: number;
  readonly pool: EndpointPool;
  readonly socket: Socket;
  /** How long the upstream says it keeps an idle connection, less a margin; Infinity when it says nothing. */
  peerIdleMs = Infinity;

  /** Set by the tunnel that the connection has become. */
  onTunnelData: (bytes: Buffer) => void = () => undefined;

  readonly #parser: ResponseHeadParser;
  readonly #chunked: ChunkedDecoder;
  #phase: Phase = 'connecting';
  #sink: ResponseSink | undefined;
  #timeouts: ExchangeTimeouts | undefined;
  #method = '';
  #pending: Buffer | undefined;
  #remaining = 0;
  #informational = 0;
  #requestEnded = false;
  #reusable = false;
  #paused = false;
  #receivedBytes = 0;
  #connected = false;
  /** Board slot in which this exchange is counted; -1 outside of exchanges. */
  #countedSlot = -1;

  constructor(pool: EndpointPool, nowMs: number) {
    this.pool = pool;
    this.createdAtMs = nowMs;
    this.#parser = new ResponseHeadParser(pool.context.settings.responseLimits);
    this.#chunked = new ChunkedDecoder(pool.context.settings.trailerLimits);
    const { address, port } = pool.endpoint;
    this.socket = connect({
      host: address,
      port,
      noDelay: true,
      autoSelectFamily: false,
      onread: {
        buffer: readBuffer,
        callback: (bytes) => {
          this.#onData(readBuffer.subarray(0, bytes));
          return true;
        },
      },
    });
    this.socket.on('connect', () => this.#onConnect());
    this.socket.on('end', () => this.#onEnd());
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    this.socket.on('close', () => this.#onClose());
    this.socket.on('drain', () => this.#onDrain());
    pool.context.sweeper.add(this);
  }

  get isReused(): boolean {
    return this.exchanges > 1;
  }

  /** Whether any byte of the current response arrived. */
  get hasResponseBytes(): boolean {
    return this.#receivedBytes > 0;
  }

  get isConnecting(): boolean {
    return this.#phase === 'connecting';
  }

  /** Whether an idle connection may be lent again. */
  isFit(now: number): boolean {
    const { maxLifetimeMs } = this.pool.context.settings.upstream;
    return (
      this.#phase === 'idle' &&
      this.deadline > now &&
      now - this.createdAtMs < maxLifetimeMs &&
      this.socket.writable
    );
  }

  /** Lends the connection to a sink for one exchange. A connection that is still connecting tells the sink when it is up. */
  begin(sink: ResponseSink, method: string, timeouts: ExchangeTimeouts): void {
    this.exchanges++;
    this.#countedSlot = this.pool.slot;
    this.pool.context.board.begin(this.#countedSlot);
    this.#sink = sink;
    this.#method = method;
    this.#timeouts = timeouts;
    this.#informational = 0;
    this.#requestEnded = false;
    this.#reusable = false;
    this.#receivedBytes = 0;
    this.#parser.reset();
    if (this.#phase === 'connecting') {
      this.deadline = this.#in(timeouts.connectMs);
      return;
    }
    this.#phase = 'head';
    this.deadline = this.#in(timeouts.readMs);
  }

  /** Request bytes are being sent: the upstream's time to answer starts anew. */
  touch(): void {
    if (this.#phase === 'head' && this.#timeouts !== undefined)
      this.deadline = this.#in(this.#timeouts.readMs);
  }

  /** The request is complete. */
  endRequest(): void {
    this.#requestEnded = true;
    this.touch();
  }

  /** The sink cannot take more of the response now. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.deadline = 0;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#timeouts !== undefined) this.deadline = this.#in(this.#timeouts.readMs);
    this.socket.resume();
  }

  /** Ends the connection at once; the sink hears nothing more. */
  destroy(): void {
    this.#detach();
    this.#close();
  }

  onDeadline(): void {
    switch (this.#phase) {
      case 'idle':
      case 'done':
      case 'closed':
        if (this.#phase === 'idle') this.pool.forget(this);
        this.destroy();
        return;
      case 'connecting':
        this.#fail('SP_UPSTREAM_CONNECT_TIMEOUT', 'connect timed out');
        return;
      case 'tunnel':
        return;
      default:
        if (!this.#requestEnded && this.socket.writableNeedDrain && this.#timeouts !== undefined) {
          this.#fail('SP_UPSTREAM_TIMEOUT', 'request body not taken in time');
          return;
        }
        // The client is still sending: its own limits hold, the upstream owes nothing yet.
        if (!this.#requestEnded && this.#phase === 'head' && this.#timeouts !== undefined) {
          this.deadline = this.#in(this.#timeouts.readMs);
          return;
        }
        this.#fail(
          'SP_UPSTREAM_TIMEOUT',
          this.#receivedBytes === 0 ? 'no response in time' : 'response stalled',
        );
    }
  }

  #in(ms: number): number {
    return this.pool.context.sweeper.after(ms);
  }

  /** Takes the sink off: the exchange is over, whatever its end. */
  #detach(): ResponseSink | undefined {
    const sink = this.#sink;
    this.#sink = undefined;
    this.pool.context.board.end(this.#countedSlot);
    this.#countedSlot = -1;
    return sink;
  }

  #onConnect(): void {
    this.#connected = true;
    this.pool.context.sweeper.turn();
    this.pool.context.counters.upstreamOpened();
    const sink = this.#sink;
    if (sink === undefined) {
      this.#close();
      return;
    }
    this.#phase = 'head';
    this.deadline = this.#in(this.#timeouts?.readMs ?? 0);
    sink.onUpstreamConnected(this);
  }

  #onDrain(): void {
    this.touch();
    this.#sink?.onUpstreamDrain();
  }

  #onData(chunk: Buffer): void {
    this.pool.context.sweeper.turn();
    if (this.#phase === 'idle' || this.#phase === 'connecting') {
      // Nobody asked: whatever this is, it must not become the answer to the next request.
      this.pool.forget(this);
      this.destroy();
      return;
    }
    if (this.#phase === 'tunnel') {
      this.onTunnelData(Buffer.from(chunk));
      return;
    }
    if (this.#phase === 'closed' || this.#phase === 'done') return;
    this.#receivedBytes += chunk.length;
    if (!this.#paused && this.#timeouts !== undefined) this.deadline = this.#in(this.#timeouts.readMs);
    const buffer = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = undefined;
    this.#consume(buffer);
  }

  #consume(buffer: Buffer): void {
    let position = 0;
    while (this.#phase === 'head' && position < buffer.length) {
      const next = this.#readHead(buffer, position);
      if (next <= position) return;
      position = next;
    }
    position = this.#readBody(buffer, position);
    if (this.#phase === 'done') this.#finish(position < buffer.length);
    else if (this.#sink !== undefined && !this.#sink.onResponseFlush()) this.pause();
  }

  /** Returns the offset behind the head, or anything not beyond `position` when there is none (yet). */
  #readHead(buffer: Buffer, position: number): number {
    const next = this.#parser.parse(buffer, position, buffer.length, this.#method);
    if (next === 0) {
      // What was read does not outlive this call; see the read buffer.
      this.#pending = Buffer.from(buffer.subarray(position));
      return 0;
    }
    if (next < 0) {
      this.#fail(this.#parser.fault?.code ?? 'SP_UPSTREAM_PROTOCOL', this.#parser.fault?.reason ?? '');
      return -1;
    }
    const { head } = this.#parser;
    if (head.status < 200) return this.#readInformational(buffer, next);
    this.#reusable = head.keepAlive;
    this.#remaining = head.contentLength;
    const { framing } = head;
    this.#phase = framing === 'none' || (framing === 'length' && head.contentLength === 0) ? 'done' : framing;
    if (framing === 'chunked') this.#chunked.reset();
    this.peerIdleMs = peerIdleTimeoutMs(head.headers.get('keep-alive'));
    this.#sink?.onResponseHead(head);
    return this.#sink === undefined ? -1 : next;
  }

  #readInformational(buffer: Buffer, next: number): number {
    const { head } = this.#parser;
    if (head.status === 101) {
      const sink = this.#sink;
      this.#phase = 'tunnel';
      this.deadline = 0;
      sink?.onUpgraded(head, this, next < buffer.length ? Buffer.from(buffer.subarray(next)) : NO_BYTES);
      return -1;
    }
    if (++this.#informational > MAX_INFORMATIONAL) {
      this.#fail('SP_UPSTREAM_PROTOCOL', 'too many informational responses');
      return -1;
    }
    this.#sink?.onInformational(head);
    this.#parser.reset();
    return this.#sink === undefined ? -1 : next;
  }

  #readBody(buffer: Buffer, start: number): number {
    switch (this.#phase) {
      case 'length': {
        const end = Math.min(buffer.length, start + this.#remaining);
        if (end > start) {
          this.#remaining -= end - start;
          if (this.#remaining === 0) this.#phase = 'done';
          this.#deliver(buffer, start, end);
        }
        return end;
      }
      case 'close':
        if (buffer.length > start) this.#deliver(buffer, start, buffer.length);
        return buffer.length;
      case 'chunked':
        return this.#readChunks(buffer, start);
      default:
        return start;
    }
  }

  #readChunks(buffer: Buffer, start: number): number {
    const decoder = this.#chunked;
    let position = start;
    while (this.#phase === 'chunked' && position < buffer.length) {
      position = decoder.read(buffer, position, buffer.length);
      switch (decoder.event) {
        case 'data':
          this.#deliver(buffer, decoder.dataStart, decoder.dataEnd);
          break;
        case 'end':
          this.#phase = 'done';
          break;
        case 'fault':
          this.#fail('SP_UPSTREAM_PROTOCOL', decoder.fault?.reason ?? '');
          break;
        default:
          return position;
      }
    }
    return position;
  }

  #deliver(buffer: Buffer, start: number, end: number): void {
    this.#sink?.onResponseData(buffer, start, end);
  }

  /** The response is complete. The connection is kept only when nothing about the exchange is in doubt. */
  #finish(extraBytes: boolean): void {
    const trailers = this.#parser.head.framing === 'chunked' ? this.#chunked.trailers : undefined;
    const sink = this.#detach();
    this.deadline = 0;
    if (this.#paused) {
      this.#paused = false;
      this.socket.resume();
    }
    const clean = this.#reusable && this.#requestEnded && !extraBytes && !this.socket.writableNeedDrain;
    if (clean && this.pool.release(this)) this.#phase = 'idle';
    sink?.onResponseEnd(trailers);
    if (this.#phase !== 'idle' && this.#phase !== 'head') this.#close();
  }

  #onEnd(): void {
    this.pool.context.sweeper.turn();
    if (this.#phase === 'close') {
      this.#phase = 'done';
      this.#reusable = false;
      this.#finish(false);
      return;
    }
    if (this.#phase === 'idle') this.pool.forget(this);
    if (this.#phase === 'tunnel') return;
    this.#fail(this.#lostCode(), 'connection closed by the upstream');
  }

  #onError(error: NodeJS.ErrnoException): void {
    this.pool.context.sweeper.turn();
    if (this.#phase === 'idle') this.pool.forget(this);
    if (this.#phase === 'tunnel') return;
    const connected = this.#phase !== 'connecting';
    const code = connected ? this.#lostCode() : socketErrorCode(error.code, false);
    this.#fail(code, error.code ?? error.message);
  }

  #lostCode(): ErrorCodeName {
    const inBody = this.#phase === 'length' || this.#phase === 'chunked' || this.#phase === 'close';
    return inBody ? 'SP_UPSTREAM_TRUNCATED' : 'SP_UPSTREAM_RESET';
  }

  #onClose(): void {
    if (this.#phase === 'idle') this.pool.forget(this);
    if (this.#phase === 'tunnel') this.#detach();
    else this.#fail(this.#lostCode(), 'connection closed');
    this.#phase = 'closed';
    this.pool.context.sweeper.remove(this);
    this.pool.closed(this.#connected);
  }

  #fail(code: ErrorCodeName, detail: string): void {
    const sink = this.#detach();
    this.#close();
    sink?.onUpstreamFailed(code, detail);
  }

  #close(): void {
    if (this.#phase !== 'tunnel') this.#phase = 'closed';
    this.deadline = 0;
    this.socket.destroy();
  }
}

/** Reads `timeout=N` (seconds) of a Keep-Alive field and leaves a margin, so that the upstream never closes under a request. */
function peerIdleTimeoutMs(keepAlive: string | undefined): number {
  if (keepAlive === undefined) return Infinity;
  const at = keepAlive.indexOf('timeout=');
  if (at < 0) return Infinity;
  const seconds = Number.parseInt(keepAlive.slice(at + 'timeout='.length), 10);
  return seconds > 0 ? Math.max(seconds * 1000 - 1000, seconds * 500) : Infinity;
}
