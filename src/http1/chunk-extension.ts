import { CR, LF, QUOTED, TEXT, TOKEN, byteClass, isBlank } from './tokens.ts';

const AFTER_ELEMENT = 0;
const BEFORE_SEMICOLON = 1;
const NAME_START = 2;
const NAME = 3;
const AFTER_NAME = 4;
const VALUE_START = 5;
const VALUE = 6;
const QUOTED_TEXT = 7;
const QUOTED_PAIR = 8;

const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/**
 * Checks what stands between a chunk's size and its line end, byte by byte:
 * `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )` (RFC 9112 §7.1.1). Nothing of it is kept.
 */
export class ChunkExtension {
  /** Static text, after `fault`. */
  problem = '';
  #state = AFTER_ELEMENT;

  /** Starts behind a size. */
  reset(): void {
    this.#state = AFTER_ELEMENT;
  }

  /** `end` at the CR of the line end, which can only be there and not within a quoted string. */
  step(byte: number): 'more' | 'end' | 'fault' {
    switch (this.#state) {
      case NAME_START:
      case NAME:
      case AFTER_NAME:
        return this.#stepName(byte);
      case VALUE_START:
      case VALUE:
        return this.#stepValue(byte);
      case QUOTED_TEXT:
      case QUOTED_PAIR:
        return this.#stepQuoted(byte);
      case BEFORE_SEMICOLON:
        if (isBlank(byte)) return 'more';
        return byte === SEMICOLON
          ? this.#to(NAME_START)
          : this.#refuse('blank before the end of a chunk size line');
      default:
        return this.#stepAfterElement(byte);
    }
  }

  /** Behind a size, or a complete extension. */
  #stepAfterElement(byte: number): 'more' | 'end' | 'fault' {
    if (byte === CR) return 'end';
    if (byte === SEMICOLON) return this.#to(NAME_START);
    if (isBlank(byte)) return this.#to(BEFORE_SEMICOLON);
    return this.#refuse(byte === LF ? 'bare LF' : 'malformed chunk size or extension');
  }

  #stepName(byte: number): 'more' | 'end' | 'fault' {
    if (isToken(byte) && this.#state !== AFTER_NAME) return this.#to(NAME);
    if (this.#state === NAME_START) {
      return isBlank(byte) ? 'more' : this.#refuse('chunk extension without a name');
    }
    if (isBlank(byte)) return this.#to(AFTER_NAME);
    if (byte === EQUALS) return this.#to(VALUE_START);
    if (byte === SEMICOLON) return this.#to(NAME_START);
    return byte === CR && this.#state === NAME ? 'end' : this.#refuse('malformed chunk extension');
  }

  #stepValue(byte: number): 'more' | 'end' | 'fault' {
    if (isToken(byte)) return this.#to(VALUE);
    if (this.#state === VALUE) return this.#stepAfterElement(byte);
    if (isBlank(byte)) return 'more';
    return byte === QUOTE ? this.#to(QUOTED_TEXT) : this.#refuse('chunk extension without a value');
  }

  #stepQuoted(byte: number): 'more' | 'end' | 'fault' {
    const classes = byteClass[byte] as number;
    if (this.#state === QUOTED_PAIR && (classes & TEXT) !== 0) return this.#to(QUOTED_TEXT);
    if (this.#state === QUOTED_TEXT) {
      if ((classes & QUOTED) !== 0) return 'more';
      if (byte === BACKSLASH) return this.#to(QUOTED_PAIR);
      if (byte === QUOTE) return this.#to(AFTER_ELEMENT);
    }
    return this.#refuse('control byte in a chunk extension');
  }

  #to(state: number): 'more' {
    this.#state = state;
    return 'more';
  }

  #refuse(problem: string): 'fault' {
    this.problem = problem;
    return 'fault';
  }
}

function isToken(byte: number): boolean {
  return ((byteClass[byte] as number) & TOKEN) !== 0;
}
