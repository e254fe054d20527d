import type { ResponseHead } from '../../http1/message-head.ts';
import type { Http2Stream, StreamHandler } from '../../http2/http2-stream.ts';
import type { HeadFault, Http2RequestHead } from '../../http2/message-heads.ts';
import type { ErrorCodeName } from '../../telemetry/error-codes.ts';
import { HeaderList } from '../../util/header-list.ts';
import type { TunnelEnd } from '../../util/tunnel-end.ts';
import type { AnswerHead, Downstream } from '../downstream.ts';
import { Exchange } from '../exchange.ts';
import { WriteWatch } from '../write-watch.ts';
import { dropConnectionFields, prepareAnswer } from './answer-fields.ts';
import { RequestIntake } from './request-intake.ts';
import type { StreamShare } from './stream-share.ts';

/** One request of an HTTP/2 connection, from its head to the end of both sides. The object then serves another one. */
export class ClientStream implements Downstream {
  readonly protocol = 'HTTP/2.0';
  /** Output is copied as it is handed over. */
  readonly hasPendingOutput = false;
  readonly exchange: Exchange;

  readonly #share: StreamShare;
  readonly #intake: RequestIntake;
  #stream: Http2Stream | undefined;
  #bodiless = false;
  /** The answer's length was stated. */
  #hasLength = false;
  /** Some of the answer waits for the client's windows. */
  #isFull = false;
  /** Only for a client that was once too slow. */
  #windowWatch: WriteWatch | undefined;

  constructor(share: StreamShare) {
    this.#share = share;
    this.exchange = new Exchange(this, share.services, share.client);
    this.#intake = new RequestIntake(this, share);
  }

  get wantsTunnel(): boolean {
    return this.#intake.head.upgrade !== undefined;
  }

  get isRequestComplete(): boolean {
    return this.#intake.isComplete;
  }

  get isCongested(): boolean {
    return this.#share.isCongested;
  }

  /** Bytes of the answer that wait. */
  get writableLength(): number {
    let bytes = 0;
    for (const piece of this.#stream?.queue ?? []) bytes += piece.length;
    return bytes;
  }

  /** Serves a request, which may be over when this returns. Returns who hears what else comes on the stream. */
  begin(stream: Http2Stream, head: Http2RequestHead, isComplete: boolean): StreamHandler {
    const intake = this.#open(stream, isComplete);
    const fault = intake.begin(head);
    if (fault !== undefined) {
      this.exchange.refuseUnread(fault.code, fault.reason);
      return intake;
    }
    if (this.#share.isTrusted) intake.head.targetScheme = '';
    // The head leaves with whatever came together with it.
    if (!isComplete && !intake.isFed) this.#share.fed(intake);
    this.exchange.begin(intake.head);
    return intake;
  }

  /** Answers a request that is not to be served. */
  refuse(stream: Http2Stream, { status, reason }: HeadFault): void {
    const intake = this.#open(stream, stream.remoteEnded);
    stream.handler = intake;
    if (stream.isHead) intake.head.method = 'HEAD';
    this.exchange.refuseUnread(status === 431 ? 'SP_HEAD_TOO_LARGE' : 'SP_BAD_REQUEST', reason);
  }

  // ── what the exchange tells ───────────────────────────────────────────────────────────────────────────────────────

  informational(status: number, headers: HeaderList): void {
    dropConnectionFields(headers);
    this.#stream?.respond(status, headers, false);
  }

  head(answer: AnswerHead): void {
    // An exchange does not know the method of a request that could not be read.
    this.#bodiless = answer.bodiless || this.#intake.head.method === 'HEAD';
    this.#hasLength = answer.length !== -1;
    prepareAnswer(answer, this.#share.hsts);
    // Headers behind which nothing comes end the stream: those of a call of gRPC that has only these are its trailers.
    this.#stream?.respond(answer.status, answer.headers, answer.bodiless);
  }

  body(buffer: Buffer, start: number, end: number): void {
    if (this.#bodiless || start === end) return;
    if (this.#stream?.write(buffer, start, end) === false) this.#isFull = true;
  }

  flush(): boolean {
    if (!this.#isFull) return true;
    this.#watchWindow();
    return false;
  }

  end(trailers: HeaderList | undefined): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.end(stream.isWaiting && trailers !== undefined ? copyOf(trailers) : trailers);
    // Unlike a connection of HTTP/1, a stream can end without the rest of its request.
    if (!this.isRequestComplete) stream.discard();
    if (stream.isClosed) this.finished();
    else this.#watchWindow();
  }

  abort(trailers?: HeaderList): void {
    // An answer that said how long it is cannot end before.
    if (trailers !== undefined && !this.#hasLength) return this.end(trailers);
    this.#stream?.reset('INTERNAL_ERROR');
    return this.#release(true);
  }

  holdBody(): void {
    this.#intake.hold();
  }

  takeBody(): void {
    this.#intake.take();
  }

  openTunnel(head: ResponseHead): TunnelEnd {
    const stream = this.#stream;
    if (stream === undefined) throw new Error('open a tunnel: the stream is over');
    const { headers } = head;
    dropConnectionFields(headers);
    // The proof for a key that the client never saw (RFC 8441 §5).
    headers.remove('sec-websocket-accept');
    if (this.#share.hsts !== '') headers.set('Strict-Transport-Security', this.#share.hsts);
    stream.respond(200, headers, false);
    return this.#intake.openTunnel(stream, () => this.#release(false));
  }

  // ── what the stream tells ─────────────────────────────────────────────────────────────────────────────────────────

  drained(): void {
    this.#isFull = false;
    this.#windowWatch?.stop();
    this.exchange.onClientDrain();
  }

  /** The stream ended before its end. */
  gone(code: ErrorCodeName): void {
    this.exchange.onClientGone(code);
    this.#release(true);
  }

  /** The answer is complete, and the stream over. */
  finished(): void {
    // Only here: a filter that still thinks about a request that was given up may look at its fields.
    const fields = this.#intake.head.giveUpFields();
    if (fields !== undefined) this.#share.recycle(fields);
    this.#release(true);
  }

  #open(stream: Http2Stream, isComplete: boolean): RequestIntake {
    this.#stream = stream;
    this.#isFull = false;
    this.#intake.open(stream, isComplete);
    return this.#intake;
  }

  #release(isReusable: boolean): void {
    if (this.#stream === undefined) return;
    this.#stream = undefined;
    this.#windowWatch?.stop();
    this.#intake.close();
    this.#share.released(this, isReusable && !this.exchange.isAwaiting);
  }

  #watchWindow(): void {
    const { sweeper, settings } = this.#share.services;
    this.#windowWatch ??= new WriteWatch(this, sweeper, settings.clientWriteTimeoutMs, () =>
      this.#onStalled(),
    );
    this.#windowWatch.start();
  }

  /** The client opens no window for what waits. */
  #onStalled(): void {
    this.exchange.onClientGone('SP_CLIENT_SLOW');
    this.#stream?.reset('CANCEL');
    this.#release(true);
    this.#share.stalled();
  }
}

function copyOf(list: HeaderList): HeaderList {
  const copy = new HeaderList();
  for (let index = 0; index < list.length; index++) {
    copy.push(list.names[index] as string, list.lower[index] as string, list.values[index] as string);
  }
  return copy;
}
