const HEAD_BYTES = 5;

/** Follows the messages of a body (gRPC over HTTP/2, "Length-Prefixed-Message"): something else can stand only between two. */
export class MessageBoundary {
  /** Bytes of the longest message that has begun. */
  longest = 0;
  /** Bytes of the message's head that have come, and what they say of its length so far. */
  #headBytes = 0;
  #length = 0;
  /** Bytes of the message to come. */
  #remaining = 0;

  /** Whether what has come so far are whole messages. */
  get isBetween(): boolean {
    return this.#headBytes === 0 && this.#remaining === 0;
  }

  consume(buffer: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#remaining > 0) {
        const step = Math.min(this.#remaining, end - at);
        this.#remaining -= step;
        at += step;
      } else {
        this.#readHead(buffer[at] as number);
        at += 1;
      }
    }
  }

  /** A byte of flags, then four of length. */
  #readHead(byte: number): void {
    if (this.#headBytes > 0) this.#length = this.#length * 256 + byte;
    this.#headBytes += 1;
    if (this.#headBytes < HEAD_BYTES) return;
    this.#remaining = this.#length;
    this.longest = Math.max(this.longest, this.#length);
    this.#headBytes = 0;
    this.#length = 0;
  }
}
