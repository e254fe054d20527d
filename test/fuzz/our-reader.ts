import { ChunkedDecoder } from '../../src/http1/chunked-decoder.ts';
import type { MessageHead } from '../../src/http1/message-head.ts';
import { RequestHeadParser } from '../../src/http1/request-head-parser.ts';
import { ResponseHeadParser } from '../../src/http1/response-head-parser.ts';
import type { HeaderList } from '../../src/util/header-list.ts';

/** One message as a reader saw it. `start` is method and target, or status and reason. Texts are latin1. */
export interface Message {
  readonly start: readonly [string, string];
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

/**
 * All that a reader made of a stream of bytes. `clean`: it ended between two messages; `stopped`: after a message that ends
 * the connection; `incomplete`: within one; `refused`: `detail` says why.
 */
export interface Transcript {
  readonly messages: readonly Message[];
  readonly end: 'clean' | 'stopped' | 'incomplete' | 'refused';
  readonly detail: string;
}

/** Where the next segment ends, given where the last one did. */
export type Cut = (from: number) => number;

export const wholeInput: Cut = () => Infinity;
export const singleBytes: Cut = (from) => from + 1;

const limits = { maxRequestLineBytes: 8192, maxHeadBytes: 32_768, maxFields: 100 };
const trailerLimits = { maxBytes: 8192, maxFields: 32 };

interface Side {
  readonly head: MessageHead;
  readonly detail: string;
  parse(buffer: Buffer, start: number, end: number): number;
  start(): readonly [string, string];
  /** Whether nothing follows the message on this connection. */
  isLast(): boolean;
}

function requestSide(): Side {
  const parser = new RequestHeadParser(limits);
  return {
    head: parser.head,
    get detail() {
      return `${parser.fault?.code} ${parser.fault?.reason}`;
    },
    parse: (buffer, start, end) => parser.parse(buffer, start, end),
    start: () => [parser.head.method, parser.head.target],
    isLast: () => !parser.head.keepAlive || parser.head.method === 'CONNECT',
  };
}

function responseSide(method: string): Side {
  const parser = new ResponseHeadParser(limits);
  return {
    head: parser.head,
    get detail() {
      return `${parser.fault?.code} ${parser.fault?.reason}`;
    },
    parse: (buffer, start, end) => parser.parse(buffer, start, end, method),
    start: () => [String(parser.head.status), parser.head.reason],
    isLast: () => parser.head.status >= 200 || parser.head.status === 101,
  };
}

/** Reads a client's whole stream. */
export function readRequests(bytes: Buffer, cut: Cut = wholeInput): Transcript {
  return new StreamReader(requestSide(), bytes).read(cut);
}

/** Reads an upstream's answer to one request, with the informational ones before it. */
export function readResponses(bytes: Buffer, method: string, cut: Cut = wholeInput): Transcript {
  return new StreamReader(responseSide(method), bytes).read(cut);
}

function flat(headers: HeaderList): string[] {
  return headers.entries().flat();
}

/** Does with the codec what a connection does with it, and watches that it always gets on. */
class StreamReader {
  readonly #side: Side;
  readonly #bytes: Buffer;
  readonly #decoder = new ChunkedDecoder(trailerLimits);
  readonly #messages: Message[] = [];
  #at = 0;
  #phase: 'head' | 'length' | 'chunked' | 'close' | 'stopped' | 'refused' = 'head';
  #remaining = 0;
  #start: readonly [string, string] = ['', ''];
  #fields: string[] = [];
  #body = '';
  #detail = '';

  constructor(side: Side, bytes: Buffer) {
    this.#side = side;
    this.#bytes = bytes;
  }

  read(cut: Cut): Transcript {
    const { length } = this.#bytes;
    for (let end = 0; end < length;) {
      end = Math.min(length, Math.max(cut(end), end + 1));
      while (this.#step(end));
    }
    if (this.#phase === 'close') this.#finish([]);
    return { messages: this.#messages, end: this.#end(), detail: this.#detail };
  }

  #end(): Transcript['end'] {
    if (this.#phase === 'refused' || this.#phase === 'stopped') return this.#phase;
    return this.#phase === 'head' && this.#at === this.#bytes.length ? 'clean' : 'incomplete';
  }

  /** One step on; false when it needs more bytes or has ended. */
  #step(end: number): boolean {
    if (this.#at >= end) return false;
    switch (this.#phase) {
      case 'head':
        return this.#readHead(end);
      case 'length':
      case 'close':
        return this.#readLength(end);
      case 'chunked':
        return this.#readChunk(end);
      default:
        return false;
    }
  }

  #readHead(end: number): boolean {
    const next = this.#side.parse(this.#bytes, this.#at, end);
    if (next === 0) return false;
    if (next < 0) return this.#refuse(this.#side.detail);
    this.#advance(next, end);
    const { head } = this.#side;
    this.#start = this.#side.start();
    this.#fields = flat(head.headers);
    this.#body = '';
    this.#remaining = head.framing === 'close' ? Infinity : head.contentLength;
    // What follows a CONNECT is not a message to Node; the proxy refuses it before its body.
    if (this.#start[0] === 'CONNECT') return this.#finish([]);
    if (head.framing === 'none' || (head.framing === 'length' && head.contentLength === 0))
      return this.#finish([]);
    this.#phase = head.framing;
    this.#decoder.reset();
    return true;
  }

  #readLength(end: number): boolean {
    const stop = Math.min(end, this.#at + this.#remaining);
    this.#body += this.#bytes.toString('latin1', this.#at, stop);
    this.#remaining -= stop - this.#at;
    this.#at = stop;
    return this.#remaining === 0 ? this.#finish([]) : false;
  }

  #readChunk(end: number): boolean {
    const decoder = this.#decoder;
    const next = decoder.read(this.#bytes, this.#at, end);
    if (decoder.event === 'fault') return this.#refuse(`${decoder.fault?.code} ${decoder.fault?.reason}`);
    this.#advance(next, end);
    if (decoder.event === 'data')
      this.#body += this.#bytes.toString('latin1', decoder.dataStart, decoder.dataEnd);
    else if (decoder.event === 'end') return this.#finish(flat(decoder.trailers));
    else if (next !== end) throw new Error(`the decoder wants more at ${next} and has it to ${end}`);
    return true;
  }

  #advance(next: number, end: number): void {
    if (next <= this.#at || next > end) throw new Error(`went from ${this.#at} to ${next} of ${end}`);
    this.#at = next;
  }

  #finish(trailers: string[]): boolean {
    this.#messages.push({ start: this.#start, fields: this.#fields, body: this.#body, trailers });
    this.#phase = this.#side.isLast() ? 'stopped' : 'head';
    return this.#phase === 'head';
  }

  #refuse(detail: string): boolean {
    this.#phase = 'refused';
    this.#detail = detail;
    return false;
  }
}
