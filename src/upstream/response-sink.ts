import type { ResponseHead } from '../http1/message-head.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { TunnelEnd } from '../util/tunnel-end.ts';
import type { UpstreamExchange } from './upstream-exchange.ts';

// The upstream side of an exchange: endpoints, their pooled connections, and the exchanges on each.
// Comes in: a request in no protocol's form, and body buffers. Goes out: response events to a sink.
// The way of a try: Upstream (which endpoint) → EndpointPool (which connection) → where there is none, Dial (TCP, PROXY
// header, TLS, what ALPN says, SETTINGS) → UpstreamConnection (HTTP/1.1), or an Http2Exchange on an Http2UpstreamConnection.
// Imports http1, http2, balance, table, telemetry and util; never routes, filters or client connections.

/**
 * Receives one response. Calls come in order: informational*, head, data*, then end; or failed at any point, after which
 * nothing follows. Heads and buffers are only valid during the call.
 */
export interface ResponseSink {
  /**
   * The connection is up: the request may be sent, to `exchange` from now on. Called only where what `acquire` returned
   * was still connecting.
   */
  onUpstreamConnected(exchange: UpstreamExchange): void;
  /** 1xx other than 101. */
  onInformational(head: ResponseHead): void;
  onResponseHead(head: ResponseHead): void;
  onResponseData(buffer: Buffer, start: number, end: number): void;
  /** What arrived together has been handed over: it should leave now. Returns false to hold the upstream back until `resume`. */
  onResponseFlush(): boolean;
  /** Whether anything that was handed over is still to be written, so that its buffer must not be read into. */
  readonly hasPendingOutput: boolean;
  /** Much waits already: the next read should be small. */
  readonly isCongested: boolean;
  onResponseEnd(trailers: HeaderList | undefined): void;
  /** The endpoint has agreed to the upgrade, and proved that it means this one: from now on there is a tunnel of the sink's. */
  onUpgraded(head: ResponseHead, end: TunnelEnd): void;
  /** `isUnprocessed`: the endpoint says that it did nothing for this request, although it was sent (RFC 9113 §8.7). */
  onUpstreamFailed(code: ErrorCodeName, detail: string, isUnprocessed: boolean): void;
  /** The upstream takes request body bytes again. */
  onUpstreamDrain(): void;
}
