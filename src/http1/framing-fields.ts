import { Role } from './field-names.ts';
import { isAscii, isBlank, isToken } from './tokens.ts';

const NONE: readonly string[] = Object.freeze([]);
const KEEP_ALIVE: readonly string[] = Object.freeze(['keep-alive']);
const CLOSE: readonly string[] = Object.freeze(['close']);
const UPGRADE: readonly string[] = Object.freeze(['upgrade']);

/** What the fields of one head say about its framing and its connection. Filled while the fields are read, judged after. */
export class FramingFields {
  /** Static text; '' while nothing is wrong. */
  problem = '';
  /** The same for fields that mean something in requests only. */
  requestProblem = '';
  hostCount = 0;
  host = '';
  lengthCount = 0;
  length = '';
  codingCount = 0;
  coding = '';
  expectCount = 0;
  expect = '';
  /** Lower-case Connection options; shared when there are none or one of the usual. */
  tokens: readonly string[] = NONE;
  /** Lower-case values of Upgrade, joined; undefined when there is none. */
  upgrade: string | undefined;

  reset(): void {
    this.problem = '';
    this.requestProblem = '';
    this.hostCount = 0;
    this.host = '';
    this.lengthCount = 0;
    this.codingCount = 0;
    this.expectCount = 0;
    this.tokens = NONE;
    this.upgrade = undefined;
  }

  note(role: Role, value: string): void {
    if (!isAscii(value)) this.#noteByte(role);
    switch (role) {
      case Role.host:
        this.hostCount++;
        this.host = value;
        break;
      case Role.contentLength:
        this.lengthCount++;
        this.length = value;
        break;
      case Role.transferEncoding:
        this.codingCount++;
        this.coding = value;
        break;
      case Role.connection:
        this.#addOptions(value);
        break;
      case Role.upgrade:
        this.upgrade =
          this.upgrade === undefined ? value.toLowerCase() : `${this.upgrade}, ${value.toLowerCase()}`;
        break;
      case Role.expect:
        this.expectCount++;
        this.expect = value;
        break;
      default:
        break;
    }
  }

  /** A tab stands beside the value: optional whitespace, but some readers take `chunked<TAB>` for another coding. */
  noteTab(role: Role): void {
    if (role === Role.contentLength || role === Role.transferEncoding)
      this.problem = 'tab beside a framing value';
  }

  /** Whether the connection persists behind this message (RFC 9112 §9.3). */
  keepsAlive(minor: 0 | 1): boolean {
    if (this.tokens.length === 0) return minor === 1;
    return !this.tokens.includes('close') && (minor === 1 || this.tokens.includes('keep-alive'));
  }

  #noteByte(role: Role): void {
    const problem = 'byte above 0x7e in a field that must be ASCII';
    if (role === Role.host || role === Role.expect || role === Role.identity) this.requestProblem = problem;
    else this.problem = problem;
  }

  #addOptions(value: string): void {
    const single = this.tokens.length === 0 ? usual(value) : undefined;
    if (single !== undefined) {
      this.tokens = single;
      return;
    }
    const tokens = [...this.tokens];
    for (let start = 0; start <= value.length;) {
      const comma = value.indexOf(',', start);
      const stop = comma < 0 ? value.length : comma;
      const option = trim(value, start, stop);
      if (option !== '' && !isToken(option)) this.problem = 'Connection option is not a token';
      if (option !== '') tokens.push(option.toLowerCase());
      start = stop + 1;
    }
    this.tokens = tokens;
  }
}

function usual(value: string): readonly string[] | undefined {
  switch (value) {
    case 'keep-alive':
    case 'Keep-Alive':
      return KEEP_ALIVE;
    case 'close':
    case 'Close':
      return CLOSE;
    case 'upgrade':
    case 'Upgrade':
      return UPGRADE;
    default:
      return undefined;
  }
}

function trim(text: string, start: number, stop: number): string {
  while (start < stop && isBlank(text.charCodeAt(start))) start++;
  while (stop > start && isBlank(text.charCodeAt(stop - 1))) stop--;
  return text.slice(start, stop);
}

/** What `parseLength` returns for a text that is no Content-Length, and for one too large to count exactly. */
export const NO_LENGTH = -1;
export const LENGTH_TOO_LARGE = -2;

/** No message is that long: such a number is a bet on some reader's overflow, not the size of anything. */
const ABSURD_LENGTH = 2 ** 64;

/** Reads 1*DIGIT (RFC 9110 §8.6) without superfluous zeros. */
export function parseLength(text: string): number {
  const digits = text.length;
  if (digits === 0 || (digits > 1 && text.charCodeAt(0) === 0x30)) return NO_LENGTH;
  let value = 0;
  for (let index = 0; index < digits; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return NO_LENGTH;
    value = value * 10 + digit;
  }
  if (value >= ABSURD_LENGTH) return NO_LENGTH;
  return value > Number.MAX_SAFE_INTEGER ? LENGTH_TOO_LARGE : value;
}
