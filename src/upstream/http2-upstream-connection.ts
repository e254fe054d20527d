import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import { Http2Connection } from '../http2/http2-connection.ts';
import type { Http2Events } from '../http2/http2-events.ts';
import type { FieldSource, Http2Stream, StreamHandler } from '../http2/http2-stream.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import type { Dial } from './dial.ts';
import type { EndpointPool } from './endpoint-pool.ts';
import { Http2Exchange } from './http2-exchange.ts';
import { upstreamLimits } from './http2-limits.ts';
import type { Line, LineUser } from './line.ts';
import { PingWatch } from './ping-watch.ts';
import type { Candidacy } from './pending-exchange.ts';
import { tlsFaultText } from './tls-fault-text.ts';

const nobody: StreamHandler = {
  response: () => undefined,
  data: () => undefined,
  end: () => undefined,
  reset: () => undefined,
  writable: () => undefined,
};

/**
 * One connection of HTTP/2 to an endpoint, and the exchanges on it. What all of them have to send leaves once per turn of
 * the event loop. Requests come only once the endpoint has said what it allows, so none is refused for want of room.
 */
export class Http2UpstreamConnection implements LineUser, Http2Events, Expiring {
  deadline = 0;
  sweepIndex = -1;
  readonly pool: EndpointPool;
  readonly createdAtMs: number;
  readonly scheme: 'http' | 'https';
  /** Why it is over, where that is known. */
  lostDetail = 'connection closed by the endpoint';
  lostCode: ErrorCodeName = 'SP_UPSTREAM_RESET';

  readonly #line: Line;
  readonly #socket: Socket;
  readonly #codec: Http2Connection;
  readonly #pings: PingWatch;
  /** Exchanges that were told something since the last read began. */
  #touched: Http2Exchange[] = [];
  /** The attempt that it comes from, until the endpoint's SETTINGS. */
  #dial: Dial | undefined;
  #opened = 0;
  #isRetired = false;
  #isClosed = false;
  #hasHeard = false;
  #isReceiving = false;
  #isFlushDue = false;
  #isBlocked = false;
  #isReading = true;
  #filled = false;
  readonly #flushNow = (): void => this.#flush();

  constructor(pool: EndpointPool, dial: Dial) {
    const { sweeper, counters, settings } = pool.context;
    this.pool = pool;
    this.#dial = dial;
    this.#line = dial.line;
    this.#socket = dial.line.socket;
    this.scheme = this.#socket instanceof TLSSocket ? 'https' : 'http';
    this.createdAtMs = sweeper.sweptAt;
    this.#pings = new PingWatch(sweeper);
    const options = {
      role: 'client',
      limits: upstreamLimits(settings),
      tally: counters.http2Upstream,
      now: () => sweeper.now(),
    } as const;
    this.#codec = new Http2Connection(options, this);
    dial.line.user = this;
    sweeper.add(this);
    this.#codec.start();
  }

  /** How many more exchanges may be opened now. */
  get room(): number {
    return this.#isRetired || this.#isClosed ? 0 : this.#codec.room;
  }

  get isLost(): boolean {
    return this.#isClosed;
  }

  get canTunnel(): boolean {
    return this.#codec.peer.enableConnectProtocol;
  }

