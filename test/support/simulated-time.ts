import type { KubeClock } from '../../src/kube/kube-clock.ts';

/** How a clock of its own differs from the simulation's. */
export interface ClockSkew {
  /** Its seconds for one second. */
  readonly rate?: number;
  readonly offsetMs?: number;
  readonly random?: () => number;
}

/** Time that passes as told, with promises run to their ends between two timers. */
export class SimulatedTime {
  nowMs = 0;
  readonly #timers: { readonly atMs: number; readonly run: () => void }[] = [];

  at(atMs: number, run: () => void): () => void {
    const timer = { atMs: Math.max(atMs, this.nowMs), run };
    const place = this.#timers.findIndex((other) => other.atMs > timer.atMs);
    this.#timers.splice(place === -1 ? this.#timers.length : place, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index !== -1) this.#timers.splice(index, 1);
    };
  }

  /** Throws when a timer was left behind. */
  expectIdle(): void {
    if (this.#timers.length > 0) throw new Error(`${this.#timers.length} timers were left behind`);
  }

  clock({ rate = 1, offsetMs = 0, random = () => 0.5 }: ClockSkew = {}): KubeClock {
    return {
      now: () => offsetMs + this.nowMs * rate,
      after: (ms, run) => this.at(this.nowMs + ms / rate, run),
      random,
    };
  }

  /** `each` is called after everything that happened at one moment. */
  async advance(ms: number, each?: () => void): Promise<void> {
    const endMs = this.nowMs + ms;
    await settlePromises();
    for (let next = this.#timers[0]; next !== undefined && next.atMs <= endMs; next = this.#timers[0]) {
      this.#timers.shift();
      this.nowMs = next.atMs;
      next.run();
      // oxlint-disable-next-line no-await-in-loop -- one moment after the other
      await settlePromises();
      each?.();
    }
    this.nowMs = endMs;
  }
}

/** Lets promises run that are due, and those that they make due. */
export async function settlePromises(): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- each turn makes the next ones due
  for (let turn = 0; turn < 25; turn++) await Promise.resolve();
}
