import type { Filter, LocalAnswer, RequestVerdict } from '../filters/filter.ts';
import type { RequestHead } from '../http1/message-head.ts';
import { errorCodes } from '../telemetry/error-codes.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import { HeaderList } from '../util/header-list.ts';
import { admit } from './admission.ts';
import type { Client } from './client.ts';
import type { Downstream } from './downstream.ts';
import { errorAnswer, optionsAnswer } from './error-answers.ts';
import { Forwarder } from './forwarder.ts';
import { ForwardingFields, MAX_HOPS } from './forwarding-fields.ts';
import type { LinkedBackend, LinkedRoute } from './linked-table.ts';
import { ProxyRequest } from './proxy-request.ts';
import type { ProxyServices } from './proxy-services.ts';
import { takeClaims } from './request-fields.ts';
import type { ClaimedFields } from './request-fields.ts';
import { chooseBackend } from './split.ts';

/** As metrics have them. */
const versions = { 'HTTP/1.0': 'HTTP/1.0', 'HTTP/1.1': 'HTTP/1.1', 'HTTP/2.0': 'HTTP/2' } as const;

/**
 * One request from its head to its last byte, top to bottom: admit (normalise, match), filter, choose, forward; then the
 * books. Protocol-neutral: the client's side is a Downstream, the upstream's a Forwarder. One object serves all requests
 * of a client connection, one after the other.
 */
export class Exchange {
  readonly request: ProxyRequest;
  readonly services: ProxyServices;
  readonly downstream: Downstream;
  readonly client: Client;

  readonly #forwarder: Forwarder;
  readonly #forwarding: ForwardingFields;
  readonly #answerHeaders = new HeaderList();
  #claims: ClaimedFields | undefined;
  #active = false;
  /** Told apart by number, so that a filter's late promise finds its own request or none. */
  #epoch = 0;
  #answered = false;
  #startMs = 0;
  #status = 0;
  #requestBytes = 0;
  #responseBytes = 0;
  #error: ErrorCodeName | undefined;
  #errorDetail = '';
  #route: LinkedRoute | undefined;
  #userAgent = '';
  #referer = '';
  /** Bytes behind an upgrade request belong to no HTTP message. */
  #untrusted = false;

  constructor(downstream: Downstream, services: ProxyServices, client: Client) {
    this.request = new ProxyRequest(client.transport);
    this.downstream = downstream;
    this.services = services;
    this.client = client;
    this.#forwarder = new Forwarder(this);
    this.#forwarding = new ForwardingFields(client.address, services.fields);
  }

  /** Whether a request is being served. */
  get isActive(): boolean {
    return this.#active;
  }

  get hasAnswered(): boolean {
    return this.#answered;
  }

  get startMs(): number {
    return this.#startMs;
  }

  /** Serves the request with this head; the body follows through `onRequestData` and `onRequestEnd`. */
  begin(head: RequestHead): void {
    this.#open();
    const refusal = this.#admit(head);
    if (refusal !== undefined) {
      this.refuse(refusal);
      return;
    }
    if (head.pathAndQuery === '*') {
      this.answer(optionsAnswer);
      return;
    }
    this.#forwarder.prepare(head);
    const filters =
      this.request.scheme === 'http' ? this.#route?.requestFilters : this.#route?.secureRequestFilters;
    if (filters === undefined) {
      this.#forward(false);
      return;
    }
    this.#forwarding.addTo(this.request, this.#claims);
    this.#runFilters(filters, 0);
  }

  /** What follows on the client's connection must not be read as HTTP: the answer is the last. */
  distrust(): void {
    this.#untrusted = true;
  }

  /** Answers a request that could not even be read. */
  refuseUnread(code: ErrorCodeName, detail: string): void {
    if (!this.#active) {
      this.#open();
      this.request.requestId = this.services.fields.requestIds.create();
      this.request.clientAddress = this.client.address;
    }
    this.#errorDetail = detail;
    this.refuse(code);
  }

