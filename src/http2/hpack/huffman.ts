import { EOS, huffmanCodes, huffmanLengths } from './huffman-code.ts';

// Huffman-coded strings of HPACK (RFC 7541 §5.2), eight bits of input at a time.

/**
 * Decoding walks nodes of 256 entries, one input byte each. An entry is a leaf, `LEAF | bits << 8 | symbol`, where `bits`
 * of the byte belong to the symbol, or the number of the next node, or `NOTHING`: no code goes this way.
 */
const LEAF = 1 << 15;
const NOTHING = -1;
const nodes: Int32Array[] = [];

function buildNodes(): void {
  nodes.push(new Int32Array(256).fill(NOTHING));
  // EOS has no leaf: a string that holds it is an error (§5.2).
  for (let symbol = 0; symbol < EOS; symbol++) insert(symbol);
}

function insert(symbol: number): void {
  const code = huffmanCodes[symbol] as number;
  let left = huffmanLengths[symbol] as number;
  let node = nodes[0] as Int32Array;
  while (left > 8) {
    left -= 8;
    const byte = (code >>> left) & 0xff;
    let next = node[byte] as number;
    if (next === NOTHING) {
      next = nodes.push(new Int32Array(256).fill(NOTHING)) - 1;
      node[byte] = next;
    }
    node = nodes[next] as Int32Array;
  }
  const first = (code << (8 - left)) & 0xff;
  node.fill(LEAF | (left << 8) | symbol, first, first + (1 << (8 - left)));
}

buildNodes();

/** The shortest code has five bits, so a byte holds 8/5 symbols at most. */
export function maxDecodedLength(encodedLength: number): number {
  return Math.floor((encodedLength * 8) / 5);
}

/**
 * Decodes `buffer` from `start` to `end` into `target`, which must have room for `maxDecodedLength`. Returns the number
 * of bytes written, or -1 for a string that RFC 7541 §5.2 forbids: EOS inside, padding of more than seven bits or of
 * other bits than ones.
 */
export function decodeHuffman(buffer: Buffer, start: number, end: number, target: Buffer): number {
  let written = 0;
  let node = nodes[0] as Int32Array;
  let bits = 0;
  let count = 0;
  /** Bits since the last whole symbol. */
  let pending = 0;
  for (let at = start; at < end; at++) {
    bits = ((bits << 8) | (buffer[at] as number)) & 0xffff;
    count += 8;
    pending += 8;
    while (count >= 8) {
      const entry = node[(bits >>> (count - 8)) & 0xff] as number;
      if (entry < 0) return -1;
      if (entry < LEAF) {
        node = nodes[entry] as Int32Array;
        count -= 8;
        continue;
      }
      target[written++] = entry & 0xff;
      count -= (entry >>> 8) & 0x7f;
      pending = count;
      node = nodes[0] as Int32Array;
    }
  }
  return finish({ node, bits, count, pending, written, target });
}

interface Rest {
  readonly node: Int32Array;
  readonly bits: number;
  readonly count: number;
  readonly pending: number;
  readonly written: number;
  readonly target: Buffer;
}

/** Fewer than eight bits are left: symbols that are short enough, then padding. */
function finish({ node, bits, count, pending, written, target }: Rest): number {
  while (count > 0) {
    const entry = node[(bits << (8 - count)) & 0xff] as number;
    if (entry < LEAF) break;
    const length = (entry >>> 8) & 0x7f;
    if (length > count) break;
    target[written++] = entry & 0xff;
    count -= length;
    pending = count;
    node = nodes[0] as Int32Array;
  }
  const padding = (1 << count) - 1;
  return pending <= 7 && (bits & padding) === padding ? written : -1;
}

/** Bytes that the coded form of a latin1 text takes. */
export function huffmanSize(text: string): number {
  let bits = 0;
  for (let index = 0; index < text.length; index++) bits += huffmanLengths[text.charCodeAt(index)] as number;
  return (bits + 7) >>> 3;
}

/** Writes the coded form of a latin1 text; there must be room for `huffmanSize`. Returns the offset behind it. */
export function encodeHuffman(text: string, target: Buffer, at: number): number {
  // At most 7 bits wait when a code of at most 30 comes: 37 bits, too many for one integer, so codes go in two halves.
  let bits = 0;
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index);
    const code = huffmanCodes[symbol] as number;
    let left = huffmanLengths[symbol] as number;
    while (left > 0) {
      const taken = Math.min(left, 16);
      left -= taken;
      bits = (bits << taken) | ((code >>> left) & ((1 << taken) - 1));
      count += taken;
      while (count >= 8) {
        count -= 8;
        target[at++] = bits >>> count;
      }
      bits &= (1 << count) - 1;
    }
  }
  if (count > 0) target[at++] = (bits << (8 - count)) | (0xff >>> count);
  return at;
}
