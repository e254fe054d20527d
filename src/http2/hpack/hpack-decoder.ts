import { DynamicTable } from './dynamic-table.ts';
import { decodeHuffman, maxDecodedLength } from './huffman.ts';
import { staticTable } from './static-table.ts';

// Header blocks → fields (RFC 7541 §3, §6). The whole block is decoded whatever the receiver makes of its fields, because
// the table must stay in step with the peer's.

/** Takes the fields of a block, in order. Texts are latin1. */
export interface FieldSink {
  field(name: string, value: string): void;
}

/** A block that cannot be decoded ends the connection: COMPRESSION_ERROR (RFC 9113 §4.3). */
export type HpackFault =
  | 'integer too large'
  | 'block ends inside a field'
  | 'index out of range'
  | 'bad Huffman code'
  | 'table size update behind a field'
  | 'table size above the limit'
  | 'table size update missing'
  | 'string too long';

const STATIC_LENGTH = staticTable.length;
/** No string that a sane peer sends is longer: it is above every limit on header sections. */
const MAX_STRING_BYTES = 1 << 20;
/** Enough for every length and index in use; keeps sums inside of 31 bits. */
const MAX_INTEGER = 1 << 28;
const SMALL_STRING_BYTES = 16_384;

/** Shared by all decoders of the thread: a string is copied out of it at once. */
const scratch = Buffer.allocUnsafe(maxDecodedLength(SMALL_STRING_BYTES));

/** One direction of one connection. After a fault it must not be used again. */
export class HpackDecoder {
  readonly #table: DynamicTable;
  /** What our SETTINGS_HEADER_TABLE_SIZE allows. */
  #limitBytes: number;
  /** The limit was lowered, and the peer has yet to follow (§4.2). */
  #updateDue = false;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #fault: HpackFault | undefined;

  constructor(tableBytes = 4096) {
    this.#table = new DynamicTable(tableBytes);
    this.#limitBytes = tableBytes;
  }

  /** The peer acknowledged this SETTINGS_HEADER_TABLE_SIZE. */
  setLimit(bytes: number): void {
    this.#limitBytes = bytes;
    if (bytes < this.#table.maxBytes) this.#updateDue = true;
  }

  /** Decodes one whole block. */
  decode(buffer: Buffer, start: number, end: number, sink: FieldSink): HpackFault | undefined {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
    this.#readUpdates();
    while (this.#at < end && this.#fault === undefined) this.#readField(sink);
    return this.#fault;
  }

  /** Size updates stand at the beginning of a block only (§4.2). */
  #readUpdates(): void {
    while (this.#at < this.#end && ((this.#buffer[this.#at] as number) & 0xe0) === 0x20) {
      const bytes = this.#integer(5);
      if (this.#fault !== undefined) return;
      if (bytes > this.#limitBytes) return this.#fail('table size above the limit');
      this.#table.resize(bytes);
      this.#updateDue = false;
    }
    if (this.#updateDue) this.#fail('table size update missing');
  }

  #readField(sink: FieldSink): void {
    const first = this.#buffer[this.#at] as number;
    if (first >= 0x80) return this.#readIndexed(sink);
    if (first >= 0x40) return this.#readLiteral(6, sink, true);
    if (first >= 0x20) return this.#fail('table size update behind a field');
    return this.#readLiteral(4, sink, false);
  }

  #readIndexed(sink: FieldSink): void {
    const index = this.#integer(7);
    const name = this.#nameAt(index);
    if (name === undefined) return;
    sink.field(name, this.#valueAt(index));
  }

  #readLiteral(prefixBits: number, sink: FieldSink, indexed: boolean): void {
    const index = this.#integer(prefixBits);
    if (this.#fault !== undefined) return;
    const name = index === 0 ? this.#string() : this.#nameAt(index);
    if (name === undefined || this.#fault !== undefined) return;
    const value = this.#string();
    if (this.#fault !== undefined) return;
    if (indexed) this.#table.add(name, value);
    sink.field(name, value);
  }

  #nameAt(index: number): string | undefined {
    if (this.#fault !== undefined) return undefined;
    if (index >= 1 && index <= STATIC_LENGTH) return staticTable[index - 1]?.[0];
    if (index > STATIC_LENGTH && index - STATIC_LENGTH <= this.#table.length) {
      return this.#table.name(index - STATIC_LENGTH - 1);
    }
    this.#fail('index out of range');
    return undefined;
  }

  /** Of an index that `#nameAt` found. */
  #valueAt(index: number): string {
    const entry = staticTable[index - 1];
    return entry === undefined ? this.#table.value(index - STATIC_LENGTH - 1) : entry[1];
  }

  #string(): string {
    if (this.#at >= this.#end) return this.#cut();
    const isHuffman = (this.#buffer[this.#at] as number) >= 0x80;
    const length = this.#integer(7);
    if (this.#fault !== undefined) return '';
    const start = this.#at;
    if (length > this.#end - start) return this.#cut();
    if (length > MAX_STRING_BYTES) {
      this.#fail('string too long');
      return '';
    }
    this.#at = start + length;
    if (!isHuffman) return this.#buffer.toString('latin1', start, this.#at);
    const room = maxDecodedLength(length);
    const target = length > SMALL_STRING_BYTES ? Buffer.allocUnsafe(room) : scratch;
    const written = decodeHuffman(this.#buffer, start, this.#at, target);
    if (written < 0) {
      this.#fail('bad Huffman code');
      return '';
    }
    return target.toString('latin1', 0, written);
  }

  /** §5.1, with a prefix of this many bits. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (this.#buffer[this.#at++] as number) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 28; shift += 7) {
      if (this.#at >= this.#end) {
        this.#cut();
        return 0;
      }
      const byte = this.#buffer[this.#at++] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (value > MAX_INTEGER) break;
      if (byte < 0x80) return value;
    }
    this.#fail('integer too large');
    return 0;
  }

  #cut(): '' {
    this.#fail('block ends inside a field');
    return '';
  }

  #fail(fault: HpackFault): void {
    this.#fault ??= fault;
  }
}
