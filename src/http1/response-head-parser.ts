import { HeaderList } from '../util/header-list.ts';
import { FieldScanner } from './field-scanner.ts';
import { FramingFields, parseLength } from './framing-fields.ts';
import type { CodecFault, HeadLimits, ResponseHead } from './message-head.ts';
import { CR, LF, SP, TEXT, agrees, byteClass } from './tokens.ts';

const PHASE_VERSION = 0;
const PHASE_REASON = 1;
const PHASE_FIELDS = 2;

/** `HTTP/1.1 200` and the byte behind it. */
const STATUS_AT = 'HTTP/1.1 '.length;
const STATUS_END = STATUS_AT + 3;
const PREFIX = 'HTTP/1.';

/**
 * Reads response heads (RFC 9112 §4, §5, §6.3) from a buffer that grows between calls; all that is wrong with one is
 * SP_UPSTREAM_PROTOCOL. One object serves all responses of a connection.
 */
export class ResponseHeadParser {
  readonly head: ResponseHead = {
    status: 0,
    reason: '',
    minor: 1,
    headers: new HeaderList(),
    framing: 'none',
    contentLength: 0,
    keepAlive: false,
    connectionTokens: [],
    upgrade: undefined,
  };
  fault: CodecFault | undefined;

  readonly #limits: HeadLimits;
  readonly #fields: FieldScanner;
  readonly #framing = new FramingFields();
  #phase = PHASE_VERSION;
  /** Offset from the first byte of the head. */
  #at = 0;
  #reasonEnd = 0;
  #complete = false;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
    this.#fields = new FieldScanner(limits.maxFields);
  }

  /** Forgets a head that was begun, a fault, and how far the search went. */
  reset(): void {
    this.fault = undefined;
    this.#phase = PHASE_VERSION;
    this.#complete = false;
  }

  /**
   * Looks for the head of the response to a request of this method in `buffer` from `start` to `end`. Returns the offset
   * behind its empty line when `head` is filled, 0 when more bytes are needed (call again with the same bytes and more
   * behind them, at any offset), -1 when `fault` is set. After a head the next call begins the next one.
   */
  parse(buffer: Buffer, start: number, end: number, requestMethod: string): number {
    if (this.fault !== undefined) return -1;
    if (this.#complete) this.reset();
    const limit = start + this.#limits.maxHeadBytes;
    const bound = Math.min(end, limit);
    let stop = 0;
    if (this.#scanLine(buffer, start, bound)) {
      stop = this.#fields.scan(buffer, start, bound);
      if (stop > 0) return this.#finish(buffer, start, stop, requestMethod) ? stop : -1;
      if (stop < 0) this.#refuse(this.#fields.problem);
    }
    if (this.fault === undefined && end >= limit) this.#refuse('head too large');
    return this.fault === undefined ? 0 : -1;
  }

  #refuse(reason: string): false {
    this.fault = { code: 'SP_UPSTREAM_PROTOCOL', reason };
    return false;
  }

  /** Goes on with the status line; true when it is complete and good. */
  #scanLine(buffer: Buffer, start: number, end: number): boolean {
    if (this.#phase === PHASE_VERSION && !this.#scanStatus(buffer, start, end)) return false;
    if (this.#phase === PHASE_REASON && !this.#scanReason(buffer, start, end)) return false;
    return true;
  }

  #scanStatus(buffer: Buffer, start: number, end: number): boolean {
    if (!agrees(buffer, start, end, PREFIX)) return this.#refuse('not an HTTP/1 response');
    if (end - start <= STATUS_END) return false;
    const minor = (buffer[start + PREFIX.length] as number) - 0x30;
    if ((minor !== 0 && minor !== 1) || buffer[start + STATUS_AT - 1] !== SP)
      return this.#refuse('malformed or unsupported version');
    const status = readStatus(buffer, start + STATUS_AT);
    if (status < 100 || status > 599) return this.#refuse('status is not within 100 to 599');
    const next = buffer[start + STATUS_END] as number;
    // The blank before an empty reason is left out by many servers; nothing hangs on it.
    if (next !== SP && next !== CR) return this.#refuse('status is not three digits');
    this.head.minor = minor;
    this.head.status = status;
    this.#at = next === SP ? STATUS_END + 1 : STATUS_END;
    this.#phase = PHASE_REASON;
    return true;
  }

  #scanReason(buffer: Buffer, start: number, end: number): boolean {
    let at = start + this.#at;
    while (at < end && ((byteClass[buffer[at] as number] as number) & TEXT) !== 0) at++;
    this.#at = at - start;
    if (at === end) return false;
    if (buffer[at] !== CR)
      return this.#refuse(buffer[at] === LF ? 'bare LF' : 'control byte in the reason phrase');
    if (at + 1 === end) return false;
    if (buffer[at + 1] !== LF) return this.#refuse('bare CR');
    this.#reasonEnd = this.#at;
    this.#fields.reset(this.#at + 2);
    this.#phase = PHASE_FIELDS;
    return true;
  }

  /** Fills the head and judges it. */
  // oxlint-disable-next-line max-params -- a range of a buffer and what the response is to, hot
  #finish(buffer: Buffer, start: number, end: number, requestMethod: string): boolean {
    const { head } = this;
    const text = buffer.toString('latin1', start, end);
    const framing = this.#framing;
    framing.reset();
    head.headers.clear();
    this.#fields.read(buffer, start, text, head.headers, framing);
    head.reason = text.slice(STATUS_END + 1, this.#reasonEnd);
    head.connectionTokens = framing.tokens;
    head.upgrade = framing.tokens.includes('upgrade') ? framing.upgrade : undefined;
    this.#complete = this.#judge(requestMethod);
    return this.#complete;
  }

  /** RFC 9112 §6.3, without any of its ways to recover. */
  #judge(requestMethod: string): boolean {
    const { head } = this;
    const { problem, lengthCount, length, codingCount, coding } = this.#framing;
    if (problem !== '') return this.#refuse(problem);
    if (codingCount > 0) {
      if (lengthCount > 0) return this.#refuse('both Content-Length and Transfer-Encoding');
      if (head.minor === 0) return this.#refuse('Transfer-Encoding on HTTP/1.0');
      if (codingCount > 1 || coding.toLowerCase() !== 'chunked')
        return this.#refuse('unknown transfer coding');
    }
    if (lengthCount > 1) return this.#refuse('more than one Content-Length');
    const value = lengthCount === 0 ? 0 : parseLength(length);
    if (value < 0) return this.#refuse('malformed Content-Length');
    if (isBodiless(head.status, requestMethod)) head.framing = 'none';
    else if (codingCount > 0) head.framing = 'chunked';
    else head.framing = lengthCount > 0 ? 'length' : 'close';
    head.contentLength = head.framing === 'length' ? value : 0;
    head.keepAlive = head.framing !== 'close' && this.#framing.keepsAlive(head.minor);
    return true;
  }
}

/** Whether a response of this status to this method ends with its head (RFC 9110 §6.4.1). */
export function isBodiless(status: number, requestMethod: string): boolean {
  return requestMethod === 'HEAD' || status < 200 || status === 204 || status === 304;
}

/** Three digits, or -1. */
function readStatus(buffer: Buffer, at: number): number {
  let status = 0;
  for (let index = at; index < at + 3; index++) {
    const digit = (buffer[index] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    status = status * 10 + digit;
  }
  return status;
}
