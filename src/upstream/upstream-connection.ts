import { connect } from 'node:net';
import type { Socket } from 'node:net';

import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import type { EndpointPool } from './endpoint-pool.ts';
import { ReadBuffer, SMALL_BYTES } from './read-buffer.ts';
import { ResponseReader } from './response-reader.ts';
import type { ResponseSink } from './response-sink.ts';
import { socketErrorCode } from './socket-errors.ts';

const NO_BYTES = Buffer.alloc(0);

/** `idle` waits in its pool; `busy` has an exchange; `tunnel` belongs to whoever took it over; `closed` is final. */
type Phase = 'connecting' | 'idle' | 'busy' | 'tunnel' | 'closed';

/** Times of one try, ms. */
export interface ExchangeTimeouts {
  readonly connectMs: number;
  readonly sendMs: number;
  readonly readMs: number;
}

const noTimeouts: ExchangeTimeouts = { connectMs: 0, sendMs: 0, readMs: 0 };

/**
 * One TCP connection to an endpoint, with one HTTP/1.1 exchange at a time. It lives across exchanges: `begin` lends it to
 * a sink, the end of the response gives it back to its pool, unless anything makes it unfit for another request.
 */
export class UpstreamConnection implements Expiring {
  deadline = 0;
  sweepIndex = -1;
  /** Exchanges begun, so that age limits can be kept and a reused connection told from a new one. */
  exchanges = 0;
  /** How long the upstream says it keeps an idle connection, less a margin; Infinity when it says nothing. */
  peerIdleMs = Infinity;
  /** Set by the tunnel that the connection has become. */
  onTunnelData: (bytes: Buffer) => void = () => undefined;
  readonly createdAtMs: number;
  readonly pool: EndpointPool;
  readonly socket: Socket;

  readonly #reader: ResponseReader;
  readonly #reads = new ReadBuffer();
  #phase: Phase = 'connecting';
  #sink: ResponseSink | undefined;
  #timeouts = noTimeouts;
  #requestEnded = false;
  #paused = false;
  /** The last read filled its buffer: more is probably waiting. */
  #filled = false;
  #receivedBytes = 0;
  #connected = false;
  /** Board slot in which this exchange is counted; -1 outside of exchanges. */
  #countedSlot = -1;

