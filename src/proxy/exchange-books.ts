import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { Exchange } from './exchange.ts';
import type { Forwarder } from './forwarder.ts';
import type { LinkedRoute } from './linked-table.ts';

/** What is written down of an exchange while it runs, and goes to metrics and access log at its end. One object serves all in turn. */
export class ExchangeBooks {
  startMs = 0;
  /** What any client is told that does not speak gRPC: to those that do, an answer of ours is 200 and the status in its trailers. */
  status = 0;
  requestBytes = 0;
  responseBytes = 0;
  error: ErrorCodeName | undefined;
  errorDetail = '';
  #userAgent = '';
  #referer = '';

  open(nowMs: number): void {
    this.startMs = nowMs;
    this.status = 0;
    this.requestBytes = 0;
    this.responseBytes = 0;
    this.error = undefined;
    this.errorDetail = '';
    this.#userAgent = '';
    this.#referer = '';
  }

  /** For the access log, before anything takes fields off. */
  noteClient(headers: HeaderList): void {
    this.#userAgent = headers.get('user-agent') ?? '';
    this.#referer = headers.get('referer') ?? '';
  }

  close(exchange: Exchange, route: LinkedRoute | undefined, forwarder: Forwarder): void {
    const { services } = exchange;
    const { method } = exchange.request;
    const { upstreamMs } = forwarder;
    const durationMs = services.sweeper.turnMs - this.startMs;
    if (this.error !== undefined) services.counters.error(this.error);
    const metrics: RouteMetrics = forwarder.backend?.metrics ?? route?.metrics ?? services.noRoute;
    metrics.record(method, this.status, durationMs, upstreamMs, this.requestBytes, this.responseBytes);
    const { accessLog } = services;
    if (accessLog === undefined) return;
    const { request, downstream } = exchange;
    accessLog.record({
      clientAddress: request.clientAddress,
      method,
      host: request.host,
      path: request.path,
      query: request.query,
      protocol: downstream.protocol,
      status: this.status,
      requestBytes: this.requestBytes,
      responseBytes: this.responseBytes,
      durationMs,
      upstream: forwarder.backend?.upstream.id ?? '',
      upstreamAddress: forwarder.endpointLabel,
      upstreamStatus: forwarder.upstreamStatus,
      upstreamMs,
      tries: forwarder.tries,
      route: route?.route.id ?? '',
      requestId: request.requestId,
      userAgent: this.#userAgent,
      referer: this.#referer,
      error: this.error,
      errorDetail: this.errorDetail,
    });
  }
}
