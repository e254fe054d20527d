import type { LoopClock } from './loop.ts';

/** Waits for `work`, at most so long; Infinity waits without limit. undefined when the time was over first. */
export async function atMost<T>(
  clock: Pick<LoopClock, 'after'>,
  ms: number,
  work: Promise<T>,
): Promise<T | undefined> {
  if (ms === Infinity) return work;
  let cancel: (() => void) | undefined;
  const limit = new Promise<undefined>((resolve) => {
    cancel = clock.after(Math.max(0, ms), () => resolve(undefined));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    cancel?.();
  }
}
