import type { HeaderList } from '../util/header-list.ts';
import type { ErrorName } from './frames.ts';
import type { Http2ResponseHead } from './message-heads.ts';

/**
 * Why a stream ended before its end. `peer`: it said so, by RST_STREAM or by a GOAWAY below the stream; with code
 * REFUSED_STREAM nothing was processed, and the request may be sent elsewhere (RFC 9113 §8.7). `fault`: the peer broke a
 * rule on this stream. `connection`: the connection failed or is gone.
 */
export type ResetCause = 'peer' | 'fault' | 'connection';

/** Who deals with one stream. Nothing is told after `reset`, nor after our own `reset`. Must not throw. */
export interface StreamHandler {
  /** Client only: a response's head, informational ones (1xx) too. */
  response(head: Http2ResponseHead): void;
  /** Bytes of the body, valid during the call. Give them back with `consume`, now or later. Never empty. */
  data(buffer: Buffer, start: number, end: number): void;
  /** The peer's side is complete. */
  end(trailers: HeaderList | undefined): void;
  /**
   * The stream is over before its end, in both directions. `code` as on the wire. Behind `end` it means that the rest of
   * what we send is not wanted, with NO_ERROR although the answer is good (§8.1).
   */
  reset(code: number, cause: ResetCause): void;
  /** `write` had returned false: everything that was written is on its way. */
  writable(): void;
  /** `end` had to wait, and has gone out now. Where the stream is over by that, nothing else is told of it. */
  finished?(): void;
}

/** What a stream needs of its connection. */
export interface StreamLink {
  consume(stream: Http2Stream, bytes: number): void;
  discard(stream: Http2Stream): void;
  sendHeaders(stream: Http2Stream, fields: FieldSource, endStream: boolean): void;
  sendData(stream: Http2Stream, bytes: Buffer, start: number, end: number): boolean;
  sendEnd(stream: Http2Stream, trailers: HeaderList | undefined): void;
  sendReset(stream: Http2Stream, code: ErrorName): void;
}

/**
 * Fields of a section to send: pseudo-fields first, then a list, by its lower-case names. Values are latin1. What belongs
 * to a connection of HTTP/1.1 (§8.2.2), Host included, has been taken out.
 */
export interface FieldSource {
  readonly pseudo: readonly (readonly [name: string, value: string])[];
  readonly headers: HeaderList;
}

/** One stream, from either role: methods for who deals with it, and below them the state that the connection keeps. */
export class Http2Stream {
  readonly id: number;
  readonly #link: StreamLink;

  /** undefined until the stream's head was handed over, when nobody wants to hear more, and after its end. */
  handler: StreamHandler | undefined;
  /** No more frames from the peer, and from us. */
  remoteEnded = false;
  localEnded = false;
  isReset = false;
  /** It ended while its request was being handed over: the handler hears of it when it is known. */
  untold: { readonly code: number; readonly cause: ResetCause } | undefined;
  /** A head has been sent, and received; the final one, for responses. */
  headSent = false;
  headReceived = false;
  /** DATA is a tunnel's (CONNECT): it has no length and no trailers. */
  isTunnel = false;
  /** The request was HEAD: of our own ones, and of those that are refused. */
  isHead = false;
  /** What the peer still sends is thrown away; the stream is reset once our side has ended. */
  isDiscarding = false;
  /** Bytes that we may send (negative after the peer lowered its initial window), and that the peer may. */
  sendWindow: number;
  receiveWindow: number;
  /** By so much the peer's window is larger than at first, and whether it may go on to grow (Http2Limits.grownWindowBytes). */
  grownBytes = 0;
  mayGrow = true;
  /** Handed over and not consumed; consumed since the last WINDOW_UPDATE. */
  unconsumed = 0;
  consumed = 0;
  /** Body bytes still to come by Content-Length; -1 when not stated. */
  expected = -1;
  /** Bytes that wait for window or room, oldest first; their end may wait behind them. */
  readonly queue: Buffer[] = [];
  endQueued = false;
  trailersQueued: HeaderList | undefined;

  // oxlint-disable-next-line max-params -- made once, by the connection
  constructor(id: number, link: StreamLink, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.#link = link;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  get isClosed(): boolean {
    return this.isReset || (this.remoteEnded && this.localEnded);
  }

  /** Whether bytes that were written wait for the peer's window, or for room in the output. */
  get isWaiting(): boolean {
    return this.queue.length > 0;
  }

  /**
   * Gives back window for bytes that were dealt with (§5.2). More than was handed over is ignored. Who does not want to
   * consume what was handed over calls `discard` or `reset`, even when the stream is over: else the connection has so much
   * less window for ever.
   */
  consume(bytes: number): void {
    this.#link.consume(this, bytes);
  }

  /**
   * Nobody wants the rest of what the peer sends: it is thrown away, the handler hears no more of it than `reset` and
   * `writable`, and once our side has ended the stream is reset with NO_ERROR (§8.1).
   */
  discard(): void {
    this.#link.discard(this);
  }

  /** A response's head; informational ones may come before the final one. */
  respond(status: number, headers: HeaderList, endStream: boolean): void {
    if (status >= 200) this.headSent = true;
    this.#link.sendHeaders(this, { pseudo: statusField(status), headers }, endStream);
  }

  /**
   * Sends a part of the body; bytes that cannot go at once are copied. Returns false when some have to wait, then
   * `writable` follows. Who goes on writing all the same ends up beyond `maxWaitingBytes`, and is reset.
   */
  write(bytes: Buffer, start: number, end: number): boolean {
    return this.#link.sendData(this, bytes, start, end);
  }

  /** Ends our side, behind everything that was written. Without a head before it, the stream is reset. */
  end(trailers?: HeaderList): void {
    this.#link.sendEnd(this, trailers);
  }

  /** Ends the stream at once, in both directions; what waited is dropped. The handler is told nothing. */
  reset(code: ErrorName): void {
    this.#link.sendReset(this, code);
  }
}

const statusFields = new Map<number, FieldSource['pseudo']>();

/** The pseudo-fields of an answer, made once for each status. */
function statusField(status: number): FieldSource['pseudo'] {
  let fields = statusFields.get(status);
  if (fields === undefined) statusFields.set(status, (fields = [[':status', String(status)]]));
  return fields;
}
