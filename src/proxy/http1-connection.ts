import type { Socket } from 'node:net';

import { ChunkedDecoder } from '../http1/chunked-decoder.ts';
import type { CodecFault, ResponseHead } from '../http1/message-head.ts';
import { RequestHeadParser } from '../http1/request-head-parser.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import { SocketTunnelEnd } from '../upstream/socket-tunnel-end.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { TunnelEnd } from '../util/tunnel-end.ts';
import { TurnShare } from '../util/turn-share.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { AnswerHead, Downstream } from './downstream.ts';
import { Exchange } from './exchange.ts';
import { HeldInput } from './held-input.ts';
import { Http1Answer } from './http1-answer.ts';
import type { ProxyServices } from './proxy-services.ts';
import { WriteWatch } from './write-watch.ts';

/** A closing connection reads on for this long, so that its last answer is not lost to a reset. */
const LINGER_MS = 2_000;
/** Window over which the rate of a request body is judged. */
const BODY_WINDOW_MS = 10_000;
/** Shutting down: a request may be on its way on a connection that looks idle from here, so it is awaited this long. */
const LAST_REQUEST_MS = 500;
/** Pipelined bytes held while an earlier request is served; beyond, reading stops. */
const MAX_PIPELINED_BYTES = 64 * 1024;
/** Pipelined requests that one connection has begun in a turn of the event loop. */
const REQUESTS_A_TURN = 64;

/**
 * `head`: waiting for or reading a request head. `body`: reading its body. `wait`: the request is complete, its answer is
 * not. `lingering`: the last answer is out, input is discarded. `tunnel` and `closed` are final.
 */
type Phase = 'head' | 'body' | 'wait' | 'lingering' | 'tunnel' | 'closed';

