const REMEMBERED = 1024;

const CLOSED = 0;
const RESET = 1;
const SKIPPED = 2;

/**
 * How a stream of the past ended: `closed` by both sides or by the peer, `reset` by us (its frames may still be on the
 * way), `skipped`: never used, closed because a later one was (RFC 9113 §5.1.1). `old`: too long ago to know.
 */
export type Fate = 'closed' | 'reset' | 'skipped' | 'old';

/** The fates of the last streams of one side. Connections on which nothing unusual happens hold no memory for it. */
export class StreamHistory {
  /** By number of the stream among those of its side, modulo. */
  #fates: Uint8Array | undefined;
  #newest = -1;

  /** A stream begins; those that were passed over are skipped. */
  begin(id: number): void {
    const number = id >>> 1;
    const skippedFrom = Math.max(this.#newest + 1, number - REMEMBERED + 1);
    if (number > skippedFrom) this.#fates ??= new Uint8Array(REMEMBERED);
    this.#newest = number;
    if (this.#fates === undefined) return;
    for (let skipped = skippedFrom; skipped < number; skipped++) this.#fates[skipped % REMEMBERED] = SKIPPED;
    this.#fates[number % REMEMBERED] = CLOSED;
  }

  /** We reset the stream. */
  noteReset(id: number): void {
    const number = id >>> 1;
    if (number <= this.#newest - REMEMBERED) return;
    this.#fates ??= new Uint8Array(REMEMBERED);
    this.#fates[number % REMEMBERED] = RESET;
  }

  /** Of a stream that has begun or was passed over, and is not open. */
  fateOf(id: number): Fate {
    const number = id >>> 1;
    if (number <= this.#newest - REMEMBERED) return 'old';
    switch (this.#fates?.[number % REMEMBERED]) {
      case RESET:
        return 'reset';
      case SKIPPED:
        return 'skipped';
      default:
        return 'closed';
    }
  }
}
