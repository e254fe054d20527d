/**
 * Base64 in pieces (RFC 4648 §4), without padding between them unless something has to leave: then the quantum that was
 * begun is padded, and another begins.
 */
export class Base64Encoder {
  /** Up to two bytes that fill no quantum. */
  readonly #rest = Buffer.alloc(3);
  #restLength = 0;

  /** The text of all quanta that are complete. */
  encode(buffer: Buffer, start: number, end: number): Buffer {
    const whole = this.#restLength + end - start;
    const kept = whole % 3;
    if (whole < 3) {
      this.#keep(buffer, start, end);
      return Buffer.alloc(0);
    }
    const bytes =
      this.#restLength === 0
        ? buffer.subarray(start, end - kept)
        : Buffer.concat([this.#rest.subarray(0, this.#restLength), buffer.subarray(start, end - kept)]);
    this.#restLength = 0;
    this.#keep(buffer, end - kept, end);
    return Buffer.from(bytes.toString('base64'), 'latin1');
  }

  /** The quantum that was begun, padded; undefined where there is none. */
  pad(): Buffer | undefined {
    if (this.#restLength === 0) return undefined;
    const text = this.#rest.toString('base64', 0, this.#restLength);
    this.#restLength = 0;
    return Buffer.from(text, 'latin1');
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    buffer.copy(this.#rest, this.#restLength, start, end);
    this.#restLength += end - start;
  }
}
