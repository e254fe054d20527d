/** Request body bytes kept so that a failed try can be repeated; longer bodies are sent once. */
const REPLAY_BYTES = 64 * 1024;
/** Nor bodies in more pieces than this. */
const REPLAY_PIECES = 256;
const nothing: readonly Buffer[] = [];

/** What was sent of a request's body so far, as long as it can be sent again. */
export class Replay {
  #pieces: Buffer[] | undefined;
  #bytes = 0;
  #isPossible = false;

  /** Whether a try can be repeated. */
  get isPossible(): boolean {
    return this.#isPossible;
  }

  get pieces(): readonly Buffer[] {
    return this.#pieces ?? nothing;
  }

  /** A request begins: nothing was sent. */
  begin(): void {
    this.#isPossible = true;
  }

  keep(bytes: Buffer): void {
    if (!this.#isPossible) return;
    this.#pieces ??= [];
    this.#bytes += bytes.length;
    if (this.#bytes <= REPLAY_BYTES && this.#pieces.length < REPLAY_PIECES) this.#pieces.push(bytes);
    else this.clear();
  }

  /** No further try will be made, or none can be. */
  clear(): void {
    this.#isPossible = false;
    this.#pieces = undefined;
    this.#bytes = 0;
  }
}
