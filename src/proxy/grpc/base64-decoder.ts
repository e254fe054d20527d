const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PADDING = 0x3d;
const NONE = 64;

/** Six bits of each byte, NONE for what is no letter of the alphabet. */
const values = new Uint8Array(256).fill(NONE);
for (let value = 0; value < ALPHABET.length; value++) values[ALPHABET.charCodeAt(value)] = value;

/**
 * Base64 in pieces (RFC 4648 §4). Padding may stand behind any quantum of four: what is padded there is a piece that was
 * encoded for itself, and another begins. Every byte costs the same, wherever the padding stands.
 */
export class Base64Decoder {
  /** Of the quantum that has begun: its bits, its letters, and its padding. */
  #bits = 0;
  #letters = 0;
  #padding = 0;

  /** The bytes of all quanta that are complete; undefined for what is not base64. */
  decode(bytes: Buffer): Buffer | undefined {
    const decoded = Buffer.allocUnsafe(Math.ceil((bytes.length + 3) / 4) * 3);
    let length = 0;
    for (let index = 0; index < bytes.length; index++) {
      if (!this.#take(bytes[index] as number)) return undefined;
      if (this.#letters + this.#padding === 4) length = this.#finish(decoded, length);
    }
    return decoded.subarray(0, length);
  }

  /** Whether the text may end here. */
  get isComplete(): boolean {
    return this.#letters === 0;
  }

  reset(): void {
    this.#bits = 0;
    this.#letters = 0;
    this.#padding = 0;
  }

  #take(byte: number): boolean {
    if (byte === PADDING) {
      this.#padding++;
      return this.#letters >= 2;
    }
    const value = values[byte] as number;
    if (value === NONE || this.#padding > 0) return false;
    this.#bits = (this.#bits << 6) | value;
    this.#letters++;
    return true;
  }

  /** Writes the bytes of a whole quantum. Returns where the next ones go. */
  #finish(decoded: Buffer, at: number): number {
    const bits = this.#bits << (6 * this.#padding);
    decoded[at] = bits >>> 16;
    decoded[at + 1] = bits >>> 8;
    decoded[at + 2] = bits;
    const end = at + 3 - this.#padding;
    this.reset();
    return end;
  }
}
