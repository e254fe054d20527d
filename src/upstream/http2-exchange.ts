import { errorCode } from '../http2/frames.ts';
import type { Http2Stream, ResetCause, StreamHandler } from '../http2/http2-stream.ts';
import type { Http2ResponseHead } from '../http2/message-heads.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import type { HeaderList } from '../util/header-list.ts';
import { Http2TunnelEnd } from './http2-tunnel-end.ts';
import type { TunnelEndEvents } from './http2-tunnel-end.ts';
import {
  http2Fields,
  isTunnelRequest,
  keptTrailers,
  switchedHead,
  toResponseHead,
} from './http2-messages.ts';
import type { Http2UpstreamConnection } from './http2-upstream-connection.ts';
import type { Candidacy } from './pending-exchange.ts';
import { MAX_INFORMATIONAL } from './response-reader.ts';
import type { UpstreamExchange, UpstreamRequest } from './upstream-exchange.ts';

interface Failure {
  readonly code: ErrorCodeName;
  readonly detail: string;
  readonly isUnprocessed: boolean;
}

/**
 * One exchange on a stream of HTTP/2. Response bytes reach the sink as they come; what else there is to tell (its end, its
 * failure) is told once the read that brought it is over, when the codec is at rest.
 */
export class Http2Exchange implements UpstreamExchange, StreamHandler, TunnelEndEvents, Expiring {
  readonly isConnecting = false;
  /** An endpoint that closes a connection says with a GOAWAY what it has not done; one that says nothing may have begun. */
  readonly isReused = false;
  deadline = 0;
  sweepIndex = -1;
  hasResponseBytes = false;

  readonly #connection: Http2UpstreamConnection;
  readonly #candidacy: Candidacy;
  #stream: Http2Stream | undefined;
  #tunnel: Http2TunnelEnd | undefined;
  #asksForTunnel = false;
  #isHead = false;
  /** A head that was not told yet: whether a body follows is known a frame later. */
  #head: Http2ResponseHead | undefined;
  #informational = 0;
  #headTold = false;
  /** The head that was told is of an answer without a body. */
  #isBodiless = false;
  /** Handed over, and not given back to the endpoint as window. */
  #unconsumed = 0;
  #isPaused = false;
  #requestEnded = false;
  #responseEnded = false;
  #trailers: HeaderList | undefined;
  #failure: Failure | undefined;
  #isTouched = false;
  #isOver = false;

  constructor(connection: Http2UpstreamConnection, candidacy: Candidacy) {
    this.#connection = connection;
    this.#candidacy = candidacy;
    const { sweeper } = connection.pool.context;
    this.deadline = sweeper.after(candidacy.timeouts.readMs);
    sweeper.add(this);
  }

  // ── the request ───────────────────────────────────────────────────────────────────────────────────────────────────

