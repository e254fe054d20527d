import type { ErrorName } from './frames.ts';
import type { Http2Stream, StreamHandler } from './http2-stream.ts';
import type { Http2Tally } from './http2-tally.ts';
import type { Http2Limits } from './limits.ts';
import type { HeadFault, Http2RequestHead } from './message-heads.ts';

/** What a connection tells. Calls come during `receive` and `take`; they must not throw, nor call `receive`. */
export interface Http2Events {
  /** Output waits: call `take` once this turn of the event loop is over. Told once until it was taken. */
  wake(): void;
  /**
   * Server: a request begins. Returns who deals with it; a stream that was ended or reset during the call tells it nothing.
   * `isComplete`: nothing follows the head.
   */
  request(stream: Http2Stream, head: Http2RequestHead, isComplete: boolean): StreamHandler;
  /** Server: a request that is not to be served: answer it with `fault.status`. What else it sends is thrown away. */
  refused(stream: Http2Stream, fault: HeadFault): void;
  /** A stream was reset, or refused, because of the peer. For counting: a handler that there was is told as well. */
  streamFault(code: ErrorName, reason: string): void;
  /**
   * The peer takes no stream beyond `lastStream`; client: those of ours beyond it were not processed and have been reset
   * with REFUSED_STREAM. Open no more on this connection.
   */
  goaway(lastStream: number, code: number): void;
  /** An answer to `ping` came. */
  pong(): void;
  /** The connection is over: write what `take` gives (a GOAWAY), then close. Streams were told before. */
  failed(code: ErrorName, reason: string): void;
}

export interface Http2Options {
  readonly role: 'server' | 'client';
  readonly limits: Http2Limits;
  /** Server: announce extended CONNECT (RFC 8441). */
  readonly allowConnectProtocol?: boolean;
  /** Who counts; left out, nobody does. */
  readonly tally?: Http2Tally;
  /** Monotonic milliseconds. */
  now(): number;
}
