import type { Socket } from 'node:net';

import { fieldLine, lastChunk, requestHeadText } from '../http1/message-writer.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { Dial } from './dial.ts';
import type { EndpointPool } from './endpoint-pool.ts';
import type { LineUser } from './line.ts';
import { OutputBuffer } from './output-buffer.ts';
import { SMALL_BYTES } from './read-buffer.ts';
import type { ReadBuffer } from './read-buffer.ts';
import { ResponseReader } from './response-reader.ts';
import type { ResponseSink } from './response-sink.ts';
import { SocketTunnelEnd } from './socket-tunnel-end.ts';
import { tlsFaultText } from './tls-fault-text.ts';
import type { ExchangeTimeouts } from './upstream-context.ts';
import type { UpstreamExchange, UpstreamRequest } from './upstream-exchange.ts';
import { acceptsUpgrade } from './upgrade-proof.ts';

/** `idle` waits in its pool; `busy` has an exchange; `tunnel` belongs to whoever took it over; `closed` is final. */
type Phase = 'idle' | 'busy' | 'tunnel' | 'closed';

const noTimeouts: ExchangeTimeouts = { connectMs: 0, sendMs: 0, readMs: 0 };

/**
 * One connection to an endpoint, with one HTTP/1.1 exchange at a time. It lives across exchanges: `begin` lends it to
 * a sink, the end of the response gives it back to its pool, unless anything makes it unfit for another request.
 */
export class UpstreamConnection implements UpstreamExchange, LineUser, Expiring {
  readonly isConnecting = false;
  deadline = 0;
  sweepIndex = -1;
  /** Exchanges begun, so that age limits can be kept and a reused connection told from a new one. */
  exchanges = 0;
  /** How long the upstream says it keeps an idle connection, less a margin; Infinity when it says nothing. */
  peerIdleMs = Infinity;
  readonly createdAtMs: number;
  readonly pool: EndpointPool;
  /** It was introduced as one client's, and serves no other. */
  readonly isPrivate: boolean;

  readonly #socket: Socket;
  readonly #reads: ReadBuffer;
  readonly #reader: ResponseReader;
  readonly #output = new OutputBuffer();
  /** Of the request that is being sent. */
  #isChunked = false;
  #upgrade: string | undefined;
  #webSocketKey = '';
  /** Once the connection has become a tunnel. */
  #tunnel: SocketTunnelEnd | undefined;
  #phase: Phase = 'idle';
  #sink: ResponseSink | undefined;
  #timeouts = noTimeouts;
  #requestEnded = false;
  #paused = false;
  /** The last read filled its buffer: more is probably waiting. */
  #filled = false;
  #receivedBytes = 0;
  /** Board slot in which this exchange is counted; -1 outside of exchanges. */
  #countedSlot = -1;

  /** On the line of a dial, which is up. */
  constructor(pool: EndpointPool, { line, isPrivate }: Dial) {
    this.pool = pool;
    this.isPrivate = isPrivate;
    this.createdAtMs = pool.context.sweeper.sweptAt;
    this.#reader = new ResponseReader(pool.context.settings);
    this.#socket = line.socket;
    this.#reads = line.reads;
    line.user = this;
    pool.context.sweeper.add(this);
  }

  get isReused(): boolean {
    return this.exchanges > 1;
  }

  /** Whether any byte of the current response arrived. */
  get hasResponseBytes(): boolean {
    return this.#receivedBytes > 0;
  }

  /** Whether an idle connection may be lent again. */
  isFit(now: number): boolean {
    const { maxLifetimeMs } = this.pool.context.limits;
    const isFresh = this.deadline > now && now - this.createdAtMs < maxLifetimeMs;
    return this.#phase === 'idle' && isFresh && this.#socket.writable;
  }

  /** Lends the connection to a sink for one exchange, which its pool has counted in `slot`. */
  // oxlint-disable-next-line max-params -- hot: an options object would be allocated for every try
  begin(sink: ResponseSink, method: string, timeouts: ExchangeTimeouts, slot: number): void {
    this.exchanges++;
    this.#countedSlot = slot;
    this.#sink = sink;
    this.#timeouts = timeouts;
    this.#requestEnded = false;
    this.#receivedBytes = 0;
    this.#reader.begin(method);
    this.#phase = 'busy';
    this.deadline = this.#in(timeouts.readMs);
  }

  sendHead(request: UpstreamRequest): void {
    const { method, target, headers, framing, upgrade } = request;
    this.#isChunked = framing === 'chunked';
    this.#upgrade = upgrade;
    if (upgrade !== undefined) this.#webSocketKey = headers.get('sec-websocket-key') ?? '';
    const first = `Host: ${request.authority}\r\n${connectionFields(request)}${request.fieldText}`;
    this.#output.clear();
    this.#output.add(requestHeadText(method, target, headers, first));
  }

