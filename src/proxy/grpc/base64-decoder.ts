const PLAIN = /^[0-9A-Za-z+/]*$/;
const PADDED = /^[0-9A-Za-z+/]{2,3}={1,2}$/;
const NO_BYTES = Buffer.alloc(0);

/**
 * Base64 in pieces (RFC 4648 §4). Padding may stand behind any quantum of four: what is padded there is a piece that was
 * encoded for itself, and another begins.
 */
export class Base64Decoder {
  /** The beginning of a quantum. */
  #rest = '';

  /** The bytes of all quanta that are complete; undefined for what is not base64. */
  decode(bytes: Buffer): Buffer | undefined {
    const text = this.#rest + bytes.toString('latin1');
    const end = text.length - (text.length % 4);
    this.#rest = text.slice(end);
    if (end === 0) return PLAIN.test(text.replaceAll('=', '')) ? NO_BYTES : undefined;
    return decodeQuanta(text, end);
  }

  /** Whether the text may end here. */
  get isComplete(): boolean {
    return this.#rest === '';
  }

  reset(): void {
    this.#rest = '';
  }
}

/** Whole quanta, up to `end`. */
function decodeQuanta(text: string, end: number): Buffer | undefined {
  const pieces: Buffer[] = [];
  let start = 0;
  while (start < end) {
    const padding = text.indexOf('=', start);
    const plainEnd = padding < 0 || padding >= end ? end : padding - ((padding - start) % 4);
    const plain = text.slice(start, plainEnd);
    if (!PLAIN.test(plain)) return undefined;
    if (plain !== '') pieces.push(Buffer.from(plain, 'base64'));
    start = plainEnd;
    if (start === end) break;
    const padded = text.slice(start, start + 4);
    if (!PADDED.test(padded)) return undefined;
    pieces.push(Buffer.from(padded, 'base64'));
    start += 4;
  }
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}
