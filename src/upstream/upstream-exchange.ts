import type { HeaderList } from '../util/header-list.ts';

/** A request on its way to an endpoint, in no protocol's form. Valid until the exchange has ended: it may be sent again. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** What Host or `:authority` says. */
  readonly authority: string;
  /** The client's scheme; towards the endpoint it is the connection that decides. */
  readonly scheme: 'http' | 'https';
  /** Without Host, framing fields and what belongs to one connection. */
  readonly headers: HeaderList;
  /** Lines of HTTP/1 text that go before the headers; always '' where the endpoint may speak HTTP/2. */
  readonly fieldText: string;
  readonly framing: 'none' | 'length' | 'chunked';
  readonly contentLength: number;
  readonly expectContinue: boolean;
  /** Protocol to switch to, lower case. For `websocket` there is a Sec-WebSocket-Key among the headers. */
  readonly upgrade: string | undefined;
  /** For PROXY headers; undefined for requests that no client has made. */
  readonly client: ClientEnds | undefined;
}

/** Both ends of a client's connection. */
export interface ClientEnds {
  readonly address: string;
  readonly port: number;
  /** Where it connected to. */
  readonly localAddress: string;
  readonly localPort: number;
}

/**
 * One try of a request at one endpoint: an HTTP/1.1 connection for the time of one exchange, or a stream of HTTP/2. The
 * response is told to the sink that it was acquired for. Whoever drives it lets go of it once the sink was told of an end,
 * and once it was destroyed: the next request may have it by then.
 */
export interface UpstreamExchange {
  /** The connection is not up: the sink is told when it is, and nothing may be sent before. */
  readonly isConnecting: boolean;
  /** The connection has served before: when it fails without a response, it says nothing about the endpoint. */
  readonly isReused: boolean;
  /** Whether any byte of a response has arrived. */
  readonly hasResponseBytes: boolean;
  /** The head, gathered with what follows until `flush` or `endRequest`. */
  sendHead(request: UpstreamRequest): void;
  /** Body bytes, given away. */
  sendBody(bytes: Buffer): void;
  /** The request is complete, and leaves. */
  endRequest(trailers: HeaderList | undefined): void;
  /** Lets what was gathered leave. Returns false when the endpoint does not keep up; the sink's `onUpstreamDrain` follows. */
  flush(): boolean;
  /** The sink takes response bytes again, after `onResponseFlush` has returned false. */
  resume(): void;
  /** Gives the exchange up: the sink hears nothing more. */
  destroy(): void;
}
