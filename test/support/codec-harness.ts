import { ChunkedDecoder } from '../../src/http1/chunked-decoder.ts';
import type { CodecFault, Framing, MessageHead } from '../../src/http1/message-head.ts';
import { RequestHeadParser } from '../../src/http1/request-head-parser.ts';
import { ResponseHeadParser } from '../../src/http1/response-head-parser.ts';
import type { HeaderList } from '../../src/util/header-list.ts';

// Drives the codec over text given as latin1, whole and cut to single bytes, and demands that both read it alike.

export const testLimits = { maxRequestLineBytes: 8192, maxHeadBytes: 32_768, maxFields: 100 };
export const testTrailerLimits = { maxBytes: 8192, maxFields: 32 };

export type Fields = readonly (readonly [name: string, value: string])[];

interface ReadHead {
  readonly consumed: number;
  readonly minor: number;
  readonly fields: Fields;
  readonly framing: Framing;
  readonly contentLength: number;
  readonly keepAlive: boolean;
  readonly tokens: readonly string[];
  readonly upgrade: string | undefined;
}

export interface ReadRequest extends ReadHead {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly scheme: string;
  readonly pathAndQuery: string;
  readonly expectContinue: boolean;
}

export interface ReadResponse extends ReadHead {
  readonly status: number;
  readonly reason: string;
}

export interface Refusal {
  readonly code: string;
  readonly reason: string;
}

/** `undefined`: more bytes are needed. */
export type Read<T> = T | Refusal | undefined;

export function fieldsOf(headers: HeaderList): Fields {
  return headers.entries();
}

function refusalOf(fault: CodecFault | undefined): Refusal {
  if (fault === undefined) throw new Error('a parser returned -1 without a fault');
  return { code: fault.code, reason: fault.reason };
}

function common(head: MessageHead, consumed: number): ReadHead {
  return {
    consumed,
    minor: head.minor,
    fields: fieldsOf(head.headers),
    framing: head.framing,
    contentLength: head.contentLength,
    keepAlive: head.keepAlive,
    tokens: [...head.connectionTokens],
    upgrade: head.upgrade,
  };
}

interface HeadReader<T> {
  parse(buffer: Buffer, start: number, end: number): number;
  result(consumed: number): T | Refusal;
}

/** Gives the bytes in pieces of this size, each time with all bytes so far, at an offset that moves. */
function feed<T>(reader: HeadReader<T>, bytes: Buffer, pieceBytes: number): Read<T> {
  for (let end = Math.min(pieceBytes, bytes.length); ; end = Math.min(end + pieceBytes, bytes.length)) {
    const offset = end % 7;
    const moved = Buffer.concat([Buffer.alloc(offset, 'G'), bytes.subarray(0, end), Buffer.from('ET')]);
    const next = reader.parse(moved, offset, offset + end);
    if (next !== 0) return reader.result(next < 0 ? -1 : next - offset);
    if (end === bytes.length) return undefined;
  }
}

function readHead<T>(create: () => HeadReader<T>, text: string, pieces: readonly number[]): Read<T> {
  const bytes = Buffer.from(text, 'latin1');
  const whole = feed(create(), bytes, Math.max(bytes.length, 1));
  for (const piece of pieces) {
    const cut = feed(create(), bytes, piece);
    if (JSON.stringify(whole) !== JSON.stringify(cut)) {
      throw new Error(`in pieces of ${piece}: ${JSON.stringify(cut)}, whole: ${JSON.stringify(whole)}`);
    }
  }
  return whole;
}

export function isRefusal(read: unknown): read is Refusal {
  return typeof read === 'object' && read !== null && 'code' in read;
}

export function readRequest(
  text: string,
  limits = testLimits,
  pieces: readonly number[] = [1, 3],
): Read<ReadRequest> {
  return readHead(() => requestReader(new RequestHeadParser(limits)), text, pieces);
}

function requestReader(parser: RequestHeadParser): HeadReader<ReadRequest> {
  return {
    parse: (buffer, start, end) => parser.parse(buffer, start, end),
    result(consumed) {
      const { head, fault } = parser;
      if (consumed < 0) return refusalOf(fault);
      const { method, target, authority, targetScheme, pathAndQuery, expectContinue } = head;
      return {
        ...common(head, consumed),
        method,
        target,
        authority,
        scheme: targetScheme,
        pathAndQuery,
        expectContinue,
      };
    },
  };
}

export function readResponse(
  text: string,
  method = 'GET',
  limits = testLimits,
  pieces: readonly number[] = [1, 3],
): Read<ReadResponse> {
  return readHead(() => responseReader(new ResponseHeadParser(limits), method), text, pieces);
}

function responseReader(parser: ResponseHeadParser, method: string): HeadReader<ReadResponse> {
  return {
    parse: (buffer, start, end) => parser.parse(buffer, start, end, method),
    result(consumed) {
      const { head, fault } = parser;
      if (consumed < 0) return refusalOf(fault);
      return { ...common(head, consumed), status: head.status, reason: head.reason };
    },
  };
}

export interface ReadBody {
  readonly body: string;
  readonly trailers: Fields;
  readonly consumed: number;
}

export function readChunked(
  text: string,
  limits = testTrailerLimits,
  pieces: readonly number[] = [1, 3],
): Read<ReadBody> {
  const bytes = Buffer.from(text, 'latin1');
  const whole = feedChunked(bytes, Math.max(bytes.length, 1), limits);
  for (const piece of pieces) {
    const cut = feedChunked(bytes, piece, limits);
    if (JSON.stringify(whole) !== JSON.stringify(cut)) {
      throw new Error(`in pieces of ${piece}: ${JSON.stringify(cut)}, whole: ${JSON.stringify(whole)}`);
    }
  }
  return whole;
}

function feedChunked(bytes: Buffer, pieceBytes: number, limits: typeof testTrailerLimits): Read<ReadBody> {
  const decoder = new ChunkedDecoder(limits);
  decoder.reset();
  let body = '';
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const stop = Math.min(start + pieceBytes, bytes.length);
    for (let at = start; at < stop;) {
      const next = decoder.read(bytes, at, stop);
      if (decoder.event === 'fault') return refusalOf(decoder.fault);
      if (next <= at || next > stop) throw new Error(`offset ${next} after ${at}, before ${stop}`);
      if (decoder.event === 'data') body += bytes.toString('latin1', decoder.dataStart, decoder.dataEnd);
      if (decoder.event === 'end') return { body, trailers: fieldsOf(decoder.trailers), consumed: next };
      if (decoder.event === 'more' && next !== stop) throw new Error('asks for more with bytes left');
      at = next;
    }
  }
  return undefined;
}
