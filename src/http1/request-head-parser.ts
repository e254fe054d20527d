import { HeaderList } from '../util/header-list.ts';
import { FieldScanner } from './field-scanner.ts';
import { FramingFields, LENGTH_TOO_LARGE, NO_LENGTH, parseLength } from './framing-fields.ts';
import type { CodecFault, HeadLimits, RequestHead } from './message-head.ts';
import { MAX_METHOD_LENGTH, knownMethods } from './methods.ts';
import { readTarget } from './request-target.ts';
import { CR, LF, METHOD, SP, TARGET, agrees, byteClass, isToken } from './tokens.ts';

const PHASE_START = 0;
const PHASE_METHOD = 1;
const PHASE_TARGET = 2;
const PHASE_VERSION = 3;
const PHASE_FIELDS = 4;

const VERSION_LENGTH = 'HTTP/1.1'.length;

/**
 * Reads request heads (RFC 9112 §3, §5, §6) from a buffer that grows between calls. Strict: what two readers could read
 * differently is refused, as soon as that is certain. One object serves all requests of a connection.
 */
export class RequestHeadParser {
  readonly head: RequestHead = {
    method: '',
    target: '',
    authority: '',
    targetScheme: '',
    pathAndQuery: '',
    minor: 1,
    headers: new HeaderList(),
    framing: 'none',
    contentLength: 0,
    keepAlive: false,
    connectionTokens: [],
    upgrade: undefined,
    expectContinue: false,
  };
  fault: CodecFault | undefined;

