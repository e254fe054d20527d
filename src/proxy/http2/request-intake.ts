import { trailerFate } from '../../http1/trailer-policy.ts';
import { errorCode } from '../../http2/frames.ts';
import type { Http2Stream, ResetCause, StreamHandler } from '../../http2/http2-stream.ts';
import type { Http2RequestHead } from '../../http2/message-heads.ts';
import type { CodecFault } from '../../http1/message-head.ts';
import type { ErrorCodeName } from '../../telemetry/error-codes.ts';
import type { Expiring } from '../../util/deadline-sweeper.ts';
import type { HeaderList } from '../../util/header-list.ts';
import type { ClientStream } from './client-stream.ts';
import { KeptBytes } from './kept-bytes.ts';
import { StreamRequestHead } from './stream-request-head.ts';
import type { StreamShare } from './stream-share.ts';
import { StreamTunnel } from './stream-tunnel.ts';

/** Window over which the rate of a request body is judged. */
const BODY_WINDOW_MS = 10_000;
/** Calls of gRPC are conversations: the client may have nothing to say for long. */
const MAX_CALL_SILENCE_MS = 300_000;

/** What a client sends on one stream: head, body, trailers, their pace; or the bytes of a tunnel. */
export class RequestIntake implements StreamHandler, Expiring {
  deadline = 0;
  sweepIndex = -1;
  readonly head = new StreamRequestHead();
  isComplete = false;
  /** Whether it waits for `settle`; of the connection. */
  isFed = false;

  readonly #owner: ClientStream;
  readonly #share: StreamShare;
  readonly #kept = new KeptBytes();
  #stream: Http2Stream | undefined;
  #tunnel: StreamTunnel | undefined;
  /** Body bytes wait here, and the request's end behind them. */
  #held = false;
  #endDue = false;
  #trailers: HeaderList | undefined;
  #unconsumed = 0;
  #windowBytes = 0;

  constructor(owner: ClientStream, share: StreamShare) {
    this.#owner = owner;
    this.#share = share;
  }

  get isTunnel(): boolean {
    return this.#tunnel !== undefined;
  }

  open(stream: Http2Stream, isComplete: boolean): void {
    this.#stream = stream;
    this.head.method = '';
    this.isComplete = isComplete;
    this.#held = false;
    this.#endDue = false;
    this.#windowBytes = 0;
  }

  /** Takes over the head. Returns why the request is refused. */
  begin(head: Http2RequestHead): CodecFault | undefined {
    const { settings } = this.#share.services;
    const fault = this.head.take(head, this.isComplete, settings.requestLimits.maxRequestLineBytes);
    if (fault !== undefined) return fault;
    // Behind an upgrade nothing may go on before the endpoint has agreed.
    if (this.head.upgrade !== undefined) this.#held = true;
    else if (!this.isComplete && settings.minBodyBytesPerSecond > 0) this.#watchPace();
    return undefined;
  }

  /** Lets go of everything of the stream, which is over. */
  close(): void {
    this.#stream = undefined;
    this.#tunnel = undefined;
    this.#trailers = undefined;
    this.#kept.clear();
    this.#share.unconsumedBytes -= this.#unconsumed;
    this.#unconsumed = 0;
    this.#unwatchPace();
    this.head.giveUpFields();
  }

  hold(): void {
    this.#held = true;
  }

