const firstMinMs = 100;
const firstMaxMs = 1000;
const longestMs = 30_000;

/**
 * Pauses between tries of what fails: a short one first, then about 2 s, 4 s, … 30 s, each at random between half of that
 * and all of it, so that many who failed together do not come back together.
 */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random`: from 0 up to, not including, 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds until the next try, `maxMs` at most; but never sooner than the other side asked for. */
  next(retryAfterMs = 0, maxMs = longestMs): number {
    const failures = this.#failures;
    this.#failures += 1;
    const spread = this.#random();
    // Asked to wait, everybody was: they too must not come back in one moment.
    const asked = retryAfterMs * (1 + spread / 10);
    if (failures === 0) return Math.max(asked, firstMinMs + spread * (firstMaxMs - firstMinMs));
    const top = Math.min(maxMs, firstMaxMs * 2 ** failures);
    return Math.max(asked, (top / 2) * (1 + spread));
  }

  /** What was tried works again. */
  reset(): void {
    this.#failures = 0;
  }
}
