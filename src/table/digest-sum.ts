/**
 * XOR over entry digests. Order does not matter and adding twice is removing, so a table's digest follows its changes
 * without a look at the entries that stay. It detects drift between two copies; it is no protection against forgery.
 */
export class DigestSum {
  #high = 0;
  #low = 0;

  /** Continues from a digest of 16 hex digits. */
  constructor(start = '0000000000000000') {
    this.toggle(start);
  }

  /** Adds an entry's digest, or removes it when it is in. */
  toggle(digest: string): void {
    this.#high = (this.#high ^ Number.parseInt(digest.slice(0, 8), 16)) >>> 0;
    this.#low = (this.#low ^ Number.parseInt(digest.slice(8), 16)) >>> 0;
  }

  toString(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0');
  }
}
