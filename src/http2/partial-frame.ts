const NOTHING = Buffer.alloc(0);

/** The first bytes of a frame that has not come whole. Grows by doubling, so that single bytes cost no more than they should. */
export class PartialFrame {
  /** Good up to `length`. */
  bytes: Buffer = NOTHING;
  length = 0;

  clear(): void {
    this.bytes = NOTHING;
    this.length = 0;
  }

  /** Appends bytes. They are copied. */
  add(buffer: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2, 64));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    buffer.copy(this.bytes, this.length, start, end);
    this.length = needed;
  }

  /** Appends until there are `wanted` bytes, as far as the input goes. Returns the offset behind what was used. */
  // oxlint-disable-next-line max-params -- a range and how much of it
  fill(wanted: number, buffer: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + Math.max(0, wanted - this.length));
    if (stop > start) this.add(buffer, start, stop);
    return stop;
  }
}
