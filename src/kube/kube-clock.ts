/** Time and chance as this folder sees them; tests pass their own. */
export interface KubeClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Returns what cancels it. */
  after(ms: number, run: () => void): () => void;
  /** From 0 up to, not including, 1. */
  random(): number;
}

export const systemClock: KubeClock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
