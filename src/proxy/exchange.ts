import type { Filter, LocalAnswer, RequestVerdict } from '../filters/filter.ts';
import type { RequestHead } from '../http1/message-head.ts';
import { errorCodes } from '../telemetry/error-codes.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import { HeaderList } from '../util/header-list.ts';
import { admit } from './admission.ts';
import { admitClient, certificateErrorAnswer, plainHttpVerdict } from './client-certificate.ts';
import { clientRefusal } from './client-refusal.ts';
import type { Client } from './client.ts';
import type { Downstream } from './downstream.ts';
import { errorAnswer, optionsAnswer } from './error-answers.ts';
import { ExchangeBooks } from './exchange-books.ts';
import { Forwarder } from './forwarder.ts';
import { cutTrailers, grpcAnswer } from './grpc/grpc-answer.ts';
import { askForTrailers, callLimitMs, requestForm } from './grpc/grpc-request.ts';
import { translateGrpcWeb } from './grpc/grpc-web-downstream.ts';
import type { GrpcWebDownstream } from './grpc/grpc-web-downstream.ts';
import { MessageBoundary } from './grpc/message-boundary.ts';
import { ForwardingFields, MAX_HOPS } from './forwarding-fields.ts';
import type { LinkedClientAuth } from './linked-client-auth.ts';
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
  /** Of the request that is served: the connection, or what translates for it. */
  downstream: Downstream;
  readonly client: Client;

  readonly #connection: Downstream;
  readonly #forwarder: Forwarder;
  readonly #forwarding: ForwardingFields;
  readonly #books = new ExchangeBooks();
  readonly #answerHeaders = new HeaderList();
  #claims: ClaimedFields | undefined;
  #active = false;
  /** Told apart by number, so that a filter's late promise finds its own request or none. */
  #epoch = 0;
  #answered = false;
  #route: LinkedRoute | undefined;
  /** What the host of the request asks of clients; undefined for most. */
  #clientAuth: LinkedClientAuth | undefined;
  /** Bytes behind an upgrade request belong to no HTTP message. */
  #untrusted = false;
  /** A filter has been asked and has not answered: it may change the request's fields until it has. */
  #isAwaiting = false;
  /** While `downstream` is one: the client speaks gRPC-Web, its endpoint gRPC. */
  #web: GrpcWebDownstream | undefined;
  /** Of a call of gRPC, whose body may be a stream without end: the limit is for each of its messages. */
  #messages: MessageBoundary | undefined;

  constructor(downstream: Downstream, services: ProxyServices, client: Client) {
    this.request = new ProxyRequest(client.transport);
    this.downstream = downstream;
    this.#connection = downstream;
    this.services = services;
    this.client = client;
    this.#forwarder = new Forwarder(this);
    this.#forwarding = new ForwardingFields(client.address, services.fields);
  }

  /** Whether a request is being served. */
  get isActive(): boolean {
    return this.#active;
  }

  /** Whether a filter still has the request in its hands: until it lets go, no other request may take its place. */
  get isAwaiting(): boolean {
    return this.#isAwaiting;
  }

  get hasAnswered(): boolean {
    return this.#answered;
  }

  get startMs(): number {
    return this.#books.startMs;
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
    const plain = this.#clientAuth === undefined ? undefined : plainHttpVerdict(this.request, this.#route);
    if (plain !== undefined) {
      if (typeof plain === 'string') this.refuse(plain);
      else this.answer(plain);
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
    this.#books.errorDetail = detail;
    this.refuse(code);
  }

  /** Ends the exchange with an error answer, or by cutting an answer that has begun. */
  refuse(code: ErrorCodeName, detail = ''): void {
    if (!this.#active) return;
    this.#forwarder.cancel();
    this.#books.error = code;
    if (detail !== '') this.#books.errorDetail = detail;
    if (this.#answered || errorCodes[code].status === 0) {
      if (!this.#answered) this.#books.status = 499;
      const trailers = this.#answered ? cutTrailers(this.request, code) : undefined;
      this.#close();
      this.downstream.abort(trailers);
      return;
    }
    this.answer(certificateErrorAnswer(code, this.#clientAuth) ?? errorAnswer(code, this.request.requestId));
  }

  /** Answers from here, through the route's response filters. */
  answer(answer: LocalAnswer): void {
    this.#answered = true;
    const headers = this.#answerHeaders;
    headers.clear();
    for (const [name, value] of answer.headers) headers.append(name, value);
    const { request } = this;
    this.#books.status = this.filterResponse(answer.status, headers);
    const made = { status: this.#books.status, headers, text: answer.body, error: this.#books.error };
    const grpc = grpcAnswer(request, made, this.#web?.form);
    const status = grpc === undefined ? this.#books.status : 200;
    const body = grpc ?? Buffer.from(answer.body, 'latin1');
    const bodiless = request.method === 'HEAD' || grpc?.length === 0 || status === 204;
    // RFC 9110 §8.6: a length beside 204 is an error.
    const length = status === 204 ? undefined : body.length;
    this.downstream = this.#connection;
    const close =
      this.services.draining ||
      this.#untrusted ||
      !this.downstream.isRequestComplete ||
      isInputError(this.#books.error);
    this.downstream.head({ status, reason: '', headers, length, bodiless, close });
    if (!bodiless) {
      this.#books.responseBytes = body.length;
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
    this.#books.status = status;
  }

  countResponseBytes(bytes: number): void {
    this.#books.responseBytes += bytes;
  }

  /** The upstream's answer is complete. */
  onCompleted(trailers: HeaderList | undefined): void {
    this.#close();
    this.downstream.end(trailers);
  }

  /** The connection has become a tunnel: the books of the request close when it does. */
  onTunnelEnded(sentBytes: number, receivedBytes: number): void {
    this.#books.requestBytes = sentBytes;
    this.#books.responseBytes = receivedBytes;
    this.#close();
  }

  onRequestData(buffer: Buffer, start: number, end: number): void {
    if (!this.#active) return;
    this.#books.requestBytes += end - start;
    const bytes = buffer.subarray(start, end);
    const sent = this.#web === undefined ? bytes : this.#web.decode(bytes);
    if (sent === undefined) this.refuse('SP_BAD_REQUEST', 'malformed base64 of gRPC-Web');
    else if (this.#isTooLarge(sent)) this.refuse('SP_BODY_TOO_LARGE');
    else if (sent.length > 0) this.#forwarder.sendBody(sent);
  }

  #isTooLarge(bytes: Buffer): boolean {
    const { maxRequestBodyBytes } = this.services.settings;
    if (maxRequestBodyBytes === 0) return false;
    if (this.#messages === undefined) return this.#books.requestBytes > maxRequestBodyBytes;
    this.#messages.consume(bytes, 0, bytes.length);
    return this.#messages.longest > maxRequestBodyBytes;
  }

  onRequestEnd(trailers: HeaderList | undefined): void {
    if (!this.#active) return;
    if (this.#web?.isBodyWhole === false) this.refuse('SP_BAD_REQUEST', 'base64 of gRPC-Web ends too early');
    else this.#forwarder.endBody(trailers);
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
    this.#books.error = code;
    if (!this.#answered) this.#books.status = 499;
    this.#close();
  }

  #open(): void {
    const { services, request } = this;
    services.counters.requestStarted();
    request.clear();
    this.#epoch++;
    this.#active = true;
    this.#answered = false;
    this.#books.open(services.sweeper.turnMs);
    this.#route = undefined;
    this.#clientAuth = undefined;
    this.#untrusted = false;
    this.downstream = this.#connection;
    this.#web = undefined;
    this.#messages = undefined;
  }

  /** Everything that can be wrong with a request before it is anybody's, and the route whose it is. */
  #admit(head: RequestHead): ErrorCodeName | undefined {
    const { request, services } = this;
    request.method = head.method;
    request.headers = head.headers;
    services.counters.requestVersion(versions[this.downstream.protocol]);
    this.#untrusted = head.upgrade !== undefined;
    if (services.accessLog !== undefined) this.#books.noteClient(head.headers);
    const refusal = admit(head, request, services.settings);
    const claims = takeClaims(head, request, this.client.address, services.fields);
    this.#claims = claims;
    if (refusal !== undefined || head.pathAndQuery === '*') return refusal;
    if (claims !== undefined && claims.hops >= MAX_HOPS) return 'SP_LOOP';
    request.speakFor(claims?.forwardedProto ?? this.client.scheme);
    const { table } = services;
    if (table.clientAuths.size > 0) {
      this.#clientAuth = table.clientAuthFor(request.host);
      const judged = admitClient(this.#clientAuth, this.client, request);
      if (judged !== undefined) {
        this.#books.errorDetail = clientRefusal(judged, this.client.identity);
        return judged;
      }
    }
    const route = table.match(request);
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
    this.#isAwaiting = true;
    verdict.then(
      (answer) => {
        this.#isAwaiting = false;
        if (epoch !== this.#epoch || !this.#active) return;
        this.services.sweeper.turn();
        if (answer !== undefined) this.answer(answer);
        else this.#runFilters(filters, next);
        this.#forwarder.takeUp();
      },
      (error: unknown) => {
        this.#isAwaiting = false;
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
    const limitMs = callLimitMs(this.request);
    if (backend === undefined) this.refuse('SP_NO_ENDPOINTS');
    else if (limitMs === undefined) this.refuse('SP_BAD_REQUEST', 'malformed grpc-timeout');
    else {
      const fields = hasFields ? '' : this.#originFields(backend);
      if (this.#forwarder.speaksGrpc(backend)) this.#speakGrpc();
      this.#forwarder.start(backend, fields, limitMs);
    }
  }

  #speakGrpc(): void {
    this.#web = translateGrpcWeb(this.request, this.#connection);
    if (this.#web !== undefined) this.downstream = this.#web;
    if (this.#web?.decodes === true) this.#forwarder.recodesBody();
    if (requestForm(this.request) !== undefined) this.#messages = new MessageBoundary();
    askForTrailers(this.request.headers);
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
    this.services.counters.requestEnded();
    this.#books.close(this, this.#route, this.#forwarder);
    this.#forwarder.release();
  }
}

/**
 * A request that is wrong in itself (400), or that may not be HTTP behind its head (405: CONNECT): nothing behind it is
 * believed. One that came to the wrong connection (421) is to come again over another.
 */
function isInputError(error: ErrorCodeName | undefined): boolean {
  if (error === undefined) return false;
  const { status } = errorCodes[error];
  return status === 400 || status === 405 || status === 421;
}

/** A table's code is plain text; one that this version does not know still fails closed. */
function respondCode(code: string): ErrorCodeName {
  return code in errorCodes ? (code as ErrorCodeName) : 'SP_ROUTE_INVALID';
}
