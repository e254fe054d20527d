import type { RequestHead, ResponseHead } from '../http1/message-head.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { EndpointPool } from '../upstream/endpoint-pool.ts';
import type { ResponseSink } from '../upstream/response-sink.ts';
import { mayRetry } from '../upstream/retry-policy.ts';
import type { UpstreamExchange } from '../upstream/upstream-exchange.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { TunnelEnd } from '../util/tunnel-end.ts';
import type { Exchange } from './exchange.ts';
import { ForwardedRequest } from './forwarded-request.ts';
import type { LinkedBackend } from './linked-table.ts';
import { Replay } from './replay.ts';
import { dropResponseFields } from './response-fields.ts';
import { startTunnel } from './tunnel.ts';

const nothingTried: readonly EndpointPool[] = [];

/**
 * The upstream half of an exchange: tries endpoints until one answers, streams the request to it and its response back.
 * Holds no body: what either side cannot take holds the other back. Knows no protocol.
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
  readonly #request: ForwardedRequest;
  readonly #replay = new Replay();
  /** The try that runs. */
  #upstream: UpstreamExchange | undefined;
  /** The endpoint of this try, and those of the tries that failed. */
  #pool: EndpointPool | undefined;
  #tried: readonly EndpointPool[] = nothingTried;
  #tryStartMs = 0;
  #sent = false;
  #stale = false;
  #bodyBytesSent = 0;
  #bodyEnded = false;
  #trailers: HeaderList | undefined;
  #continued = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#request = new ForwardedRequest(exchange.client);
  }

  /** Remembers of the head what outlives filters: framing, Expect, Upgrade. */
  prepare(head: RequestHead): void {
    this.#request.prepare(head);
  }

  /** Whether fields may be given as text of HTTP/1. */
  takesText({ upstream }: LinkedBackend): boolean {
    return (upstream as Upstream).protocol === 'http1';
  }

  /** Whether the endpoint's requests are gRPC. */
  speaksGrpc({ upstream }: LinkedBackend): boolean {
    return (upstream as Upstream).grpc;
  }

  /** The request's body will be sent in another form than it came in. */
  recodesBody(): void {
    this.#request.forgetLength();
  }

  /** `fields` is text of field lines that go before the request's own. `limitMs`: how long the client waits, 0 for ever. */
  start(backend: LinkedBackend, fields: string, limitMs: number): void {
    this.backend = backend;
    this.#bodyEnded = this.#request.framing === 'none';
    this.#replay.begin(this.#exchange.downstream.protocol === 'HTTP/2.0');
    const { requestMs } = backend.timeouts;
    const capMs = requestMs > 0 && limitMs > 0 ? Math.min(requestMs, limitMs) : requestMs + limitMs;
    if (capMs > 0) {
      this.deadline = this.#exchange.services.sweeper.after(capMs);
      this.#exchange.services.sweeper.add(this);
    }
    this.#request.complete(this.#exchange.request, fields);
    this.#try();
  }

  /** Body bytes, only while the upstream is there to take them (`takeBody` … `holdBody`). */
  sendBody(bytes: Buffer): void {
    const upstream = this.#upstream;
    if (upstream === undefined || !this.#sent) {
      this.#exchange.refuse('SP_INTERNAL', 'request body arrived before its upstream');
      return;
    }
    this.#bodyBytesSent += bytes.length;
    this.#replay.keep(bytes);
    upstream.sendBody(bytes);
  }

  endBody(trailers: HeaderList | undefined): void {
    this.#bodyEnded = true;
    this.#trailers = trailers;
    if (this.#sent) this.#upstream?.endRequest(trailers);
  }

  /** Lets what was gathered leave. Returns false when the upstream does not keep up. */
  flush(): boolean {
    const upstream = this.#upstream;
    return upstream === undefined || !this.#sent || upstream.flush();
  }

  /** The client takes response bytes again. */
  resume(): void {
    this.#upstream?.resume();
  }

  /** Nobody wants the answer any more. */
  cancel(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.destroy();
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
    this.#upstream = undefined;
    this.#pool = undefined;
    this.#tried = nothingTried;
    this.#sent = false;
    this.#stale = false;
    this.#request.clear();
    this.#replay.clear();
    this.#bodyBytesSent = 0;
    this.#trailers = undefined;
    this.#continued = false;
  }

  onDeadline(): void {
    this.#exchange.refuse('SP_REQUEST_TIMEOUT');
  }

  onUpstreamConnected(upstream: UpstreamExchange): void {
    this.#upstream = upstream;
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
    if (head.status === 100 && (this.#continued || !this.#request.expectContinue)) return;
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
    this.#replay.clear();
    if (exchange.downstream.wantsTunnel) {
      exchange.refuse('SP_UPSTREAM_PROTOCOL', 'did not switch protocols');
      return;
    }
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
        exchange.services.draining ||
        this.#request.upgrade !== undefined ||
        !exchange.downstream.isRequestComplete,
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

  get isCongested(): boolean {
    return this.#exchange.downstream.isCongested;
  }

  onResponseEnd(trailers: HeaderList | undefined): void {
    this.#upstream = undefined;
    this.#exchange.onCompleted(trailers);
  }

  onUpgraded(head: ResponseHead, end: TunnelEnd): void {
    const exchange = this.#exchange;
    this.upstreamMs = exchange.services.sweeper.turnMs - this.#tryStartMs;
    this.upstreamStatus = head.status;
    exchange.onAnswered(head.status);
    startTunnel({ exchange, head, upgrade: this.#request.upgrade ?? '', upstream: end });
  }

  onUpstreamFailed(code: ErrorCodeName, detail: string, isUnprocessed: boolean): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    // What the client takes for the answer to its request cannot be known: an upgrade may be among it.
    if (code === 'SP_UPSTREAM_PROTOCOL') this.#exchange.distrust();
    if (isUnprocessed) this.#sent = false;
    // An upstream that has begun to answer has taken the request: it is not sent twice.
    const isBegun = upstream?.hasResponseBytes === true && code === 'SP_UPSTREAM_RESET';
    this.#stale =
      upstream !== undefined && this.#sent && upstream.isReused && !isBegun && code === 'SP_UPSTREAM_RESET';
    if (!isBegun && !this.#exchange.hasAnswered && this.#mayRetry(code)) this.#retry();
    else this.#exchange.refuse(code, detail);
  }

  #try(): void {
    const exchange = this.#exchange;
    const { backend } = this;
    const upstream = backend?.upstream as Upstream | undefined;
    const fault = upstream?.fault;
    if (fault !== undefined) {
      exchange.refuse('SP_UPSTREAM_TLS', fault);
      return;
    }
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
    const acquired = pool.acquire(this, this.#request, backend.timeouts, this.#stale);
    this.#upstream = acquired;
    if (acquired.isConnecting) {
      if (!this.#bodyEnded) exchange.downstream.holdBody();
    } else {
      this.#sendHead();
    }
  }

  /** Sends the head, with what a failed try had already sent of the body; a head without a body to come leaves at once. */
  #sendHead(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.#sent = true;
    upstream.sendHead(this.#request);
    // It may have failed by that, and another try run already.
    if (this.#upstream !== upstream) return;
    for (const bytes of this.#replay.pieces) {
      this.#bodyBytesSent += bytes.length;
      upstream.sendBody(bytes);
    }
    if (this.#bodyEnded) upstream.endRequest(this.#trailers);
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
      replayable: this.#replay.isPossible,
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