/** A client's HTTP/1 connection: bytes in, one exchange at a time, answers out in order. */
export class Http1Connection implements Downstream, Expiring {
  deadline = 0;
  sweepIndex = -1;
  readonly socket: Socket;
  readonly wantsTunnel = false;
  /** One answer at a time: holding it back is enough. */
  readonly isCongested = false;
  readonly #services: ProxyServices;
  readonly #parser: RequestHeadParser;
  /** Made for the first body that needs it. */
  #chunked: ChunkedDecoder | undefined;
  readonly #exchange: Exchange;
  readonly #answer: Http1Answer;
  readonly #share = new TurnShare(REQUESTS_A_TURN, () => this.#readOn());
  readonly #options: ConnectionOptions;
  /** Value of Strict-Transport-Security (RFC 6797), '' for none. */
  readonly #hsts: string;
  #phase: Phase = 'head';
  readonly #input: HeldInput;
  #requests = 0;
  #remaining = 0;
  #held = false;
  #consuming = false;
  #windowBytes = 0;
  /** Once the connection has become a tunnel. */
  #tunnel: SocketTunnelEnd | undefined;
  /** Only for a client that was once too slow. */
  #writeWatch: WriteWatch | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    const { services, client } = options;
    this.socket = socket;
    this.#input = new HeldInput(socket);
    this.#services = services;
    this.#options = options;
    const { settings } = services;
    this.#parser = new RequestHeadParser(settings.requestLimits);
    this.#answer = new Http1Answer(socket);
    this.#exchange = new Exchange(this, services, client);
    this.#hsts = client.transport === 'https' ? settings.hsts : '';
    this.deadline = services.sweeper.after(settings.clientHeaderTimeoutMs);
    services.sweeper.add(this);
    services.counters.connectionOpened();
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => this.#onGone());
    socket.on('close', () => this.#onClose());
    socket.on('drain', () => this.#onDrain());
  }

  get protocol(): 'HTTP/1.0' | 'HTTP/1.1' {
    return this.#parser.head.minor === 1 ? 'HTTP/1.1' : 'HTTP/1.0';
  }

  get isRequestComplete(): boolean {
    return this.#phase !== 'body';
  }

  get hasPendingOutput(): boolean {
    return this.#answer.isLending;
  }

  /** Waiting for a request, with none begun: safe to close without loss. */
  get isIdle(): boolean {
    return this.#phase === 'head' && this.#input.pending === undefined;
  }

  informational(status: number, headers: HeaderList): void {
    if (this.#parser.head.minor === 1 && this.#phase !== 'closed')
      this.#answer.informational(status, headers);
  }

  head(answer: AnswerHead): void {
    const { head } = this.#parser;
    const limit = this.#services.settings.clientKeepAliveRequests;
    const close = answer.close || !head.keepAlive || this.#requests >= limit;
    if (this.#hsts !== '') answer.headers.set('Strict-Transport-Security', this.#hsts);
    this.#answer.begin(answer, this.#parser.head.minor, close);
  }

  body(buffer: Buffer, start: number, end: number): void {
    this.#answer.body(buffer, start, end);
  }

  flush(): boolean {
    if (this.#answer.flush()) return true;
    this.#awaitDrain();
    return false;
  }

  end(trailers: HeaderList | undefined): void {
    this.#answer.end(trailers);
    if (this.#phase === 'closed' || this.#phase === 'tunnel') return;
    if (this.#answer.closes || this.#phase === 'body') return this.#linger();
    this.#phase = 'head';
    const { draining, settings, sweeper } = this.#services;
    this.deadline = sweeper.after(draining ? LAST_REQUEST_MS : settings.clientKeepAliveMs);
    // Answers that the client does not read must not pile up: its next request waits.
    if (this.socket.writableNeedDrain) return this.#awaitDrain();
    this.#input.resume();
    if (!this.#consuming && this.#input.pending !== undefined) this.#consume(this.#input.take());
  }

  abort(): void {
    // Where the end of the connection ends the body, only a reset tells a cut answer from a whole one.
    // Not all that speak TLS look for a close_notify either.
    if (this.#answer.endsWithConnection) this.#options.carrier.resetAndDestroy();
    else this.socket.destroy();
  }

  holdBody(): void {
    this.#held = true;
  }

  takeBody(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#phase !== 'body' || this.#consuming) return;
    this.deadline = this.#services.sweeper.after(BODY_WINDOW_MS);
    this.#windowBytes = this.#input.pending?.length ?? 0;
    if (this.#input.pending !== undefined) this.#consume(this.#input.take());
    if (!this.#held) this.#input.resume();
  }

  openTunnel(head: ResponseHead, upgrade: string): TunnelEnd {
    this.#phase = 'tunnel';
    this.deadline = 0;
    this.#answer.switchProtocols(head, upgrade);
    this.#input.resume();
    return (this.#tunnel = new SocketTunnelEnd(this.socket, this.#input.take()));
  }

  /** Shutting down: an idle connection closes soon, a busy one after its answer. */
  drain(): void {
    if (!this.isIdle) return;
    this.deadline = Math.min(this.deadline, this.#services.sweeper.after(LAST_REQUEST_MS));
  }

  onDeadline(): void {
    switch (this.#phase) {
      case 'head':
        if (this.#input.pending === undefined && (this.#requests > 0 || this.#services.draining))
          this.#linger();
        else this.#refuse('SP_CLIENT_TIMEOUT', 'request head not received in time');
        return;
      case 'body':
        this.#judgeBodyRate();
        return;
      case 'lingering':
        this.socket.destroy();
        return;
      default:
    }
  }

  #judgeBodyRate(): void {
    const minimum = this.#services.settings.minBodyBytesPerSecond;
    const enough = (minimum * BODY_WINDOW_MS) / 1000;
    if (!this.#held && minimum > 0 && this.#windowBytes < enough) {
      this.#refuse('SP_CLIENT_TIMEOUT', 'request body too slow');
      return;
    }
    this.#windowBytes = 0;
    this.deadline = this.#services.sweeper.after(BODY_WINDOW_MS);
  }

  #onData(chunk: Buffer): void {
    this.#tunnel?.receive(chunk);
    if (this.#phase === 'lingering' || this.#phase === 'closed' || this.#phase === 'tunnel') return;
    this.#services.sweeper.turn();
    if (this.#phase === 'head' && this.#input.pending === undefined && this.#requests > 0) {
      this.deadline = this.#services.sweeper.after(this.#services.settings.clientHeaderTimeoutMs);
    }
    this.#windowBytes += chunk.length;
    this.#consume(this.#input.pending === undefined ? chunk : Buffer.concat([this.#input.take(), chunk]));
  }

  /** Takes as much of the input as the phase, and the turn, allow; the rest stays pending. */
  #consume(buffer: Buffer): void {
    this.#consuming = true;
    const requests = this.#requests;
    const last = requests + this.#share.left;
    let position = 0;
    while (position < buffer.length) {
      const phase = this.#phase;
      if (phase === 'head' && this.#requests < last && !this.socket.writableNeedDrain) {
        const next = this.#parser.parse(buffer, position, buffer.length);
        if (next < 0) this.#refuseFault(this.#parser.fault);
        if (next <= 0) break;
        position = next;
        this.#beginExchange(buffer.length - position);
      } else if (phase === 'body' && !this.#held) {
        position = this.#readBody(buffer, position);
      } else {
        break;
      }
    }
    this.#consuming = false;
    if (!this.#exchange.flushRequest() && this.#phase === 'body') {
      this.#held = true;
      this.#input.pause();
    }
    const isMore = position < buffer.length && this.#phase === 'head' && this.#requests >= last;
    this.#share.spend(this.#requests - requests, isMore);
    if (position < buffer.length) this.#keepPending(buffer, position);
    if (isMore) this.#input.pause();
  }

  /** In the next turn. */
  #readOn(): void {
    if (this.#phase !== 'head' || this.#input.pending === undefined) return;
    this.#services.sweeper.turn();
    this.#input.resume();
    this.#consume(this.#input.take());
  }

  #keepPending(buffer: Buffer, position: number): void {
    if (this.#phase === 'lingering' || this.#phase === 'closed') return;
    this.#input.pending = position === 0 ? buffer : buffer.subarray(position);
    if (this.#phase === 'body' || this.#input.pending.length > MAX_PIPELINED_BYTES) this.#input.pause();
  }

  /** `received`: bytes behind the head that have come with it. */
  #beginExchange(received: number): void {
    const { head } = this.#parser;
    this.#requests++;
    this.#held = false;
    if (head.framing === 'none' || (head.framing === 'length' && head.contentLength === 0)) {
      this.#phase = 'wait';
      this.deadline = 0;
    } else {
      this.#phase = 'body';
      this.#remaining = head.contentLength;
      this.#windowBytes = received;
      this.deadline = this.#services.sweeper.after(BODY_WINDOW_MS);
      if (head.framing === 'chunked') this.#decoder().reset();
    }
    const bodyless = this.#phase === 'wait' && head.framing === 'length';
    this.#exchange.begin(head);
    this.#parser.reset();
    if (bodyless) this.#exchange.onRequestEnd(undefined);
  }

  #readBody(buffer: Buffer, start: number): number {
    if (this.#parser.head.framing === 'chunked') return this.#readChunk(buffer, start);
    const end = Math.min(buffer.length, start + this.#remaining);
    this.#remaining -= end - start;
    this.#exchange.onRequestData(buffer, start, end);
    if (this.#remaining === 0) this.#endRequest(undefined);
    return end;
  }

  #readChunk(buffer: Buffer, start: number): number {
    const decoder = this.#decoder();
    const position = decoder.read(buffer, start, buffer.length);
    if (decoder.event === 'data') {
      this.#exchange.onRequestData(buffer, decoder.dataStart, decoder.dataEnd);
    } else if (decoder.event === 'end') {
      this.#endRequest(decoder.trailers.length > 0 ? decoder.trailers : undefined);
    } else if (decoder.event === 'fault') {
      this.#refuseFault(decoder.fault);
    }
    return position;
  }

  #decoder(): ChunkedDecoder {
    return (this.#chunked ??= new ChunkedDecoder(this.#services.settings.trailerLimits));
  }

  #endRequest(trailers: HeaderList | undefined): void {
    if (this.#phase !== 'body') return;
    this.#phase = 'wait';
    this.deadline = 0;
    this.#exchange.onRequestEnd(trailers);
  }

  #refuseFault(fault: CodecFault | undefined): void {
    this.#refuse(fault?.code ?? 'SP_BAD_REQUEST', fault?.reason ?? '');
  }

  /** Answers an unreadable request and closes: what follows on this connection cannot be trusted. */
  #refuse(code: ErrorCodeName, detail: string): void {
    this.#answer.forceClose();
    if (this.#exchange.isActive) this.#exchange.refuse(code, detail);
    else if (this.#phase === 'head') this.#exchange.refuseUnread(code, detail);
    if (this.#phase !== 'closed' && this.#phase !== 'lingering') this.#linger();
  }

  #onDrain(): void {
    this.#writeWatch?.stop();
    this.#exchange.onClientDrain();
    if (this.#phase !== 'head') return;
    this.#input.resume();
    this.#readOn();
  }

  #awaitDrain(): void {
    const { sweeper, settings } = this.#services;
    this.#writeWatch ??= new WriteWatch(this.socket, sweeper, settings.clientWriteTimeoutMs, () =>
      this.#onWriteTimeout(),
    );
    this.#writeWatch.start();
  }

  #onWriteTimeout(): void {
    this.#exchange.onClientGone('SP_CLIENT_SLOW');
    this.socket.destroy();
  }

  #onEnd(): void {
    switch (this.#phase) {
      case 'body':
        this.#refuse('SP_CLIENT_TRUNCATED', 'connection closed inside a request body');
        return;
      case 'tunnel':
        return;
      case 'lingering':
        if (this.socket.writableLength === 0) this.socket.destroy();
        return;
      default:
        this.#onGone();
        this.socket.destroy();
    }
  }

  #onGone(): void {
    if (this.#phase === 'tunnel') return;
    this.#services.sweeper.turn();
    this.#exchange.onClientGone('SP_CLIENT_GONE');
  }

  #onClose(): void {
    this.#onGone();
    this.#phase = 'closed';
    this.deadline = 0;
    this.#services.sweeper.remove(this);
    this.#writeWatch?.stop();
    this.#services.counters.connectionClosed();
    this.#options.onClosed();
  }

  /** Sends FIN behind the last answer, then discards input until the client closes too or time is up (RFC 9112 §9.6). */
  #linger(): void {
    this.#phase = 'lingering';
    this.#input.pending = undefined;
    this.deadline = 0;
    this.socket.end();
    this.#input.resume();
    if (this.socket.writableLength === 0) {
      this.#awaitClose();
      return;
    }
    this.#awaitDrain();
    this.socket.once('finish', () => this.#awaitClose());
  }

  /** The last answer has left. */
  #awaitClose(): void {
    this.#writeWatch?.stop();
    this.deadline = this.#services.sweeper.after(LINGER_MS);
  }
}