  constructor(pool: EndpointPool, nowMs: number) {
    this.pool = pool;
    this.createdAtMs = nowMs;
    this.#reader = new ResponseReader(pool.context.settings);
    const { address, port } = pool.endpoint;
    this.socket = connect({
      host: address,
      port,
      noDelay: true,
      autoSelectFamily: false,
      onread: { buffer: () => this.#nextBuffer(), callback: (bytes) => this.#onRead(bytes) },
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
    const { maxLifetimeMs } = this.pool.context.limits;
    const isFresh = this.deadline > now && now - this.createdAtMs < maxLifetimeMs;
    return this.#phase === 'idle' && isFresh && this.socket.writable;
  }

  /** Lends the connection to a sink for one exchange, which its pool has counted. A connection that is still connecting tells the sink when it is up. */
  begin(sink: ResponseSink, method: string, timeouts: ExchangeTimeouts): void {
    this.exchanges++;
    this.#countedSlot = this.pool.slot;
    this.#sink = sink;
    this.#timeouts = timeouts;
    this.#requestEnded = false;
    this.#receivedBytes = 0;
    this.#reader.begin(method);
    if (this.#phase === 'connecting') {
      this.deadline = this.#in(timeouts.connectMs);
      return;
    }
    this.#phase = 'busy';
    this.deadline = this.#in(timeouts.readMs);
  }

  /** Request bytes are being sent: the time for taking them, or at their end for answering, starts anew. */
  touch(): void {
    if (this.#phase !== 'busy' || this.#receivedBytes > 0) return;
    this.deadline = this.#in(this.#requestEnded ? this.#timeouts.readMs : this.#timeouts.sendMs);
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
    this.deadline = this.#in(this.#timeouts.readMs);
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
        this.pool.forget(this);
        this.destroy();
        return;
      case 'connecting':
        this.#fail('SP_UPSTREAM_CONNECT_TIMEOUT', 'connect timed out');
        return;
      case 'busy':
        this.#onExchangeDeadline();
        return;
      default:
    }
  }

  #onExchangeDeadline(): void {
    if (!this.#requestEnded && this.socket.writableNeedDrain) {
      this.#fail('SP_UPSTREAM_TIMEOUT', 'request body not taken in time');
    } else if (!this.#requestEnded && this.#receivedBytes === 0) {
      // The client is still sending: its own limits hold, the upstream owes nothing yet.
      this.deadline = this.#in(this.#timeouts.readMs);
    } else {
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
    const { counters, sweeper } = this.pool.context;
    sweeper.turn();
    this.#connected = true;
    counters.upstreamOpened();
    if (this.#sink === undefined) {
      this.#close();
      return;
    }
    this.#phase = 'busy';
    this.deadline = this.#in(this.#timeouts.readMs);
    this.#sink.onUpstreamConnected(this);
  }

  #onDrain(): void {
    this.touch();
    this.#sink?.onUpstreamDrain();
  }

  /** Where the next read goes: a body that is known or seen to be long gets a large buffer. */
  #nextBuffer(): Buffer {
    if (this.#phase !== 'busy') return this.#reads.fit(false);
    const expected = this.#reader.expectedBytes;
    const isLong = expected === Infinity ? this.#filled || this.#reads.isLarge : expected > SMALL_BYTES;
    return this.#reads.fit(isLong);
  }

  #onRead(bytes: number): boolean {
    const buffer = this.#reads.current;
    this.#filled = bytes === buffer.length;
    this.pool.context.sweeper.turn();
    if (this.#phase === 'tunnel') {
      this.onTunnelData(Buffer.from(buffer.subarray(0, bytes)));
      return true;
    }
    const sink = this.#sink;
    if (this.#phase !== 'busy' || sink === undefined) {
      // Nobody asked: whatever this is, it must not become the answer to the next request.
      this.pool.forget(this);
      this.destroy();
      return true;
    }
    this.#receive(buffer, bytes, sink);
    if (sink.hasPendingOutput) this.#reads.donate();
    return true;
  }

  #receive(buffer: Buffer, bytes: number, sink: ResponseSink): void {
    this.#receivedBytes += bytes;
    if (!this.#paused) this.deadline = this.#in(this.#timeouts.readMs);
    const outcome = this.#reader.read(buffer, bytes, sink);
    // The sink may have given the exchange up meanwhile.
    if (this.#sink !== sink) return;
    switch (outcome) {
      case 'more':
        if (!sink.onResponseFlush()) this.pause();
        return;
      case 'complete':
        this.#finish(this.#reader.rest !== undefined);
        return;
      case 'switched':
        this.#switch(sink);
        return;
      default:
        this.#fail('SP_UPSTREAM_PROTOCOL', this.#reader.problem);
    }
  }

  #switch(sink: ResponseSink): void {
    const { head, rest } = this.#reader;
    this.#phase = 'tunnel';
    this.deadline = 0;
    sink.onUpgraded(head, this, rest ?? NO_BYTES);
  }

  /** The response is complete. The connection is kept only when nothing about the exchange is in doubt. */
  #finish(extraBytes: boolean): void {
    const { trailers, reusable, peerIdleMs } = this.#reader;
    const sink = this.#detach();
    this.deadline = 0;
    this.peerIdleMs = peerIdleMs;
    if (this.#paused) {
      this.#paused = false;
      this.socket.resume();
    }
    const clean = reusable && this.#requestEnded && !extraBytes && !this.socket.writableNeedDrain;
    // Before the sink is told: its next request may take this connection at once.
    this.#phase = 'idle';
    const kept = clean && this.pool.release(this);
    if (!kept) this.#close();
    sink?.onResponseEnd(trailers);
  }

  #onEnd(): void {
    this.pool.context.sweeper.turn();
    if (this.#phase === 'busy' && this.#reader.endsWithConnection) {
      this.#reader.reusable = false;
      this.#finish(false);
      return;
    }
    this.#onLost('connection closed by the upstream');
  }

  #onError(error: NodeJS.ErrnoException): void {
    this.pool.context.sweeper.turn();
    if (this.#phase === 'connecting')
      this.#fail(socketErrorCode(error.code, false), error.code ?? error.message);
    else this.#onLost(error.code ?? error.message);
  }

  #onLost(detail: string): void {
    if (this.#phase === 'idle') this.pool.forget(this);
    if (this.#phase === 'tunnel') return;
    this.#fail(this.#reader.isInBody ? 'SP_UPSTREAM_TRUNCATED' : 'SP_UPSTREAM_RESET', detail);
  }

  #onClose(): void {
    if (this.#phase === 'tunnel') this.#detach();
    else this.#onLost('connection closed');
    this.#phase = 'closed';
    this.#reads.fit(false);
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
