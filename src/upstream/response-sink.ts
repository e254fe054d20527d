import type { ResponseHead } from '../http1/message-head.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

// The upstream side of an exchange: endpoints, their pooled connections, and one exchange at a time on each.
// Comes in: a request head as text and body buffers. Goes out: response events to a sink.
// Imports http1, balance, table, telemetry and util; never routes, filters or client connections.

/**
 * Receives one response. Calls come in order: informational*, head, data*, then end; or failed at any point, after which
 * nothing follows. Heads and buffers are only valid during the call.
 */
export interface ResponseSink {
  /** The TCP connection is up; the request may be sent. Called only for connections that were made for this try. */
  onUpstreamConnected(connection: UpstreamConnection): void;
  /** 1xx other than 101. */
  onInformational(head: ResponseHead): void;
  onResponseHead(head: ResponseHead): void;
  onResponseData(buffer: Buffer, start: number, end: number): void;
  /** What arrived together has been handed over: it should leave now. Returns false to hold the upstream back until `resume`. */
  onResponseFlush(): boolean;
  /** Whether anything that was handed over is still to be written, so that its buffer must not be read into. */
  readonly hasPendingOutput: boolean;
  onResponseEnd(trailers: HeaderList | undefined): void;
  /** 101: from now on the connection is a tunnel of the sink's; `rest` arrived behind the head. */
  onUpgraded(head: ResponseHead, connection: UpstreamConnection, rest: Buffer): void;
  onUpstreamFailed(code: ErrorCodeName, detail: string): void;
  /** The upstream takes request body bytes again. */
  onUpstreamDrain(): void;
}
