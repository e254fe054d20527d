import type { KubeClock } from '../../src/kube/kube-clock.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/**
 * A clock for code that waits for real sockets: short pauses pass in no time and are noted, long timers stand still until
 * the test lets time pass.
 */
export class PacedClock implements KubeClock {
  /** Short pauses that passed, in order. */
  readonly pauses: number[] = [];
  readonly #holdFromMs: number;
  #nowMs = 0;
  readonly #held = new Set<Timer>();
  #onHeld: (() => void) | undefined;

  /** `holdFromMs`: how long a timer must be to be a long one. */
  constructor(holdFromMs = 10_000) {
    this.#holdFromMs = holdFromMs;
  }

  /** Long timers that wait, with what is left of each. */
  get held(): readonly number[] {
    return [...this.#held].map(({ atMs }) => atMs - this.#nowMs);
  }

  /** Waits until a long timer waits. */
  async untilHeld(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- until it is there
    while (this.#held.size === 0) await new Promise<void>((resolve) => (this.#onHeld = resolve));
  }

  now(): number {
    return this.#nowMs;
  }

  random(): number {
    return 0.5;
  }

  after(ms: number, run: () => void): () => void {
    if (ms >= this.#holdFromMs) {
      const timer = { atMs: this.#nowMs + ms, run };
      this.#held.add(timer);
      this.#onHeld?.();
      return () => this.#held.delete(timer);
    }
    this.pauses.push(Math.round(ms));
    const turn = setImmediate(() => {
      this.#nowMs += ms;
      run();
    });
    return () => clearImmediate(turn);
  }

  /** Runs long timers that are due then. */
  elapse(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#held]) {
      if (timer.atMs > this.#nowMs) continue;
      this.#held.delete(timer);
      timer.run();
    }
  }
}
