import type { Socket } from 'node:net';

import type { HeaderList } from '../util/header-list.ts';

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
 * The client's side of one exchange, whatever the protocol: HTTP/1 connections implement it, HTTP/2 streams can.
 * After `end` or `abort` the exchange says nothing more.
 */
export interface Downstream {
  informational(status: number, headers: HeaderList): void;
  head(answer: AnswerHead): void;
  body(buffer: Buffer, start: number, end: number): void;
  /** Lets what was handed over leave. Returns false when the client does not keep up; `Exchange.onClientDrain` follows. */
  flush(): boolean;
  /** Whether output that was handed over has not left yet. */
  readonly hasPendingOutput: boolean;
  end(trailers: HeaderList | undefined): void;
  /** Cuts the answer so that the client can see that it is incomplete. */
  abort(): void;
  /** Whether request body bytes may flow to the exchange. */
  holdBody(): void;
  takeBody(): void;
  /** Whether the request has been received to its end. */
  readonly isRequestComplete: boolean;
  /** Gives up the connection to a tunnel: what was received behind the request, and the socket. */
  detach(): { readonly socket: Socket; readonly rest: Buffer };
}
