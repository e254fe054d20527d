import type { ResponseHead } from '../http1/message-head.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { TunnelEnd } from '../util/tunnel-end.ts';

/** How an answer's body is told to the protocol layer: it chooses the wire form (chunked, close, DATA frames). */
export interface AnswerHead {
  readonly status: number;
  /** '' takes the standard phrase. */
  readonly reason: string;
  readonly headers: HeaderList;
  /** Body length when known, -1 when it streams, undefined when there is no body and no length is to be stated. */
  readonly length: number | undefined;
  /** The body is not sent although a length is stated (HEAD, 304). */
  readonly bodiless: boolean;
  /** The connection must not be used for another request. */
  readonly close: boolean;
}

/**
 * The client's side of one exchange, whatever the protocol: an HTTP/1 connection, or a stream of HTTP/2.
 * After `end` or `abort` the exchange says nothing more.
 */
export interface Downstream {
  /** Of the request, as access logs have it. */
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** The request asks for a tunnel and nothing else (RFC 8441): an endpoint that answers it in any other way has failed. */
  readonly wantsTunnel: boolean;
  informational(status: number, headers: HeaderList): void;
  head(answer: AnswerHead): void;
  body(buffer: Buffer, start: number, end: number): void;
  /** Lets what was handed over leave. Returns false when the client does not keep up; `Exchange.onClientDrain` follows. */
  flush(): boolean;
  /** Whether bytes that were handed over are still needed: their buffer must not be read into. */
  readonly hasPendingOutput: boolean;
  /** Much waits for this client already: more should come in small pieces. */
  readonly isCongested: boolean;
  end(trailers: HeaderList | undefined): void;
  /**
   * Cuts the answer so that the client can see that it is incomplete. `trailers` say so to a client that looks for them
   * (gRPC): where an answer can still end with trailers, it does.
   */
  abort(trailers?: HeaderList): void;
  /** Whether request body bytes may flow to the exchange. */
  holdBody(): void;
  takeBody(): void;
  /** Whether the request has been received to its end. */
  readonly isRequestComplete: boolean;
  /**
   * Tells the client of the switch to `upgrade` and gives up what carried the request to a tunnel. `head` is a 101 as
   * HTTP/1.1 would have it, for `websocket` with the Sec-WebSocket-Accept that belongs to the request's Sec-WebSocket-Key:
   * a protocol without them (RFC 8441 §5) made a key for the request's head, and drops the answer's proof.
   */
  openTunnel(head: ResponseHead, upgrade: string): TunnelEnd;
}
