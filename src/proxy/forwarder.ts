import { fieldLine, lastChunk, requestHeadText } from '../http1/message-writer.ts';
import type { RequestHead, ResponseHead } from '../http1/message-head.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { EndpointPool } from '../upstream/endpoint-pool.ts';
import type { ResponseSink } from '../upstream/response-sink.ts';
import { mayRetry } from '../upstream/retry-policy.ts';
import type { UpstreamConnection } from '../upstream/upstream-connection.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { Exchange } from './exchange.ts';
import type { LinkedBackend } from './linked-table.ts';
import { OutputBuffer } from './output-buffer.ts';
import { dropResponseFields } from './response-fields.ts';
import { startTunnel } from './tunnel.ts';
import { acceptsUpgrade, forwardedUpgrade } from './upgrade.ts';

/** Request body bytes kept so that a failed try can be repeated; longer bodies are sent once. */
const REPLAY_BYTES = 64 * 1024;
/** Nor bodies in more pieces than this. */
const REPLAY_PIECES = 256;
const nothingTried: readonly EndpointPool[] = [];
/** For requests without a body: they can always be repeated. */
const nothingSent: Buffer[] = [];

/**
 * The upstream half of an exchange: tries endpoints until one answers, streams the request to it and its response back.
 * Holds no body: what either side cannot take holds the other back.
 */
export class Forwarder implements ResponseSink, Expiring {
  deadline = 0;
  sweepIndex = -1;
  backend: LinkedBackend | undefined;
  endpointLabel = '';
  upstreamStatus = 0;
  /** From the start of the last try to its response head; -1 while there is none. */
  upstreamMs = -1;
  tries = 0;

  readonly #exchange: Exchange;
  #connection: UpstreamConnection | undefined;
  /** The endpoint of this try, and those of the tries that failed. */
  #pool: EndpointPool | undefined;
  #tried: readonly EndpointPool[] = nothingTried;
  #tryStartMs = 0;
  #sent = false;
  #stale = false;
  #framing: RequestHead['framing'] = 'none';
  #contentLength = 0;
  #expectContinue = false;
  #upgrade: string | undefined;
  #webSocketKey = '';
  #headText = '';
  readonly #output = new OutputBuffer();
  #bodyBytesSent = 0;
  #bodyEnded = false;
  /** Bytes of the body sent so far, while they can still be repeated. */
  #replay: Buffer[] | undefined;
  #replayBytes = 0;
  /** End of a chunked body once the client has sent it; '' before. */
  #lastChunk = '';
  #continued = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Remembers of the head what outlives filters: framing, Expect, Upgrade. */
  prepare(head: RequestHead): void {
    this.#framing = head.framing;
    this.#contentLength = head.contentLength;
    this.#expectContinue = head.expectContinue;
    this.#upgrade = forwardedUpgrade(head.upgrade);
    this.#webSocketKey = this.#upgrade === undefined ? '' : (head.headers.get('sec-websocket-key') ?? '');
  }