  /** Hands on what was held, then what comes. */
  take(): void {
    const stream = this.#stream;
    if (!this.#held || stream === undefined || this.head.upgrade !== undefined) return;
    this.#held = false;
    const { exchange } = this.#owner;
    const kept = this.#kept.take();
    if (kept !== undefined) exchange.onRequestData(kept, 0, kept.length);
    if (this.#endDue && this.#stream === stream) {
      this.#endDue = false;
      exchange.onRequestEnd(this.#trailers);
    }
    if (this.sweepIndex >= 0) this.#watchPace();
    this.settle();
  }

  /** Lets leave what has come together; the client may send as much again once the endpoint has taken it. */
  settle(): void {
    this.isFed = false;
    if (this.#stream === undefined || this.#held) return;
    if (this.#owner.exchange.flushRequest()) this.#consume();
    else this.#held = true;
  }

  /** The stream becomes a tunnel. */
  openTunnel(stream: Http2Stream, onClosed: () => void): StreamTunnel {
    this.#share.unconsumedBytes -= this.#unconsumed;
    this.#unconsumed = 0;
    const { sweeper, settings } = this.#share.services;
    this.#tunnel = new StreamTunnel({
      stream,
      sweeper,
      writeTimeoutMs: settings.clientWriteTimeoutMs,
      kept: this.#kept,
      isEnded: this.isComplete,
      onClosed,
    });
    return this.#tunnel;
  }

  // ── what the stream tells ─────────────────────────────────────────────────────────────────────────────────────────

  response(): void {
    // Clients only.
  }

  data(buffer: Buffer, start: number, end: number): void {
    if (this.#tunnel !== undefined) return this.#tunnel.receive(buffer, start, end);
    const length = end - start;
    this.#windowBytes += length;
    this.#unconsumed += length;
    this.#share.unconsumedBytes += length;
    if (this.#held) return this.#kept.add(buffer, start, end);
    if (!this.isFed) this.#share.fed(this);
    // Kept by whom it is given to: for another try, and until the endpoint takes it.
    const bytes = Buffer.allocUnsafe(length);
    buffer.copy(bytes, 0, start, end);
    return this.#owner.exchange.onRequestData(bytes, 0, length);
  }

  end(trailers: HeaderList | undefined): void {
    this.isComplete = true;
    this.#unwatchPace();
    if (this.#tunnel !== undefined) return this.#tunnel.remoteEnd();
    if (trailers !== undefined) keepTrailers(trailers);
    if (this.head.framing === 'none') return undefined;
    if (!this.#held) return this.#owner.exchange.onRequestEnd(trailers);
    this.#endDue = true;
    this.#trailers = trailers;
    return undefined;
  }

  reset(code: number, cause: ResetCause): void {
    if (this.#tunnel === undefined) this.#owner.gone(this.#goneCode(code, cause));
    else this.#tunnel.over();
  }

  writable(): void {
    if (this.#tunnel === undefined) this.#owner.drained();
    else this.#tunnel.drained();
  }

  finished(): void {
    if (this.#tunnel === undefined) this.#owner.finished();
    else this.#tunnel.closeIfOver();
  }

  // ── pace ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  onDeadline(): void {
    const stream = this.#stream;
    if (stream === undefined || this.isComplete) return;
    if (this.#isSlow(stream)) this.#owner.exchange.refuse('SP_CLIENT_TIMEOUT', 'request body too slow');
    else this.#watchPace();
  }

  #isSlow(stream: Http2Stream): boolean {
    // Who is held back cannot be slow; whose answer has begun is in a conversation.
    if (this.#held || this.#share.isStarved || this.#owner.exchange.hasAnswered) return false;
    const { minBodyBytesPerSecond } = this.#share.services.settings;
    const least = this.#isCall ? 1 : (minBodyBytesPerSecond * BODY_WINDOW_MS) / 1000;
    return this.#windowBytes + this.#share.partialData(stream) < least;
  }

  get #isCall(): boolean {
    return this.head.headers.get('content-type')?.startsWith('application/grpc') === true;
  }

  #watchPace(): void {
    const { sweeper } = this.#share.services;
    this.#windowBytes = 0;
    this.deadline = sweeper.after(this.#isCall ? MAX_CALL_SILENCE_MS : BODY_WINDOW_MS);
    sweeper.add(this);
  }

  #unwatchPace(): void {
    if (this.sweepIndex < 0) return;
    this.deadline = 0;
    this.#share.services.sweeper.remove(this);
  }

  #consume(): void {
    const bytes = this.#unconsumed;
    if (bytes === 0) return;
    this.#unconsumed = 0;
    this.#share.unconsumedBytes -= bytes;
    this.#stream?.consume(bytes);
  }

  #goneCode(code: number, cause: ResetCause): ErrorCodeName {
    if (cause === 'connection') return this.#share.goneCode;
    if (cause === 'peer') return 'SP_CLIENT_GONE';
    // More waits than the connection may hold; every other fault is in the framing of the body.
    return code === errorCode.ENHANCE_YOUR_CALM ? 'SP_CLIENT_SLOW' : 'SP_BAD_FRAMING';
  }
}

/** Takes off, in place, what must not come behind the body. */
function keepTrailers(trailers: HeaderList): void {
  let kept = 0;
  for (let index = 0; index < trailers.length; index++) {
    if (trailerFate(trailers.lower[index] as string) === 'keep') trailers.place(index, kept++);
  }
  trailers.truncate(kept);
}