  /** Begins an exchange for a request that its pool has counted. Only while there is room. */
  open(candidacy: Candidacy): Http2Exchange {
    this.#opened++;
    const { limits, sweeper } = this.pool.context;
    if (this.#codec.openStreams === 0) this.#pings.begin();
    const isOld = sweeper.sweptAt - this.createdAtMs >= limits.maxLifetimeMs;
    const exchange = new Http2Exchange(this, candidacy);
    if (isOld || this.#opened >= limits.maxRequestsPerConnection) this.#takeNoMore();
    this.deadline = this.#pings.deadline;
    return exchange;
  }

  /** Of exchanges: the head. */
  openStream(fields: FieldSource, endStream: boolean, handler: StreamHandler): Http2Stream | undefined {
    return this.#codec.open(fields, endStream, handler);
  }

  /** Of exchanges: told something that waits for the end of this read. */
  touched(exchange: Http2Exchange): void {
    this.#touched.push(exchange);
    if (!this.#isReceiving) this.wake();
  }

  /** Of exchanges: one is over. */
  ended(): void {
    if (this.#codec.openStreams > 0 || this.#isClosed) return;
    const { limits, sweeper } = this.pool.context;
    if (this.#isRetired || limits.maxIdle === 0) this.#close();
    else this.deadline = sweeper.after(limits.idleTimeoutMs);
  }

  /** Takes no further exchange, and closes when the last one is over. */
  retire(): void {
    this.#isRetired = true;
    if (this.#codec.openStreams === 0) this.#close();
  }

  // ── what the line tells ───────────────────────────────────────────────────────────────────────────────────────────

  nextBuffer(): Buffer {
    return this.#line.reads.fit(this.#filled);
  }

  onRead(bytes: number): void {
    const buffer = this.#line.reads.current;
    this.#filled = bytes === buffer.length;
    this.pool.context.sweeper.turn();
    this.#hasHeard = true;
    this.#pings.heard();
    this.#isReceiving = true;
    this.#codec.receive(buffer, 0, bytes);
    this.#isReceiving = false;
    this.#settleTouched();
    if (this.#dial !== undefined && this.#codec.peer.hasSpoken) this.#becomeReady(this.#dial);
    if (this.#codec.openStreams > 0) this.deadline = this.#pings.deadline;
    if (!this.#codec.wantsInput) this.#setReading(false);
  }

  onDrain(): void {
    this.#isBlocked = false;
    this.#flush();
  }

  onEnd(): void {
    this.pool.context.sweeper.turn();
    this.#lose();
  }

  onError(error: NodeJS.ErrnoException): void {
    this.pool.context.sweeper.turn();
    this.lostDetail = tlsFaultText(error.code ?? error.message);
    // With TLS 1.3 an endpoint says only now that it wanted another certificate of ours.
    if (error.code?.startsWith('ERR_SSL') === true && !this.#hasHeard) this.lostCode = 'SP_UPSTREAM_TLS';
    this.#lose();
  }

  onClose(): void {
    this.#lose();
    this.#line.reads.fit(false);
    this.pool.context.sweeper.remove(this);
    this.pool.closed();
  }

  onDeadline(now: number): void {
    if (this.#codec.openStreams === 0) {
      this.#takeNoMore();
      this.#close();
      return;
    }
    switch (this.#pings.onDeadline(now)) {
      case 'ping':
        this.#codec.ping();
        break;
      case 'dead':
        this.lostDetail = 'no answer to a ping';
        this.#lose();
        // Nobody takes what may still wait to be written.
        this.#socket.destroy();
        return;
      default:
    }
    this.deadline = this.#pings.deadline;
  }

  // ── what the codec tells ──────────────────────────────────────────────────────────────────────────────────────────

  wake(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(this.#flushNow);
  }

  request(): StreamHandler {
    return nobody;
  }

  refused(): void {
    // Of servers.
  }

  streamFault(): void {
    // Its exchange is told.
  }

  goaway(): void {
    this.#takeNoMore();
    if (this.#codec.openStreams === 0) this.#close();
  }

  pong(): void {
    this.#pings.pong();
  }

  failed(code: string, reason: string): void {
    this.lostCode = 'SP_UPSTREAM_PROTOCOL';
    this.lostDetail = this.#answersInHttp1()
      ? 'the endpoint answers in HTTP/1, not in HTTP/2'
      : `HTTP/2 connection failed: ${code}, ${reason}`;
    this.#lose();
  }

  /** Servers of HTTP/1 do so when they read the preface: the commonest mistake in what an endpoint is said to speak. */
  #answersInHttp1(): boolean {
    if (!this.#isReceiving || this.#codec.peer.hasSpoken) return false;
    return this.#line.reads.current.toString('latin1', 0, 7) === 'HTTP/1.';
  }

  // ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #becomeReady(dial: Dial): void {
    this.#dial = undefined;
    if (!this.#isClosed) this.pool.ready(this, dial);
    if (!this.#isClosed && this.#codec.openStreams === 0) this.ended();
  }

  /** Lets go what this read has brought, and gives back window for what was taken. */
  #settleTouched(): void {
    const touched = this.#touched;
    if (touched.length === 0) return;
    this.#touched = [];
    let isHeld = false;
    for (const exchange of touched) isHeld = exchange.settle() || isHeld;
    if (isHeld) this.#line.reads.donate();
  }

  #flush(): void {
    this.#isFlushDue = false;
    this.#settleTouched();
    if (this.#isBlocked || this.#socket.destroyed) return;
    const bytes = this.#codec.take();
    if (bytes !== undefined) this.#isBlocked = !this.#socket.write(bytes);
    if (this.#codec.wantsInput) this.#setReading(true);
  }

  #setReading(on: boolean): void {
    if (this.#isReading === on) return;
    this.#isReading = on;
    if (on) this.#socket.resume();
    else this.#socket.pause();
  }

  #takeNoMore(): void {
    this.#isRetired = true;
    this.pool.forgetShared(this);
  }

  /** Ends an idle connection, with a word. */
  #close(): void {
    if (this.#isClosed) return;
    this.#codec.shutdownNow();
    this.#isBlocked = false;
    this.#flush();
    this.#lose();
  }

  /** The connection is over, and every exchange on it. */
  #lose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.deadline = 0;
    this.#takeNoMore();
    this.#codec.close();
    this.#settleTouched();
    // A last word, where there is one.
    this.#flush();
    this.#socket.destroySoon();
    const dial = this.#dial;
    this.#dial = undefined;
    if (dial !== undefined) dial.fail(this.lostCode, this.lostDetail);
  }
}