  /** Ends the exchange with an error answer, or by cutting an answer that has begun. */
  refuse(code: ErrorCodeName, detail = ''): void {
    if (!this.#active) return;
    this.#forwarder.cancel();
    this.#error = code;
    if (detail !== '') this.#errorDetail = detail;
    if (this.#answered || errorCodes[code].status === 0) {
      if (!this.#answered) this.#status = 499;
      this.downstream.abort();
      this.#close();
      return;
    }
    this.answer(errorAnswer(code, this.request.requestId));
  }

  /** Answers from here, through the route's response filters. */
  answer(answer: LocalAnswer): void {
    this.#answered = true;
    const headers = this.#answerHeaders;
    headers.clear();
    for (const [name, value] of answer.headers) headers.append(name, value);
    const body = Buffer.from(answer.body, 'latin1');
    this.#status = this.filterResponse(answer.status, headers);
    const bodiless = this.request.method === 'HEAD';
    const close =
      this.services.draining ||
      this.#untrusted ||
      !this.downstream.isRequestComplete ||
      isInputError(this.#error);
    this.downstream.head({ status: this.#status, reason: '', headers, length: body.length, bodiless, close });
    if (!bodiless) {
      this.#responseBytes = body.length;
      this.downstream.body(body, 0, body.length);
    }
    this.downstream.flush();
    this.#close();
    this.downstream.end(undefined);
  }

  /** Runs response filters; returns the status, which they may change. */
  filterResponse(status: number, headers: HeaderList): number {
    const filters = this.#route?.responseFilters;
    if (filters === undefined) return status;
    const response = { status, headers };
    for (const filter of filters) filter.onResponse?.(response, this.request);
    return response.status;
  }

  /** The upstream's answer begins to reach the client. */
  onAnswered(status: number): void {
    this.#answered = true;
    this.#status = status;
  }

  countResponseBytes(bytes: number): void {
    this.#responseBytes += bytes;
  }

  /** The upstream's answer is complete. */
  onCompleted(trailers: HeaderList | undefined): void {
    this.#close();
    this.downstream.end(trailers);
  }

  /** The connection has become a tunnel: the books of the request close when it does. */
  onTunnelEnded(sentBytes: number, receivedBytes: number): void {
    this.#requestBytes = sentBytes;
    this.#responseBytes = receivedBytes;
    this.#close();
  }

  onRequestData(buffer: Buffer, start: number, end: number): void {
    if (!this.#active) return;
    this.#requestBytes += end - start;
    const { maxRequestBodyBytes } = this.services.settings;
    if (maxRequestBodyBytes > 0 && this.#requestBytes > maxRequestBodyBytes) {
      this.refuse('SP_BODY_TOO_LARGE');
      return;
    }
    this.#forwarder.sendBody(buffer.subarray(start, end));
  }

  onRequestEnd(trailers: HeaderList | undefined): void {
    if (this.#active) this.#forwarder.endBody(trailers);
  }

  /** What arrived together has been handed over: it should leave now. Returns false when the upstream does not keep up; `downstream.takeBody` follows. */
  flushRequest(): boolean {
    return !this.#active || this.#forwarder.flush();
  }

  onClientDrain(): void {
    if (this.#active) this.#forwarder.resume();
  }

  /** The client left. Whatever runs for it stops. */
  onClientGone(code: ErrorCodeName): void {
    if (!this.#active) return;
    this.#forwarder.cancel();
    this.#error = code;
    if (!this.#answered) this.#status = 499;
    this.#close();
  }

  #open(): void {
    const { services, request } = this;
    services.counters.requestStarted();
    request.clear();
    this.#epoch++;
    this.#active = true;
    this.#answered = false;
    this.#startMs = services.sweeper.turnMs;
    this.#status = 0;
    this.#requestBytes = 0;
    this.#responseBytes = 0;
    this.#error = undefined;
    this.#errorDetail = '';
    this.#route = undefined;
    this.#userAgent = '';
    this.#referer = '';
    this.#untrusted = false;
  }

  /** Everything that can be wrong with a request before it is anybody's, and the route whose it is. */
  #admit(head: RequestHead): ErrorCodeName | undefined {
    const { request, services } = this;
    request.method = head.method;
    request.headers = head.headers;
    services.counters.requestVersion(versions[this.downstream.protocol]);
    this.#untrusted = head.upgrade !== undefined;
    if (services.accessLog !== undefined) {
      this.#userAgent = head.headers.get('user-agent') ?? '';
      this.#referer = head.headers.get('referer') ?? '';
    }
    const refusal = admit(head, request, services.settings);
    const claims = takeClaims(head, request, this.client.address, services.fields);
    this.#claims = claims;
    if (refusal !== undefined || head.pathAndQuery === '*') return refusal;
    if (claims !== undefined) {
      if (claims.hops >= MAX_HOPS) return 'SP_LOOP';
      if (claims.forwardedProto !== undefined) request.speakFor(claims.forwardedProto);
    }
    const route = services.table.match(request);
    if (route === undefined) return 'SP_NO_ROUTE';
    this.#route = route;
    // Only filters ask for it, and reading it from one of many routes is a cache miss.
    if (route.requestFilters !== undefined || route.responseFilters !== undefined)
      request.matchedPath = route.route.path;
    return undefined;
  }

  #runFilters(filters: readonly Filter[], from: number): void {
    for (let index = from; index < filters.length; index++) {
      const verdict = filters[index]?.onRequest?.(this.request);
      if (verdict === undefined) continue;
      if (verdict instanceof Promise) {
        this.downstream.holdBody();
        this.#await(verdict, filters, index + 1);
        return;
      }
      this.answer(verdict);
      return;
    }
    this.#forward(true);
  }

  #await(verdict: Promise<RequestVerdict>, filters: readonly Filter[], next: number): void {
    const epoch = this.#epoch;
    verdict.then(
      (answer) => {
        if (epoch !== this.#epoch || !this.#active) return;
        this.services.sweeper.turn();
        if (answer !== undefined) this.answer(answer);
        else this.#runFilters(filters, next);
        this.#forwarder.takeUp();
      },
      (error: unknown) => {
        if (epoch === this.#epoch) this.refuse('SP_INTERNAL', String(error));
      },
    );
  }

  /** `hasFields`: what tells the endpoint where the request came from is among its headers already. */
  #forward(hasFields: boolean): void {
    const route = this.#route;
    // A route that answers by itself leaves that to its filters (a redirect); what none of them answers is refused.
    if (route?.forward === undefined && route?.route.action.kind === 'respond') {
      this.refuse(respondCode(route.route.action.code));
      return;
    }
    const backend =
      route === undefined ? undefined : chooseBackend(route, this.request, this.services.random);
    if (route === undefined || backend === undefined) this.refuse('SP_NO_ENDPOINTS');
    else this.#forwarder.start(backend, hasFields ? '' : this.#originFields(backend));
  }

  /** As text where the endpoint takes it, which is the cheapest way; else they join the headers. */
  #originFields(backend: LinkedBackend): string {
    if (this.#forwarder.takesText(backend)) return this.#forwarding.text(this.request, this.#claims);
    this.#forwarding.addTo(this.request, this.#claims);
    return '';
  }

  /** Closes the books: metrics, log. The answer's last byte may still be on its way. */
  #close(): void {
    if (!this.#active) return;
    this.#active = false;
    const { services, request } = this;
    const durationMs = services.sweeper.turnMs - this.#startMs;
    const forwarder = this.#forwarder;
    services.counters.requestEnded();
    if (this.#error !== undefined) services.counters.error(this.#error);
    const metrics: RouteMetrics = forwarder.backend?.metrics ?? this.#route?.metrics ?? services.noRoute;
    const { upstreamMs } = forwarder;
    metrics.record(
      request.method,
      this.#status,
      durationMs,
      upstreamMs,
      this.#requestBytes,
      this.#responseBytes,
    );
    if (services.accessLog !== undefined) this.#log(durationMs);
    forwarder.release();
  }

  #log(durationMs: number): void {
    const { request } = this;
    const forwarder = this.#forwarder;
    this.services.accessLog?.record({
      clientAddress: request.clientAddress,
      method: request.method,
      host: request.host,
      path: request.path,
      query: request.query,
      protocol: this.downstream.protocol,
      status: this.#status,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      durationMs,
      upstream: forwarder.backend?.upstream.id ?? '',
      upstreamAddress: forwarder.endpointLabel,
      upstreamStatus: forwarder.upstreamStatus,
      upstreamMs: forwarder.upstreamMs,
      tries: forwarder.tries,
      route: this.#route?.route.id ?? '',
      requestId: request.requestId,
      userAgent: this.#userAgent,
      referer: this.#referer,
      error: this.#error,
      errorDetail: this.#errorDetail,
    });
  }
}

/** A request that is wrong in itself (400), or that may not be HTTP behind its head (405: CONNECT): nothing behind it is believed. */
function isInputError(error: ErrorCodeName | undefined): boolean {
  if (error === undefined) return false;
  const { status } = errorCodes[error];
  return status === 400 || status === 405;
}

/** A table's code is plain text; one that this version does not know still fails closed. */
function respondCode(code: string): ErrorCodeName {
  return code in errorCodes ? (code as ErrorCodeName) : 'SP_ROUTE_INVALID';
}