  sendHead(request: UpstreamRequest): void {
    const connection = this.#connection;
    this.#isHead = request.method === 'HEAD';
    this.#asksForTunnel = isTunnelRequest(request);
    if (this.#asksForTunnel && !connection.canTunnel) {
      const detail =
        'the endpoint takes no WebSocket over HTTP/2: it does not announce extended CONNECT (RFC 8441)';
      this.#fail({ code: 'SP_UPSTREAM_PROTOCOL', detail, isUnprocessed: true });
      return;
    }
    const hasBody =
      request.framing === 'chunked' || (request.framing === 'length' && request.contentLength > 0);
    const isWhole = !hasBody && !this.#asksForTunnel;
    this.#requestEnded = isWhole;
    this.#stream = connection.openStream(http2Fields(request, connection.scheme), isWhole, this);
    if (this.#stream === undefined)
      this.#fail({ code: 'SP_UPSTREAM_RESET', detail: 'no stream can be opened', isUnprocessed: true });
  }

  sendBody(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#touch();
    this.#stream?.write(bytes, 0, bytes.length);
  }

  endRequest(trailers: HeaderList | undefined): void {
    if (this.#isOver || this.#requestEnded || this.#asksForTunnel) return;
    this.#requestEnded = true;
    this.#touch();
    this.#stream?.end(trailers !== undefined && trailers.length > 0 ? trailers : undefined);
  }

  flush(): boolean {
    return this.#stream?.isWaiting !== true;
  }

  resume(): void {
    if (this.#isOver || !this.#isPaused) return;
    this.#isPaused = false;
    this.deadline = this.#in(this.#candidacy.timeouts.readMs);
    this.#giveBack();
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#stream?.reset('CANCEL');
    this.#close();
  }

  // ── what the stream tells ─────────────────────────────────────────────────────────────────────────────────────────

  response(head: Http2ResponseHead): void {
    this.hasResponseBytes = true;
    this.#heard();
    if (head.status < 200) {
      if (++this.#informational > MAX_INFORMATIONAL) this.#refuse('too many informational responses');
      else this.#candidacy.sink.onInformational(toResponseHead(head, 'none'));
      return;
    }
    this.#head = head;
    this.#markTouched();
  }

  data(buffer: Buffer, start: number, end: number): void {
    this.#heard();
    this.#tellHead(false);
    if (this.#tunnel !== undefined) {
      this.#tunnel.receive(buffer, start, end);
    } else if (!this.#isOver) {
      this.#unconsumed += end - start;
      this.#candidacy.sink.onResponseData(buffer, start, end);
      this.#markTouched();
    }
  }

  end(trailers: HeaderList | undefined): void {
    this.#heard();
    if (this.#tunnel !== undefined) {
      this.#tunnel.remoteEnd();
      return;
    }
    this.#responseEnded = true;
    this.#trailers = trailers;
    this.#markTouched();
  }

  reset(code: number, cause: ResetCause): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.over();
      return;
    }
    // Behind a complete answer it only says that the rest of the request is not wanted.
    if (this.#responseEnded || this.#isOver) return;
    this.#failure = this.#failureOf(code, cause);
    this.#markTouched();
  }

  writable(): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.drained();
      return;
    }
    this.#touch();
    if (!this.#isOver) this.#candidacy.sink.onUpstreamDrain();
  }

  finished(): void {
    this.#tunnel?.closeIfOver();
  }

  // ── what the tunnel tells ─────────────────────────────────────────────────────────────────────────────────────────

  /** An endpoint that does not read must not keep it for ever. */
  onClosing(): void {
    this.deadline = this.#in(this.#candidacy.timeouts.sendMs);
  }

  onClosed(): void {
    this.#close();
  }

  // ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The read is over: tells what it has brought. Returns whether bytes of it are still to be written. */
  settle(): boolean {
    this.#isTouched = false;
    if (this.#isOver || this.#tunnel !== undefined) return false;
    // A tunnel that was cut before anybody knew of it is none.
    if (this.#failure === undefined || !this.#asksForTunnel) this.#tellHead(this.#responseEnded);
    // By the head the sink may have given the exchange up, for another try: then it belongs to another one already.
    if (this.#isOver) return false;
    // An answer that has no body is whole with its head, whatever came behind.
    if (this.#failure !== undefined && this.#isBodiless) this.#complete();
    else if (this.#failure !== undefined) this.#fail(this.#blame(this.#failure));
    else if (this.#responseEnded && this.#tunnel === undefined) this.#complete();
    else if (this.#unconsumed > 0) this.#flushResponse();
    return this.#candidacy.sink.hasPendingOutput;
  }

  onDeadline(): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.destroy();
      return;
    }
    const { readMs } = this.#candidacy.timeouts;
    if (!this.#requestEnded && this.#stream?.isWaiting === true) {
      this.#giveUp('request body not taken in time');
    } else if (!this.#requestEnded && !this.hasResponseBytes) {
      // The client is still sending: its own limits hold, the upstream owes nothing yet.
      this.deadline = this.#in(readMs);
    } else {
      this.#giveUp(this.hasResponseBytes ? 'response stalled' : 'no response in time');
    }
  }

  /** The response cannot be passed on: what else comes is not heard. */
  #refuse(detail: string): void {
    this.#stream?.reset('CANCEL');
    this.#failure = { code: 'SP_UPSTREAM_PROTOCOL', detail, isUnprocessed: false };
    this.#markTouched();
  }

  #giveUp(detail: string): void {
    this.#stream?.reset('CANCEL');
    this.#fail({ code: 'SP_UPSTREAM_TIMEOUT', detail, isUnprocessed: false });
  }

  /** Also while paused: what the window let through has to leave all the same, since it stands in a buffer that is lent. */
  #flushResponse(): void {
    if (this.#isOver) return;
    this.#isPaused = !this.#candidacy.sink.onResponseFlush();
    if (this.#isPaused) this.deadline = 0;
    else this.#giveBack();
  }

  #giveBack(): void {
    const bytes = this.#unconsumed;
    this.#unconsumed = 0;
    const stream = this.#stream;
    if (bytes === 0 || stream === undefined) return;
    stream.mayGrow = !this.#candidacy.sink.isCongested;
    stream.consume(bytes);
  }

  #tellHead(isComplete: boolean): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = undefined;
    this.#headTold = true;
    const { sink } = this.#candidacy;
    if (this.#asksForTunnel && head.status < 300) {
      this.#openTunnel(head);
      return;
    }
    // An answer other than yes: nothing of ours follows.
    if (this.#asksForTunnel) this.#stream?.end();
    const bodiless = this.#isHead || head.status === 204 || head.status === 304;
    this.#isBodiless = bodiless;
    const length = isComplete && this.#trailers === undefined ? 0 : head.contentLength;
    sink.onResponseHead(toResponseHead(head, bodiless ? 'none' : length >= 0 ? 'length' : 'chunked', length));
  }

  #openTunnel(head: Http2ResponseHead): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    const { sink, request } = this.#candidacy;
    this.deadline = 0;
    this.#tunnel = new Http2TunnelEnd(stream, this.#responseEnded, this);
    sink.onUpgraded(switchedHead(head, request), this.#tunnel);
  }

  /** The response is complete. A request that is not stops with it. */
  #complete(): void {
    const { sink } = this.#candidacy;
    const stream = this.#stream;
    if (stream !== undefined && !stream.isClosed) stream.reset('CANCEL');
    this.#giveBack();
    this.#close();
    sink.onResponseEnd(keptTrailers(this.#trailers));
  }

  #fail({ code, detail, isUnprocessed }: Failure): void {
    if (this.#isOver) return;
    this.#close();
    this.#candidacy.sink.onUpstreamFailed(code, detail, isUnprocessed);
  }

  #failureOf(code: number, cause: ResetCause): Failure {
    if (cause === 'peer' && code === errorCode.REFUSED_STREAM && !this.hasResponseBytes)
      return { code: 'SP_UPSTREAM_RESET', detail: 'stream refused by the endpoint', isUnprocessed: true };
    const isBegun = this.#headTold || this.#head !== undefined;
    if (cause === 'fault')
      return {
        code: isBegun ? 'SP_UPSTREAM_TRUNCATED' : 'SP_UPSTREAM_PROTOCOL',
        detail: 'the endpoint broke a rule of HTTP/2',
        isUnprocessed: false,
      };
    const detail = `stream reset by the endpoint: ${nameOf(code)}`;
    return { code: isBegun ? 'SP_UPSTREAM_TRUNCATED' : 'SP_UPSTREAM_RESET', detail, isUnprocessed: false };
  }

  /** What is true of a connection that was lost is known only now. */
  #blame(failure: Failure): Failure {
    const { lostCode, lostDetail, isLost } = this.#connection;
    if (!isLost || failure.isUnprocessed) return failure;
    const code = failure.code === 'SP_UPSTREAM_TRUNCATED' ? failure.code : lostCode;
    return { ...failure, code, detail: lostDetail };
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.deadline = 0;
    const { board, sweeper } = this.#connection.pool.context;
    sweeper.remove(this);
    board.end(this.#candidacy.slot);
    this.#connection.ended();
  }

  /** Request bytes are being sent: the time for taking them, or at their end for answering, starts anew. */
  #touch(): void {
    if (this.hasResponseBytes || this.#isOver) return;
    const { readMs, sendMs } = this.#candidacy.timeouts;
    this.deadline = this.#in(this.#requestEnded ? readMs : sendMs);
  }

  #heard(): void {
    if (!this.#isPaused && this.#tunnel === undefined && !this.#isOver)
      this.deadline = this.#in(this.#candidacy.timeouts.readMs);
  }

  #markTouched(): void {
    if (this.#isTouched) return;
    this.#isTouched = true;
    this.#connection.touched(this);
  }

  #in(ms: number): number {
    return this.#connection.pool.context.sweeper.after(ms);
  }
}

function nameOf(code: number): string {
  for (const [name, value] of Object.entries(errorCode)) if (value === code) return name;
  return `code ${code}`;
}
