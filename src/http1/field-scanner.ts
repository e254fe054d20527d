import type { HeaderList } from '../util/header-list.ts';
import { Role, fieldName } from './field-names.ts';
import type { FramingFields } from './framing-fields.ts';
import { COLON, CR, LF, SP, TAB, TEXT, TOKEN, byteClass, isBlank } from './tokens.ts';

/**
 * Finds and checks the lines of a field section (RFC 9112 §5), each byte once however the section is cut: what has been
 * looked at is remembered as offsets from `origin`, so that the buffer may move between two calls.
 */
export class FieldScanner {
  /** Static text; '' while nothing is wrong. */
  problem = '';
  /** Whether the problem is one of size. */
  tooLarge = false;

  readonly #maxFields: number;
  readonly #maxFieldBytes: number;
  /** Three offsets a field: its start, its colon, its CR. Grows by need: most sections have a tenth of the fields allowed. */
  readonly #marks: number[] = [];
  #count = 0;
  #at = 0;
  #inValue = false;
  #longest = 0;

  /** `maxFieldBytes` bounds one line, without its end. */
  constructor(maxFields: number, maxFieldBytes = Infinity) {
    this.#maxFields = maxFields;
    this.#maxFieldBytes = maxFieldBytes;
  }

  /** Starts a section at this offset from the origin. */
  reset(at: number): void {
    this.problem = '';
    this.tooLarge = false;
    this.#count = 0;
    this.#at = at;
    this.#inValue = false;
    this.#longest = 0;
    this.#marks[0] = at;
  }

  /**
   * Looks on from where the last call stopped, as far as `end`. Returns the offset behind the empty line, 0 when more bytes
   * are needed, -1 when `problem` is set. One function, since it touches every byte of every head.
   */
  scan(buffer: Buffer, origin: number, end: number): number {
    const marks = this.#marks;
    let at = origin + this.#at;
    let mark = 3 * this.#count;
    for (;;) {
      if (!this.#inValue) {
        while (at < end && ((byteClass[buffer[at] as number] as number) & TOKEN) !== 0) at++;
        if (at === end) break;
        const isFirst = at - origin === marks[mark];
        if (buffer[at] !== COLON || isFirst) {
          this.#at = at - origin;
          return this.#endSection(buffer, at, end, isFirst);
        }
        if (this.#count === this.#maxFields) return this.#failSize('too many fields');
        marks[mark + 1] = at - origin;
        this.#inValue = true;
        at++;
      }
      while (at < end && ((byteClass[buffer[at] as number] as number) & TEXT) !== 0) at++;
      if (at === end) break;
      if (buffer[at] !== CR)
        return this.#fail(buffer[at] === LF ? 'bare LF' : 'control byte in a field value');
      if (at + 1 === end) break;
      if (buffer[at + 1] !== LF) return this.#fail('bare CR');
      marks[mark + 2] = at - origin;
      this.#longest = Math.max(this.#longest, at - origin - (marks[mark] as number));
      mark += 3;
      at += 2;
      marks[mark] = at - origin;
      this.#count++;
      this.#inValue = false;
    }
    this.#at = at - origin;
    return 0;
  }

  /**
   * Appends the fields of a complete section to `headers` and tells `framing` about those that it cares for.
   * `text` is the latin1 form of the bytes from the origin on.
   */
  // oxlint-disable-next-line max-params -- a section as bytes and as text, and where its fields go: hot
  read(buffer: Buffer, origin: number, text: string, headers: HeaderList, framing: FramingFields): void {
    const marks = this.#marks;
    const stop = 3 * this.#count;
    for (let mark = 0; mark < stop; mark += 3) {
      const colon = marks[mark + 1] as number;
      const end = marks[mark + 2] as number;
      const entry = fieldName(buffer, origin + (marks[mark] as number), origin + colon);
      let from = colon + 1;
      let to = end;
      while (from < to && isBlank(buffer[origin + from] as number)) from++;
      while (to > from && isBlank(buffer[origin + to - 1] as number)) to--;
      const value = text.slice(from, to);
      headers.push(entry.name, entry.lower, value);
      if (entry.role === Role.none) continue;
      framing.note(entry.role, value);
      if (hasTab(text, colon + 1, from) || hasTab(text, to, end)) framing.noteTab(entry.role);
    }
  }

  /** At a byte that ends no name: the empty line, or what is wrong. */
  #endSection(buffer: Buffer, at: number, end: number, isFirst: boolean): number {
    const byte = buffer[at] as number;
    if (!isFirst || byte !== CR) return this.#failName(byte, isFirst);
    if (at + 1 === end) return 0;
    if (this.#longest > this.#maxFieldBytes) return this.#failSize('field too large');
    return buffer[at + 1] === LF ? at + 2 : this.#fail('bare CR');
  }

  #failName(byte: number, isFirst: boolean): number {
    if (byte === LF) return this.#fail('bare LF');
    if (byte === CR) return this.#fail('line without a colon');
    if (byte === COLON) return this.#fail('field without a name');
    if (isFirst && (byte === SP || byte === TAB))
      return this.#fail(this.#count > 0 ? 'folded field line' : 'blank before the first field');
    return this.#fail('field name is not a token');
  }

  #fail(problem: string): number {
    this.problem = problem;
    return -1;
  }

  #failSize(problem: string): number {
    this.tooLarge = true;
    return this.#fail(problem);
  }
}

function hasTab(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (text.charCodeAt(index) === TAB) return true;
  return false;
}
