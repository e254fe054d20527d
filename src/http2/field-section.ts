import { HeaderList } from '../util/header-list.ts';
import { Rule, isGoodValue, ruleOf } from './field-rules.ts';
import type { FieldSink } from './hpack/hpack-decoder.ts';

export interface SectionLimits {
  readonly maxFields: number;
  readonly maxBytes: number;
}

const NO_LIMITS: SectionLimits = { maxFields: 0, maxBytes: 0 };
/** Lists that wait for the next sections, and how much each may still hold on to. */
const MAX_SPARE = 8;
const MAX_SPARE_FIELDS = 32;
const MAX_SPARE_BYTES = 4096;
/** Digits of the largest number that can be counted exactly. */
const MAX_DIGITS = 16;

/**
 * One field section as it comes out of HPACK: pseudo-fields apart, regular ones checked (RFC 9113 §8.2, §8.3). A section
 * that is malformed or beyond the limits keeps its first reason; the block is decoded to its end all the same, because the
 * compression table must stay in step, but nothing more is kept. One section is reused for a whole connection.
 */
export class FieldSection implements FieldSink {
  /** Another list for each section: it is given away with the head. Cookie crumbs (§8.2.3) stand joined at the first one's place. */
  headers = new HeaderList();
  method: string | undefined;
  scheme: string | undefined;
  authority: string | undefined;
  path: string | undefined;
  protocol: string | undefined;
  status: string | undefined;
  /** Whether there was any pseudo-field. */
  hasPseudo = false;
  /** Why the section is malformed; '' while it is not. */
  malformed = '';
  /** More fields than allowed. */
  tooMany = false;
  /** More bytes than allowed. */
  tooLarge = false;
  /** Value of Content-Length, -1 without one. */
  contentLength = -1;
  readonly #spare: HeaderList[] = [];
  #limits = NO_LIMITS;
  #fields = 0;
  #bytes = 0;
  #cookieAt = -1;

  /** Takes back a list that was given away and that nobody looks at any more. */
  recycle(list: HeaderList): void {
    if (this.#spare.length === MAX_SPARE || list.length > MAX_SPARE_FIELDS) return;
    let bytes = 0;
    for (let index = 0; index < list.length; index++) bytes += (list.values[index] as string).length;
    if (bytes > MAX_SPARE_BYTES) return;
    list.clear();
    this.#spare.push(list);
  }

  begin(limits: SectionLimits): void {
    this.headers = this.#spare.pop() ?? new HeaderList();
    this.method = undefined;
    this.scheme = undefined;
    this.authority = undefined;
    this.path = undefined;
    this.protocol = undefined;
    this.status = undefined;
    this.hasPseudo = false;
    this.malformed = '';
    this.tooMany = false;
    this.tooLarge = false;
    this.contentLength = -1;
    this.#limits = limits;
    this.#fields = 0;
    this.#bytes = 0;
    this.#cookieAt = -1;
  }

  field(name: string, value: string): void {
    if (this.tooMany || this.tooLarge || this.malformed !== '') return;
    this.#bytes += name.length + value.length;
    if (this.#bytes > this.#limits.maxBytes) this.tooLarge = true;
    else if (name.charCodeAt(0) === 0x3a) this.#pseudoField(name, value);
    else if (++this.#fields > this.#limits.maxFields) this.tooMany = true;
    else this.#regularField(name, value);
  }

  #pseudoField(name: string, value: string): void {
    if (this.#fields > 0) return this.#refuse('pseudo-field behind a regular field');
    if (!isGoodValue(value)) return this.#refuse('bad byte in a field value');
    if (this.#pseudo(name) !== undefined) return this.#refuse('pseudo-field twice');
    this.hasPseudo = true;
    return this.#setPseudo(name, value);
  }

  #pseudo(name: string): string | undefined {
    switch (name) {
      case ':method':
        return this.method;
      case ':scheme':
        return this.scheme;
      case ':authority':
        return this.authority;
      case ':path':
        return this.path;
      case ':protocol':
        return this.protocol;
      default:
        return this.status;
    }
  }

  #setPseudo(name: string, value: string): void {
    switch (name) {
      case ':method':
        this.method = value;
        break;
      case ':scheme':
        this.scheme = value;
        break;
      case ':authority':
        this.authority = value;
        break;
      case ':path':
        this.path = value;
        break;
      case ':protocol':
        this.protocol = value;
        break;
      case ':status':
        this.status = value;
        break;
      default:
        this.#refuse('unknown pseudo-field');
    }
  }

  #regularField(name: string, value: string): void {
    const rule = ruleOf(name);
    if (rule === undefined) return this.#refuse('bad field name');
    if (!isGoodValue(value)) return this.#refuse('bad byte in a field value');
    if (rule !== Rule.plain) return this.#specialField(rule, name, value);
    this.headers.push(name, name, value);
    return undefined;
  }

  #specialField(rule: Rule, name: string, value: string): void {
    if (rule === Rule.connection) return this.#refuse('field of an HTTP/1.1 connection');
    if (rule === Rule.te && value !== 'trailers') return this.#refuse('te other than trailers');
    if (rule === Rule.cookie) return this.#addCookie(value);
    if (rule === Rule.contentLength && !this.#readLength(value)) return undefined;
    this.headers.push(name, name, value);
    return undefined;
  }

  #readLength(value: string): boolean {
    if (this.contentLength >= 0) this.#refuse('content-length twice');
    const length = readLength(value);
    if (length < 0) this.#refuse('bad content-length');
    if (this.malformed !== '') return false;
    this.contentLength = length;
    return true;
  }

  #addCookie(value: string): void {
    if (this.#cookieAt >= 0) {
      this.headers.values[this.#cookieAt] += `; ${value}`;
      return;
    }
    this.#cookieAt = this.headers.length;
    this.headers.push('cookie', 'cookie', value);
  }

  #refuse(reason: string): void {
    this.malformed = reason;
  }
}

/** 1*DIGIT without superfluous zeros, up to 2^53 - 1; else -1. */
function readLength(text: string): number {
  const { length } = text;
  if (length === 0 || length > MAX_DIGITS || (length > 1 && text.charCodeAt(0) === 0x30)) return -1;
  let value = 0;
  for (let index = 0; index < length; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value > Number.MAX_SAFE_INTEGER ? -1 : value;
}
