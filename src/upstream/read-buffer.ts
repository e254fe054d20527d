/** Enough for a head and a small body; every connection has one. */
export const SMALL_BYTES = 8 * 1024;
/** For bodies: lent to connections while one streams. */
const LARGE_BYTES = 64 * 1024;
const MAX_SPARE = 64;

/** Large read buffers that wait for the next body. They are reused, because buffers allocated for each read keep the collector busy. */
const spare: Buffer[] = [];

/**
 * Where one upstream connection reads into. The bytes of a read are only lent to whoever handles them, until the next
 * read; what a socket still has to write is given away with `donate`.
 */
export class ReadBuffer {
  #small: Buffer = Buffer.allocUnsafeSlow(SMALL_BYTES);
  #current: Buffer = this.#small;

  get isLarge(): boolean {
    return this.#current !== this.#small;
  }

  get current(): Buffer {
    return this.#current;
  }

  /** Somebody holds on to the bytes of the last read: the next read goes elsewhere. */
  donate(): void {
    if (this.#current === this.#small) this.#current = this.#small = Buffer.allocUnsafeSlow(SMALL_BYTES);
    else this.#current = takeLarge();
  }

  /** Chooses the size for the next read. */
  fit(large: boolean): Buffer {
    if (large && this.#current === this.#small) {
      this.#current = takeLarge();
    } else if (!large && this.#current !== this.#small) {
      if (spare.length < MAX_SPARE) spare.push(this.#current);
      this.#current = this.#small;
    }
    return this.#current;
  }
}

function takeLarge(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
}
