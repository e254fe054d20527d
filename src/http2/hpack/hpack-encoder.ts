import { DynamicTable } from './dynamic-table.ts';
import { encodeHuffman, huffmanSize } from './huffman.ts';
import { staticTable } from './static-table.ts';

// Fields → header blocks (RFC 7541 §6). What repeats from message to message goes through the dynamic table; what does
// not, or is secret, stays out of it.

/** Static name → its first index; `name\nvalue` → index of the whole entry. */
const staticNames = new Map<string, number>();
const staticFields = new Map<string, number>();

for (const [index, [name, value]] of staticTable.entries()) {
  if (!staticNames.has(name)) staticNames.set(name, index + 1);
  if (value !== '') staticFields.set(fieldKey(name, value), index + 1);
}

/** Values of these differ from message to message: an entry would only push out better ones. */
const changing: ReadonlySet<string> = new Set([
  ':path',
  'age',
  'content-length',
  'content-range',
  'date',
  'etag',
  'expires',
  'if-modified-since',
  'if-none-match',
  'last-modified',
  'location',
  'range',
  'traceparent',
  'x-request-id',
]);

/** Never put into any table, here or by whoever passes the message on (§7.1.3). */
const secret: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'set-cookie', 'cookie']);

/** Longer values are rarely sent twice, and push out many others. */
const MAX_INDEXED_VALUE = 256;
/** A larger table than the default costs memory on both sides and saves little. */
const MAX_TABLE_BYTES = 4096;
/** Integers and flags of one field: two lengths and an index of five bytes each, a size update. */
const FIELD_OVERHEAD_BYTES = 24;

/** One direction of one connection. */
export class HpackEncoder {
  readonly #table: DynamicTable;
  /** `name\nvalue` → number of the newest entry with it. */
  readonly #known = new Map<string, number>();
  /** Sizes that the next block has to announce: the smallest since the last one, and the present one (§4.2). */
  #smallestBytes = MAX_TABLE_BYTES;
  #announceDue = false;
  #target: Buffer = Buffer.allocUnsafe(1024);
  #at = 0;

  constructor() {
    this.#table = new DynamicTable(MAX_TABLE_BYTES, (name, value, number) => {
      const key = fieldKey(name, value);
      if (this.#known.get(key) === number) this.#known.delete(key);
    });
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setLimit(bytes: number): void {
    const wanted = Math.min(bytes, MAX_TABLE_BYTES);
    if (wanted === this.#table.maxBytes && !this.#announceDue) return;
    this.#smallestBytes = this.#announceDue ? Math.min(this.#smallestBytes, wanted) : wanted;
    this.#announceDue = true;
    this.#table.resize(wanted);
  }

  /** Begins a block. */
  begin(): void {
    this.#at = 0;
    if (!this.#announceDue) return;
    this.#announceDue = false;
    this.#reserve(FIELD_OVERHEAD_BYTES);
    if (this.#smallestBytes < this.#table.maxBytes) this.#integer(0x20, 5, this.#smallestBytes);
    this.#integer(0x20, 5, this.#table.maxBytes);
  }

  /** Adds a field. The name is lower case; both are latin1. */
  field(name: string, value: string): void {
    this.#reserve(name.length + value.length + FIELD_OVERHEAD_BYTES);
    const key = fieldKey(name, value);
    const whole = staticFields.get(key);
    if (whole !== undefined) return this.#integer(0x80, 7, whole);
    const known = this.#known.get(key);
    if (known !== undefined) return this.#integer(0x80, 7, staticTable.length + this.#table.added - known);
    const index = staticNames.get(name) ?? 0;
    if (secret.has(name)) return this.#literal(0x10, 4, { index, name, value });
    if (changing.has(name) || value.length > MAX_INDEXED_VALUE || !this.#table.fits(name, value)) {
      return this.#literal(0x00, 4, { index, name, value });
    }
    this.#literal(0x40, 6, { index, name, value });
    this.#known.set(key, this.#table.added);
    this.#table.add(name, value);
    return undefined;
  }

  /** The block since `begin`; valid until the next `begin`. */
  end(): Buffer {
    return this.#target.subarray(0, this.#at);
  }

  #literal(
    pattern: number,
    prefixBits: number,
    field: { readonly index: number; readonly name: string; readonly value: string },
  ): void {
    this.#integer(pattern, prefixBits, field.index);
    if (field.index === 0) this.#string(field.name);
    this.#string(field.value);
  }

  #string(text: string): void {
    const size = huffmanSize(text);
    if (size < text.length) {
      this.#integer(0x80, 7, size);
      this.#at = encodeHuffman(text, this.#target, this.#at);
      return;
    }
    this.#integer(0x00, 7, text.length);
    this.#at += this.#target.write(text, this.#at, 'latin1');
  }

  /** §5.1. */
  #integer(pattern: number, prefixBits: number, value: number): void {
    const mask = (1 << prefixBits) - 1;
    if (value < mask) {
      this.#target[this.#at++] = pattern | value;
      return;
    }
    this.#target[this.#at++] = pattern | mask;
    let rest = value - mask;
    while (rest >= 0x80) {
      this.#target[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#target[this.#at++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#target.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#target.length * 2));
    this.#target.copy(larger, 0, 0, this.#at);
    this.#target = larger;
  }
}

function fieldKey(name: string, value: string): string {
  return `${name}\n${value}`;
}
