/** Request body bytes kept so that a failed try can be repeated; longer bodies are sent once. */
const REPLAY_BYTES = 64 * 1024;
/** The same where a hundred requests share a client's connection, and with it what may be held for that. */
const SHARED_REPLAY_BYTES = 16 * 1024;
const LEAST_BYTES = 1024;
const NOTHING: Buffer = Buffer.alloc(0);
const nothing: readonly Buffer[] = [];

/**
 * What was sent of a request's body so far, as long as it can be sent again. The first piece is kept as it is: most bodies
 * are one. Those that follow are copied together, because a small piece can hold on to memory many times its size.
 */
export class Replay {
  #first = NOTHING;
  /** All of it, once there is more than the first piece. */
  #copy = NOTHING;
  #bytes = 0;
  #limit = 0;

  /** Whether a try can be repeated. */
  get isPossible(): boolean {
    return this.#limit > 0;
  }

  get pieces(): readonly Buffer[] {
    if (this.#bytes === 0) return nothing;
    return [this.#copy === NOTHING ? this.#first : this.#copy.subarray(0, this.#bytes)];
  }

  /** A request begins: nothing was sent. `isShared`: the client's connection has others beside it. */
  begin(isShared: boolean): void {
    this.#limit = isShared ? SHARED_REPLAY_BYTES : REPLAY_BYTES;
  }

  keep(bytes: Buffer): void {
    if (this.#limit === 0 || bytes.length === 0) return;
    if (this.#bytes + bytes.length > this.#limit) this.clear();
    else if (this.#bytes === 0) this.#keepFirst(bytes);
    else this.#add(bytes);
  }

  /** No further try will be made, or none can be. */
  clear(): void {
    this.#limit = 0;
    this.#first = NOTHING;
    this.#copy = NOTHING;
    this.#bytes = 0;
  }

  #keepFirst(bytes: Buffer): void {
    this.#first = bytes;
    this.#bytes = bytes.length;
  }

  #add(bytes: Buffer): void {
    const needed = this.#bytes + bytes.length;
    if (needed > this.#copy.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(LEAST_BYTES, Math.min(this.#limit, needed * 2)));
      (this.#copy === NOTHING ? this.#first : this.#copy).copy(larger, 0, 0, this.#bytes);
      this.#copy = larger;
      this.#first = NOTHING;
    }
    bytes.copy(this.#copy, this.#bytes);
    this.#bytes = needed;
  }
}
