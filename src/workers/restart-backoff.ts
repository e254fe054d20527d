const firstPauseMs = 250;
const longestPauseMs = 15_000;
/** A worker that ran this long did not fail because of how it starts. */
const goodRunMs = 60_000;

/** Pauses before a worker is replaced: none after a good run, then doubling, so that a crash loop does not eat the machine. */
export class RestartBackoff {
  #failures = 0;

  /** Milliseconds to wait, given how long the worker ran. */
  next(ranMs: number): number {
    this.#failures = ranMs >= goodRunMs ? 1 : this.#failures + 1;
    if (this.#failures === 1) return 0;
    return Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#failures - 2));
  }
}
