import type { HeaderList } from '../util/header-list.ts';
import { statusText } from './status-text.ts';

// Heads and chunks as latin1 text (RFC 9112 §3, §4, §7.1). Nothing is escaped here: names and values come from a parser of
// this folder, or have passed `isToken` and `isFieldValue` of tokens.ts.

/** One field line. */
export function fieldLine(name: string, value: string | number): string {
  return `${name}: ${value}\r\n`;
}

/** A request head with its empty line. `first` is field lines made with `fieldLine` (Host belongs there), or ''. */
export function requestHeadText(method: string, target: string, headers: HeaderList, first: string): string {
  return `${method} ${target} HTTP/1.1\r\n${first}${fieldLines(headers)}\r\n`;
}

/**
 * A response head with its empty line. A `reason` of '' takes the standard phrase; `last` is field lines made with
 * `fieldLine`, or ''.
 */
export function responseHeadText(status: number, reason: string, headers: HeaderList, last: string): string {
  return `HTTP/1.1 ${status} ${reason === '' ? statusText(status) : reason}\r\n${fieldLines(headers)}${last}\r\n`;
}

/** What comes before a chunk of this size, which is not 0. CRLF follows the data. */
export function chunkHeader(size: number): string {
  return `${size.toString(16)}\r\n`;
}

/** The end of a chunked body: the last chunk, trailer fields, the empty line. */
export function lastChunk(trailers?: HeaderList): string {
  return trailers === undefined || trailers.length === 0 ? '0\r\n\r\n' : `0\r\n${fieldLines(trailers)}\r\n`;
}

function fieldLines(headers: HeaderList): string {
  const { names, values, length } = headers;
  let text = '';
  for (let index = 0; index < length; index++) text += `${names[index]}: ${values[index]}\r\n`;
  return text;
}
