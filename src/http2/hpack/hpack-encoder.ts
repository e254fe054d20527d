import { DynamicTable } from './dynamic-table.ts';
import { encodeHuffman, huffmanSize } from './huffman.ts';
import { staticTable } from './static-table.ts';

// Fields → header blocks (RFC 7541 §6). What repeats from message to message goes through the dynamic table; what does
// not, or is secret, stays out of it.

/** Values of these differ from message to message: an entry would only push out better ones. A date lasts for a second. */
const changing: ReadonlySet<string> = new Set([
  ':path',
  'age',
  'content-length',
  'content-range',
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

/** How a field goes out when it is not in a table already. */
const Form = { indexed: 0, plain: 1, neverIndexed: 2 } as const;

interface KnownName {
  /** Of its first entry in the static table; 0 for none. */
  index: number;
  readonly form: (typeof Form)[keyof typeof Form];
  /** Value → index of the whole entry in the static table; undefined when it has none of this name. */
  values: Map<string, number> | undefined;
}

const unknownName: KnownName = { index: 0, form: Form.indexed, values: undefined };
const knownNames = new Map<string, KnownName>();

function addName(name: string): KnownName {
  const form = secret.has(name) ? Form.neverIndexed : changing.has(name) ? Form.plain : Form.indexed;
  const entry: KnownName = { index: 0, form, values: undefined };
  knownNames.set(name, entry);
  return entry;
}

for (const name of [...changing, ...secret]) addName(name);
for (const [index, [name, value]] of staticTable.entries()) {
  const entry = knownNames.get(name) ?? addName(name);
  if (entry.index === 0) entry.index = index + 1;
  if (value !== '') (entry.values ??= new Map<string, number>()).set(value, index + 1);
}

/** Longer values are rarely sent twice, and push out many others. */
const MAX_INDEXED_VALUE = 256;
/** A larger table than the default costs memory on both sides and saves little. */
const MAX_TABLE_BYTES = 4096;
/** Up to here a loop is faster than a call out of JavaScript. */
const SHORT_TEXT = 16;
/** Integers and flags of one field: two lengths and an index of five bytes each, a size update. */
const FIELD_OVERHEAD_BYTES = 24;

/** One direction of one connection. */
export class HpackEncoder {
  readonly #table: DynamicTable;
  /** Name → value → number of the newest entry with both. */
  readonly #known = new Map<string, Map<string, number>>();
  /** Sizes that the next block has to announce: the smallest since the last one, and the present one (§4.2). */
  #smallestBytes = MAX_TABLE_BYTES;
  #announceDue = false;
  #target: Buffer = Buffer.allocUnsafe(1024);
  #at = 0;

  constructor() {
    this.#table = new DynamicTable(MAX_TABLE_BYTES, (name, value, number) =>
      this.#forget(name, value, number),
    );
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
    const { index, form, values } = knownNames.get(name) ?? unknownName;
    const whole = values?.get(value);
    if (whole !== undefined) return this.#integer(0x80, 7, whole);
    if (form === Form.neverIndexed) return this.#literal(0x10, index, name, value);
    if (form === Form.plain || value.length > MAX_INDEXED_VALUE)
      return this.#literal(0x00, index, name, value);
    const known = this.#known.get(name)?.get(value);
    if (known !== undefined) return this.#integer(0x80, 7, staticTable.length + this.#table.added - known);
    if (!this.#table.fits(name, value)) return this.#literal(0x00, index, name, value);
    this.#integer(0x40, 6, index);
    if (index === 0) this.#coded(name);
    this.#coded(value);
    return this.#remember(name, value);
  }

  /** What holds the block since `begin`, from its first byte on; valid until the next call. */
  get bytes(): Buffer {
    return this.#target;
  }

  /** Bytes of the block. */
  get length(): number {
    return this.#at;
  }

  /** The block since `begin`; valid until the next `begin`. */
  end(): Buffer {
    return this.#target.subarray(0, this.#at);
  }

  #remember(name: string, text: string): void {
    // A piece of a head would keep the whole head in memory.
    const value = Buffer.from(text, 'latin1').toString('latin1');
    const values = this.#known.get(name);
    if (values === undefined) this.#known.set(name, new Map([[value, this.#table.added]]));
    else values.set(value, this.#table.added);
    this.#table.add(name, value);
  }

  #forget(name: string, value: string, number: number): void {
    const values = this.#known.get(name);
    if (values?.get(value) !== number) return;
    values.delete(value);
    if (values.size === 0) this.#known.delete(name);
  }

  /** A field that stays out of the table goes out as it is: coding what is sent once costs more time than its bytes. */
  // oxlint-disable-next-line max-params -- a field and its form, hot
  #literal(pattern: number, index: number, name: string, value: string): void {
    this.#integer(pattern, 4, index);
    if (index === 0) this.#plain(name);
    this.#plain(value);
  }

  #plain(text: string): void {
    this.#integer(0x00, 7, text.length);
    if (text.length > SHORT_TEXT) this.#at += this.#target.write(text, this.#at, 'latin1');
    else for (let index = 0; index < text.length; index++) this.#target[this.#at++] = text.charCodeAt(index);
  }

  /** With the code of Appendix B where that is shorter. */
  #coded(text: string): void {
    const size = huffmanSize(text);
    if (size >= text.length) return this.#plain(text);
    this.#integer(0x80, 7, size);
    this.#at = encodeHuffman(text, this.#target, this.#at);
    return undefined;
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
