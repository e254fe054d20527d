import { ChunkedDecoder } from '../http1/chunked-decoder.ts';
import type { TrailerLimits } from '../http1/chunked-decoder.ts';
import type { HeadLimits, ResponseHead } from '../http1/message-head.ts';
import { ResponseHeadParser } from '../http1/response-head-parser.ts';
import type { HeaderList } from '../util/header-list.ts';
import { peerIdleTimeoutMs } from './peer-idle-timeout.ts';
import type { ResponseSink } from './response-sink.ts';

/** Informational responses that one exchange may bring before it is refused. */
export const MAX_INFORMATIONAL = 8;

/** `more`: nothing wrong, not complete. `switched`: a 101 head, which ends HTTP on this connection. */
export type ReadOutcome = 'more' | 'complete' | 'failed' | 'switched';

/** `unwanted`: whoever was told of the response has given it up. */
type Phase = 'head' | 'length' | 'chunked' | 'close' | 'complete' | 'unwanted';

export interface ReaderLimits {
  readonly responseLimits: HeadLimits;
  readonly trailerLimits: TrailerLimits;
}

/** Reads the responses of one connection, one after the other: bytes in, events to a sink. */
export class ResponseReader {
  /** What was wrong, after `failed`. */
  problem = '';
  /** What came behind the response (a copy), after `complete` and `switched`; undefined when nothing did. */
  rest: Buffer | undefined;
  /** Whether the response lets the connection serve another request. */
  reusable = false;
  /** How long the upstream says it keeps the connection idle, less a margin; Infinity when it says nothing. */
  peerIdleMs = Infinity;

  readonly #parser: ResponseHeadParser;
  readonly #trailerLimits: TrailerLimits;
  /** Made for the first body that needs it. */
  #chunked: ChunkedDecoder | undefined;
  #phase: Phase = 'head';
  #method = '';
  #pending: Buffer | undefined;
  #remaining = 0;
  #informational = 0;
  #position = 0;

  constructor(limits: ReaderLimits) {
    this.#parser = new ResponseHeadParser(limits.responseLimits);
    this.#trailerLimits = limits.trailerLimits;
  }

  get head(): ResponseHead {
    return this.#parser.head;
  }

  /** Whether the head has been read and the body has not. */
  get isInBody(): boolean {
    return this.#phase === 'length' || this.#phase === 'chunked' || this.#phase === 'close';
  }

  /** Whether the end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.#phase === 'close';
  }

  /** Body bytes to come, as far as they are known; Infinity where only their end will tell. */
  get expectedBytes(): number {
    if (this.#phase === 'length') return this.#remaining;
    return this.isInBody ? Infinity : 0;
  }

  get trailers(): HeaderList | undefined {
    return this.#parser.head.framing === 'chunked' ? this.#chunked?.trailers : undefined;
  }

  /** Expects the response to a request of this method. */
  begin(method: string): void {
    this.#method = method;
    this.#phase = 'head';
    this.#pending = undefined;
    this.#informational = 0;
    this.reusable = false;
    this.#parser.reset();
  }

  /** Tells nothing more of this response, not even of what has come together with its head: the sink may serve another. */
  abandon(): void {
    this.#phase = 'unwanted';
  }

  /** Takes the first `bytes` bytes of a buffer. They are only used during the call; what must wait is copied. */
  read(buffer: Buffer, bytes: number, sink: ResponseSink): ReadOutcome {
    let input = buffer;
    let end = bytes;
    if (this.#pending !== undefined) {
      input = Buffer.concat([this.#pending, buffer.subarray(0, bytes)]);
      end = input.length;
      this.#pending = undefined;
    }
    this.#position = 0;
    const outcome = this.#readAll(input, end, sink);
    const hasRest = (outcome === 'complete' || outcome === 'switched') && this.#position < end;
    this.rest = hasRest ? Buffer.from(input.subarray(this.#position, end)) : undefined;
    return outcome;
  }

  #readAll(buffer: Buffer, end: number, sink: ResponseSink): ReadOutcome {
    while (this.#phase === 'head' && this.#position < end) {
      const outcome = this.#readHead(buffer, end, sink);
      if (outcome !== undefined) return outcome;
    }
    if (this.#phase === 'chunked') return this.#readChunks(buffer, end, sink);
    if (this.#phase === 'length' || this.#phase === 'close') this.#readPlain(buffer, end, sink);
    return this.#phase === 'complete' ? 'complete' : 'more';
  }

  /** Reads one head. Returns undefined when another head or a body may follow in this buffer. */
  #readHead(buffer: Buffer, end: number, sink: ResponseSink): ReadOutcome | undefined {
    const next = this.#parser.parse(buffer, this.#position, end, this.#method);
    if (next === 0) {
      this.#pending = Buffer.from(buffer.subarray(this.#position, end));
      return 'more';
    }
    if (next < 0) return this.#fail(this.#parser.fault?.reason ?? '');
    this.#position = next;
    const { head } = this.#parser;
    if (head.status === 101) return 'switched';
    if (head.status < 200) {
      if (++this.#informational > MAX_INFORMATIONAL) return this.#fail('too many informational responses');
      sink.onInformational(head);
      return undefined;
    }
    this.#beginBody(head);
    sink.onResponseHead(head);
    return undefined;
  }

  #beginBody(head: ResponseHead): void {
    const { framing, contentLength } = head;
    this.reusable = head.keepAlive;
    this.peerIdleMs = peerIdleTimeoutMs(head.headers.get('keep-alive'));
    this.#remaining = contentLength;
    this.#phase = framing === 'none' || (framing === 'length' && contentLength === 0) ? 'complete' : framing;
    if (framing === 'chunked') this.#decoder().reset();
  }

  #readPlain(buffer: Buffer, bytes: number, sink: ResponseSink): void {
    const start = this.#position;
    const isCounted = this.#phase === 'length';
    const end = isCounted ? Math.min(bytes, start + this.#remaining) : bytes;
    if (isCounted) {
      this.#remaining -= end - start;
      if (this.#remaining === 0) this.#phase = 'complete';
    }
    if (end > start) sink.onResponseData(buffer, start, end);
    this.#position = end;
  }

  #readChunks(buffer: Buffer, end: number, sink: ResponseSink): ReadOutcome {
    const decoder = this.#decoder();
    while (this.#position < end && this.#phase === 'chunked') {
      this.#position = decoder.read(buffer, this.#position, end);
      switch (decoder.event) {
        case 'data':
          sink.onResponseData(buffer, decoder.dataStart, decoder.dataEnd);
          break;
        case 'end':
          this.#phase = 'complete';
          return 'complete';
        case 'fault':
          return this.#fail(decoder.fault?.reason ?? '');
        default:
          return 'more';
      }
    }
    return 'more';
  }

  #decoder(): ChunkedDecoder {
    return (this.#chunked ??= new ChunkedDecoder(this.#trailerLimits));
  }

  #fail(problem: string): ReadOutcome {
    this.problem = problem;
    return 'failed';
  }
}