  /** `fields` is text of field lines that go before the request's own. */
  start(backend: LinkedBackend, fields: string): void {
    this.backend = backend;
    this.#bodyEnded = this.#framing === 'none';
    this.#replay = this.#framing === 'none' ? nothingSent : [];
    const { requestMs } = backend.timeouts;
    if (requestMs > 0) {
      this.deadline = this.#exchange.services.sweeper.after(requestMs);
      this.#exchange.services.sweeper.add(this);
    }
    const { request } = this.#exchange;
    this.#headText = requestHeadText(
      request.method,
      request.path + request.query,
      request.headers,
      `Host: ${request.authority}\r\n${this.#connectionFields()}${fields}`,
    );
    this.#try();
  }

  /** Body bytes, only while the upstream is there to take them (`takeBody` … `holdBody`). */
  sendBody(bytes: Buffer): void {
    const connection = this.#connection;
    if (connection === undefined || !this.#sent) {
      this.#exchange.refuse('SP_INTERNAL', 'request body arrived before its upstream');
      return;
    }
    connection.touch();
    this.#bodyBytesSent += bytes.length;
    this.#keepForReplay(bytes);
    this.#addBody(bytes);
  }

  endBody(trailers: HeaderList | undefined): void {
    const connection = this.#connection;
    this.#bodyEnded = true;
    if (connection === undefined || !this.#sent) return;
    if (this.#framing === 'chunked') {
      this.#lastChunk = lastChunk(trailers);
      this.#output.add(this.#lastChunk);
    }
    this.flush();
    connection.endRequest();
  }

  /** Lets what was gathered leave. Returns false when the upstream does not keep up. */
  flush(): boolean {
    const connection = this.#connection;
    return connection === undefined || !this.#sent || this.#output.flush(connection.socket);
  }

  /** The client takes response bytes again. */
  resume(): void {
    this.#connection?.resume();
  }

  /** Nobody wants the answer any more. */
  cancel(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.destroy();
  }

  /** Forgets everything of the exchange that has ended. */
  release(): void {
    if (this.sweepIndex >= 0) this.#exchange.services.sweeper.remove(this);
    this.deadline = 0;
    this.backend = undefined;
    this.endpointLabel = '';
    this.upstreamStatus = 0;
    this.upstreamMs = -1;
    this.tries = 0;
    this.#connection = undefined;
    this.#pool = undefined;
    this.#tried = nothingTried;
    this.#sent = false;
    this.#stale = false;
    this.#headText = '';
    this.#output.clear();
    this.#bodyBytesSent = 0;
    this.#replay = undefined;
    this.#replayBytes = 0;
    this.#lastChunk = '';
    this.#continued = false;
  }

  onDeadline(): void {
    this.#exchange.refuse('SP_REQUEST_TIMEOUT');
  }

  onUpstreamConnected(): void {
    this.#sendHead();
    this.takeUp();
  }

  /** Lets the body come, once the upstream is there: for every start that does not happen while the client's bytes are being read. */
  takeUp(): void {
    if (!this.#sent || this.#bodyEnded) return;
    this.#exchange.downstream.takeBody();
    this.flush();
  }

  onUpstreamDrain(): void {
    if (!this.#bodyEnded) this.#exchange.downstream.takeBody();
  }

  onInformational(head: ResponseHead): void {
    // A 100 is passed on once, and only to a client that asked for it.
    if (head.status === 100 && (this.#continued || !this.#expectContinue)) return;
    if (head.status === 100) this.#continued = true;
    dropResponseFields(head, false);
    this.#exchange.downstream.informational(head.status, head.headers);
  }

  onResponseHead(head: ResponseHead): void {
    const exchange = this.#exchange;
    this.upstreamMs = exchange.services.sweeper.turnMs - this.#tryStartMs;
    this.upstreamStatus = head.status;
    if (this.backend?.retry.onStatus.includes(head.status) === true && this.#mayRetry(undefined)) {
      this.cancel();
      this.#retry();
      return;
    }
    this.#replay = undefined;
    const length = answerLength(head);
    dropResponseFields(head, exchange.services.settings.passServerHeader);
    const status = exchange.filterResponse(head.status, head.headers);
    exchange.onAnswered(status);
    exchange.downstream.head({
      status,
      reason: status === head.status ? head.reason : '',
      headers: head.headers,
      length,
      bodiless: head.framing === 'none',
      close:
        exchange.services.draining || this.#upgrade !== undefined || !exchange.downstream.isRequestComplete,
    });
  }

  onResponseData(buffer: Buffer, start: number, end: number): void {
    this.#exchange.countResponseBytes(end - start);
    this.#exchange.downstream.body(buffer, start, end);
  }

  onResponseFlush(): boolean {
    return this.#exchange.downstream.flush();
  }

  get hasPendingOutput(): boolean {
    return this.#exchange.downstream.hasPendingOutput;
  }

  onResponseEnd(trailers: HeaderList | undefined): void {
    this.#connection = undefined;
    this.#exchange.onCompleted(trailers);
  }

  onUpgraded(head: ResponseHead, connection: UpstreamConnection, rest: Buffer): void {
    const exchange = this.#exchange;
    if (this.#upgrade === undefined || !acceptsUpgrade(head, this.#upgrade, this.#webSocketKey)) {
      exchange.distrust();
      exchange.refuse('SP_UPSTREAM_PROTOCOL', 'switched protocols in a way that was not asked for');
      return;
    }
    this.upstreamMs = exchange.services.sweeper.turnMs - this.#tryStartMs;
    this.upstreamStatus = 101;
    exchange.onAnswered(101);
    startTunnel({ exchange, connection, head, upgrade: this.#upgrade, rest });
  }

  onUpstreamFailed(code: ErrorCodeName, detail: string): void {
    const connection = this.#connection;
    this.#connection = undefined;
    // An upstream that has begun to answer has taken the request: it is not sent twice.
    const isBegun = connection?.hasResponseBytes === true && code === 'SP_UPSTREAM_RESET';
    this.#stale =
      connection !== undefined &&
      this.#sent &&
      connection.isReused &&
      !isBegun &&
      code === 'SP_UPSTREAM_RESET';
    if (!isBegun && !this.#exchange.hasAnswered && this.#mayRetry(code)) this.#retry();
    else this.#exchange.refuse(code, detail);
  }

  /** Framing and connection fields of the request, which are this connection's own. */
  #connectionFields(): string {
    let text = '';
    if (this.#framing === 'length') text = fieldLine('Content-Length', this.#contentLength);
    else if (this.#framing === 'chunked') text = 'Transfer-Encoding: chunked\r\n';
    if (this.#expectContinue) text += 'Expect: 100-continue\r\n';
    if (this.#upgrade !== undefined) text += `Connection: upgrade\r\nUpgrade: ${this.#upgrade}\r\n`;
    return text;
  }

  #try(): void {
    const exchange = this.#exchange;
    const { backend } = this;
    const upstream = backend?.upstream as Upstream | undefined;
    const pool = upstream?.pick(this.#tried);
    if (pool === undefined || backend === undefined) {
      exchange.refuse(
        upstream === undefined || upstream.endpointCount === 0 ? 'SP_NO_ENDPOINTS' : 'SP_ENDPOINTS_BUSY',
      );
      return;
    }
    this.tries++;
    this.#pool = pool;
    this.endpointLabel = pool.label;
    this.#tryStartMs = exchange.services.sweeper.turnMs;
    this.#sent = false;
    this.#bodyBytesSent = 0;
    const connection = pool.acquire(this, exchange.request.method, backend.timeouts, this.#stale);
    this.#connection = connection;
    if (connection.isConnecting) {
      if (!this.#bodyEnded) exchange.downstream.holdBody();
    } else {
      this.#sendHead();
    }
  }

  /** Sends the head, with what a failed try had already sent of the body; a head without a body to come leaves at once. */
  #sendHead(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#sent = true;
    this.#output.clear();
    this.#output.add(this.#headText);
    for (const bytes of this.#replay ?? []) {
      this.#addBody(bytes);
      this.#bodyBytesSent += bytes.length;
    }
    if (!this.#bodyEnded) return;
    if (this.#lastChunk !== '') this.#output.add(this.#lastChunk);
    this.flush();
    connection.endRequest();
  }

  #addBody(bytes: Buffer): void {
    if (this.#framing === 'chunked') this.#output.addChunked(bytes);
    else this.#output.add(bytes);
  }

  #keepForReplay(bytes: Buffer): void {
    const replay = this.#replay;
    if (replay === undefined) return;
    this.#replayBytes += bytes.length;
    if (this.#replayBytes <= REPLAY_BYTES && replay.length < REPLAY_PIECES) replay.push(bytes);
    else this.#replay = undefined;
  }

  #retry(): void {
    this.backend?.metrics.retried();
    if (this.#pool !== undefined) this.#tried = [...this.#tried, this.#pool];
    this.#try();
    this.takeUp();
  }

  #mayRetry(code: ErrorCodeName | undefined): boolean {
    const { request, startMs, services } = this.#exchange;
    const retry = this.backend?.retry;
    if (retry === undefined) return false;
    return mayRetry(retry, {
      method: request.method,
      code,
      sent: this.#sent,
      stale: this.#stale,
      bodyBytesSent: this.#bodyBytesSent,
      replayable: this.#replay !== undefined,
      tries: this.tries,
      elapsedMs: services.sweeper.now() - startMs,
    });
  }
}

/** What the client is told of the body's length: HEAD and 304 pass on the length that a GET would have had. */
function answerLength(head: ResponseHead): number | undefined {
  if (head.framing === 'length') return head.contentLength;
  if (head.framing !== 'none') return -1;
  const stated = head.status === 204 ? undefined : head.headers.get('content-length');
  return stated === undefined ? undefined : Number(stated);
}