  sendBody(bytes: Buffer): void {
    this.#touch();
    if (this.#isChunked) this.#output.addChunked(bytes);
    else this.#output.add(bytes);
  }

  endRequest(trailers: HeaderList | undefined): void {
    if (this.#isChunked) this.#output.add(lastChunk(trailers));
    this.flush();
    this.#requestEnded = true;
    this.#touch();
  }

  flush(): boolean {
    return this.#output.flush(this.#socket);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.deadline = this.#in(this.#timeouts.readMs);
    this.#socket.resume();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#reader.abandon();
    this.#detach();
    this.#close();
  }

  onDeadline(): void {
    switch (this.#phase) {
      case 'idle':
        this.pool.forget(this);
        this.destroy();
        return;
      case 'busy':
        this.#onExchangeDeadline();
        return;
      default:
    }
  }

  #onExchangeDeadline(): void {
    if (!this.#requestEnded && this.#socket.writableNeedDrain) {
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

  /** Request bytes are being sent: the time for taking them, or at their end for answering, starts anew. */
  #touch(): void {
    if (this.#phase !== 'busy' || this.#receivedBytes > 0) return;
    this.deadline = this.#in(this.#requestEnded ? this.#timeouts.readMs : this.#timeouts.sendMs);
  }

  /** The sink cannot take more of the response now. */
  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.deadline = 0;
    this.#socket.pause();
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

  onDrain(): void {
    this.#touch();
    this.#sink?.onUpstreamDrain();
  }

  /** Where the next read goes: a body that is known or seen to be long gets a large buffer. */
  nextBuffer(): Buffer {
    if (this.#phase !== 'busy') return this.#reads.fit(false);
    const expected = this.#reader.expectedBytes;
    const isLong = expected === Infinity ? this.#filled || this.#reads.isLarge : expected > SMALL_BYTES;
    return this.#reads.fit(isLong && this.#sink?.isCongested !== true);
  }

  onRead(bytes: number): void {
    const buffer = this.#reads.current;
    this.#filled = bytes === buffer.length;
    this.pool.context.sweeper.turn();
    if (this.#tunnel !== undefined) {
      this.#tunnel.receive(Buffer.from(buffer.subarray(0, bytes)));
      return;
    }
    const sink = this.#sink;
    if (this.#phase !== 'busy' || sink === undefined) {
      // Nobody asked: whatever this is, it must not become the answer to the next request.
      this.pool.forget(this);
      this.destroy();
      return;
    }
    this.#receive(buffer, bytes, sink);
    if (sink.hasPendingOutput) this.#reads.donate();
  }

  #receive(buffer: Buffer, bytes: number, sink: ResponseSink): void {
    this.#receivedBytes += bytes;
    if (!this.#paused) this.deadline = this.#in(this.#timeouts.readMs);
    const outcome = this.#reader.read(buffer, bytes, sink);
    // The sink may have given the exchange up meanwhile.
    if (this.#sink !== sink) return;
    switch (outcome) {
      case 'more':
        if (!sink.onResponseFlush()) this.#pause();
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
    if (this.#upgrade === undefined || !acceptsUpgrade(head, this.#upgrade, this.#webSocketKey)) {
      this.#fail('SP_UPSTREAM_PROTOCOL', 'switched protocols in a way that was not asked for');
      return;
    }
    this.#phase = 'tunnel';
    this.deadline = 0;
    this.#tunnel = new SocketTunnelEnd(this.#socket, rest);
    sink.onUpgraded(head, this.#tunnel);
  }

  /** The response is complete. The connection is kept only when nothing about the exchange is in doubt. */
  #finish(extraBytes: boolean): void {
    const { trailers, reusable, peerIdleMs } = this.#reader;
    const sink = this.#detach();
    this.deadline = 0;
    this.peerIdleMs = peerIdleMs;
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
    const clean = reusable && this.#requestEnded && !extraBytes && !this.#socket.writableNeedDrain;
    // Before the sink is told: its next request may take this connection at once.
    this.#phase = 'idle';
    const kept = clean && this.pool.release(this);
    if (!kept) this.#close();
    sink?.onResponseEnd(trailers);
  }

  onEnd(): void {
    this.pool.context.sweeper.turn();
    if (this.#phase === 'busy' && this.#reader.endsWithConnection) {
      this.#reader.reusable = false;
      this.#finish(false);
      return;
    }
    this.#onLost('connection closed by the upstream');
  }

  onError(error: NodeJS.ErrnoException): void {
    this.pool.context.sweeper.turn();
    // With TLS 1.3 an endpoint says only now that it wanted another certificate of ours.
    if (error.code?.startsWith('ERR_SSL') === true && this.#phase === 'busy' && this.#receivedBytes === 0)
      this.#fail('SP_UPSTREAM_TLS', tlsFaultText(error.code));
    else this.#onLost(error.code ?? error.message);
  }

  #onLost(detail: string): void {
    if (this.#phase === 'idle') this.pool.forget(this);
    if (this.#phase === 'tunnel') return;
    this.#fail(this.#reader.isInBody ? 'SP_UPSTREAM_TRUNCATED' : 'SP_UPSTREAM_RESET', detail);
  }

  onClose(): void {
    if (this.#phase === 'tunnel') this.#detach();
    else this.#onLost('connection closed');
    this.#phase = 'closed';
    this.#reads.fit(false);
    this.pool.context.sweeper.remove(this);
    this.pool.closed();
  }

  #fail(code: ErrorCodeName, detail: string): void {
    const sink = this.#detach();
    this.#close();
    sink?.onUpstreamFailed(code, detail, false);
  }

  #close(): void {
    if (this.#phase !== 'tunnel') this.#phase = 'closed';
    this.deadline = 0;
    this.#socket.destroy();
  }
}

/** Framing and connection fields of a request, which are this connection's own. */
function connectionFields({ framing, contentLength, expectContinue, upgrade }: UpstreamRequest): string {
  let text = '';
  if (framing === 'length') text = fieldLine('Content-Length', contentLength);
  else if (framing === 'chunked') text = 'Transfer-Encoding: chunked\r\n';
  if (expectContinue) text += 'Expect: 100-continue\r\n';
  if (upgrade !== undefined) text += `Connection: upgrade\r\nUpgrade: ${upgrade}\r\n`;
  return text;
}
