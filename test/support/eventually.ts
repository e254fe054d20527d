import { setTimeout as delay } from 'node:timers/promises';

/** The first answer that fits. Asks again and again, with a pause, until the test's own limit ends it or the signal does. */
export async function eventually<T>(
  ask: () => Promise<T>,
  fits: (answer: T) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- asked until it fits
    const answer = await ask();
    if (fits(answer)) return answer;
    // oxlint-disable-next-line no-await-in-loop -- see above
    await delay(20, undefined, { ...(signal && { signal }) });
  }
}