  readonly #limits: HeadLimits;
  readonly #fields: FieldScanner;
  readonly #framing = new FramingFields();
  #phase = PHASE_START;
  /** Offsets from the first byte of the request line. */
  #at = 0;
  #methodEnd = 0;
  #targetEnd = 0;
  /** Bytes before the request line: 2 when an empty line was skipped. */
  #skipped = 0;
  #complete = false;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
    this.#fields = new FieldScanner(limits.maxFields, limits.maxHeadBytes / 2);
  }

  /** Forgets a head that was begun, a fault, and how far the search went. */
  reset(): void {
    this.fault = undefined;
    this.#phase = PHASE_START;
    this.#at = 0;
    this.#skipped = 0;
    this.#complete = false;
  }

  /**
   * Looks for a head in `buffer` from `start` to `end`. Returns the offset behind its empty line when `head` is filled,
   * 0 when more bytes are needed (call again with the same bytes and more behind them, at any offset), -1 when `fault`
   * is set. After a head the next call begins the next one.
   */
  parse(buffer: Buffer, start: number, end: number): number {
    if (this.fault !== undefined) return -1;
    if (this.#complete) this.reset();
    if (this.#phase !== PHASE_FIELDS && !this.#scanLine(buffer, start, end)) return this.#stopped();
    const origin = start + this.#skipped;
    const limit = origin + this.#limits.maxHeadBytes;
    const stop = this.#fields.scan(buffer, origin, Math.min(end, limit));
    if (stop > 0) return this.#finish(buffer, origin, stop) ? stop : -1;
    if (stop < 0)
      this.#refuse(this.#fields.tooLarge ? 'SP_HEAD_TOO_LARGE' : 'SP_BAD_REQUEST', this.#fields.problem);
    else if (end >= limit) this.#refuse('SP_HEAD_TOO_LARGE', 'head too large');
    return this.#stopped();
  }

  #stopped(): number {
    return this.fault === undefined ? 0 : -1;
  }

  #refuse(code: CodecFault['code'], reason: string): false {
    this.fault = { code, reason };
    return false;
  }

  /** Goes on with the request line; true when it is complete and good. */
  #scanLine(buffer: Buffer, start: number, end: number): boolean {
    if (this.#phase === PHASE_START && !this.#skipEmptyLine(buffer, start, end)) return false;
    const origin = start + this.#skipped;
    const limit = origin + this.#limits.maxRequestLineBytes;
    const stop = Math.min(end, limit);
    if (this.#phase === PHASE_METHOD && !this.#scanMethod(buffer, origin, stop)) return false;
    if (this.#phase === PHASE_TARGET && !this.#scanTarget(buffer, origin, stop)) {
      return this.fault === undefined && end > limit
        ? this.#refuse('SP_URI_TOO_LONG', 'request line too long')
        : false;
    }
    return this.#scanVersion(buffer, origin, end);
  }

  /** Tolerates one empty line before a request (RFC 9112 §2.2). */
  #skipEmptyLine(buffer: Buffer, start: number, end: number): boolean {
    if (start === end) return false;
    if (buffer[start] === CR) {
      if (start + 1 === end) return false;
      if (buffer[start + 1] !== LF) return this.#refuse('SP_BAD_REQUEST', 'bare CR');
      this.#skipped = 2;
    }
    this.#phase = PHASE_METHOD;
    return true;
  }

  #scanMethod(buffer: Buffer, origin: number, end: number): boolean {
    let at = origin + this.#at;
    while (at < end && ((byteClass[buffer[at] as number] as number) & METHOD) !== 0) at++;
    this.#at = at - origin;
    if (this.#at > MAX_METHOD_LENGTH) return this.#refuse('SP_BAD_REQUEST', 'method too long');
    if (at === end) return false;
    if (buffer[at] !== SP || this.#at === 0)
      return this.#refuse('SP_BAD_REQUEST', 'request line does not begin with a method');
    if (!this.#isLastMethod(buffer, origin) && !this.#findMethod(buffer.toString('latin1', origin, at)))
      return false;
    this.#methodEnd = this.#at++;
    this.#phase = PHASE_TARGET;
    return true;
  }

  /** Mostly it is the method of the connection's last request. */
  #isLastMethod(buffer: Buffer, origin: number): boolean {
    const { method } = this.head;
    return method.length === this.#at && agrees(buffer, origin, origin + this.#at, method);
  }

  #findMethod(text: string): boolean {
    const method = knownMethods.get(text);
    // The preface of HTTP/2 begins with this method on purpose: it must not look like a request.
    if (text === 'PRI') return this.#refuse('SP_BAD_REQUEST', 'HTTP/2 preface');
    if (method === undefined) return this.#refuse('SP_NOT_IMPLEMENTED', 'unknown method');
    this.head.method = method;
    return true;
  }

  #scanTarget(buffer: Buffer, origin: number, end: number): boolean {
    let at = origin + this.#at;
    while (at < end && ((byteClass[buffer[at] as number] as number) & TARGET) !== 0) at++;
    this.#at = at - origin;
    if (at >= end) return false;
    if (buffer[at] !== SP) return this.#refuse('SP_BAD_REQUEST', targetProblem(buffer[at] as number));
    if (this.#at === this.#methodEnd + 1) return this.#refuse('SP_BAD_REQUEST', 'empty request target');
    this.#targetEnd = this.#at++;
    this.#phase = PHASE_VERSION;
    return true;
  }

  /** Waits for the version and its line end together: there is nothing to say about a part of it. */
  #scanVersion(buffer: Buffer, origin: number, end: number): boolean {
    const from = this.#targetEnd + 1;
    const at = origin + from;
    const lineEnd = from + VERSION_LENGTH;
    if (!agrees(buffer, at, end, 'HTTP/')) return this.#refuse('SP_BAD_REQUEST', 'malformed HTTP version');
    if (end < at + VERSION_LENGTH + 2) return false;
    if (lineEnd > this.#limits.maxRequestLineBytes)
      return this.#refuse('SP_URI_TOO_LONG', 'request line too long');
    const minor = (buffer[at + 7] as number) - 0x30;
    const isLineEnd = buffer[at + 8] === CR && buffer[at + 9] === LF;
    if (!agrees(buffer, at, end, 'HTTP/1.') || !isLineEnd || (minor !== 0 && minor !== 1)) {
      return this.#refuseVersion(buffer.toString('latin1', at, at + 10));
    }
    this.head.minor = minor;
    this.#at = lineEnd + 2;
    this.#fields.reset(this.#at);
    this.#phase = PHASE_FIELDS;
    return true;
  }

  #refuseVersion(text: string): false {
    const isOther = /^HTTP\/[0-9]\.[0-9]\r\n$/.test(text);
    if (isOther) return this.#refuse('SP_VERSION', 'unsupported HTTP version');
    return this.#refuse('SP_BAD_REQUEST', 'malformed HTTP version or line end');
  }

  /** Fills the head and judges it. */
  #finish(buffer: Buffer, start: number, end: number): boolean {
    const { head } = this;
    const text = buffer.toString('latin1', start, end);
    const framing = this.#framing;
    framing.reset();
    head.headers.clear();
    this.#fields.read(buffer, start, text, head.headers, framing);
    head.target = text.slice(this.#methodEnd + 1, this.#targetEnd);
    head.connectionTokens = framing.tokens;
    head.keepAlive = framing.keepsAlive(head.minor);
    this.#complete = this.#judgeFraming() && this.#judgeHost() && this.#judgeExpect() && this.#judgeUpgrade();
    return this.#complete;
  }

  /** RFC 9112 §6.3, without any of its ways to recover. */
  #judgeFraming(): boolean {
    const { head } = this;
    const { problem, requestProblem, lengthCount, length, codingCount } = this.#framing;
    head.framing = 'none';
    head.contentLength = 0;
    if (problem !== '' || requestProblem !== '')
      return this.#refuse('SP_BAD_REQUEST', problem || requestProblem);
    if (codingCount > 0) return this.#judgeCoding();
    if (lengthCount === 0) return true;
    if (lengthCount > 1) return this.#refuse('SP_BAD_FRAMING', 'more than one Content-Length');
    const value = parseLength(length);
    if (value === NO_LENGTH) return this.#refuse('SP_BAD_FRAMING', 'malformed Content-Length');
    if (value === LENGTH_TOO_LARGE)
      return this.#refuse('SP_BODY_TOO_LARGE', 'Content-Length beyond 2^53 - 1');
    head.framing = 'length';
    head.contentLength = value;
    return true;
  }

  #judgeCoding(): boolean {
    const { lengthCount, codingCount, coding } = this.#framing;
    if (lengthCount > 0) return this.#refuse('SP_BAD_FRAMING', 'both Content-Length and Transfer-Encoding');
    if (codingCount > 1) return this.#refuse('SP_BAD_FRAMING', 'more than one Transfer-Encoding');
    if (this.head.minor === 0) return this.#refuse('SP_BAD_FRAMING', 'Transfer-Encoding on HTTP/1.0');
    const lower = coding.toLowerCase();
    if (lower === 'chunked') {
      this.head.framing = 'chunked';
      return true;
    }
    // A list that ends in one `chunked` is well-formed, but codings before it are not undone here.
    if (isCodingList(lower)) return this.#refuse('SP_NOT_IMPLEMENTED', 'unknown transfer coding');
    return this.#refuse('SP_BAD_FRAMING', 'malformed Transfer-Encoding');
  }

  #judgeHost(): boolean {
    const { hostCount, host } = this.#framing;
    if (hostCount > 1) return this.#refuse('SP_BAD_HOST', 'more than one Host');
    if (hostCount === 0 && this.head.minor === 1) return this.#refuse('SP_BAD_HOST', 'no Host');
    const problem = readTarget(this.head, hostCount === 0 ? undefined : host);
    return problem === '' || this.#refuse('SP_BAD_REQUEST', problem);
  }

  #judgeExpect(): boolean {
    const { head } = this;
    const { expectCount, expect } = this.#framing;
    head.expectContinue = false;
    if (expectCount === 0) return true;
    if (expectCount > 1 || expect.toLowerCase() !== '100-continue')
      return this.#refuse('SP_EXPECTATION', 'unknown expectation');
    // A client of HTTP/1.0 does not wait for it (RFC 9110 §10.1.1).
    head.expectContinue = head.minor === 1;
    return true;
  }

  #judgeUpgrade(): boolean {
    const { head } = this;
    const { upgrade, tokens } = this.#framing;
    const isAsked =
      upgrade !== undefined && head.minor === 1 && head.method === 'GET' && tokens.includes('upgrade');
    head.upgrade = isAsked ? upgrade : undefined;
    const hasBody = head.framing === 'chunked' || head.contentLength > 0;
    return !(isAsked && hasBody) || this.#refuse('SP_BAD_REQUEST', 'upgrade together with a body');
  }
}

function targetProblem(byte: number): string {
  switch (byte) {
    case CR:
      return 'no HTTP version';
    case LF:
      return 'bare LF';
    case 0x23:
      return 'fragment in the request target';
    default:
      return 'illegal byte in the request target';
  }
}

/** Whether every element is a coding name and at most the last is `chunked`. */
function isCodingList(lower: string): boolean {
  const codings = lower.split(',').map((coding) => coding.trim());
  const last = codings.length - 1;
  return codings.every(
    (coding, index) => isToken(coding) && coding !== 'identity' && (coding !== 'chunked' || index === last),
  );
}
