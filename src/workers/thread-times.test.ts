import { Worker } from 'node:worker_threads';

import { afterEach, describe, expect, test } from '@jest/globals';

import { ThreadTimes, ownThreadId, readThreads } from './thread-times.ts';
import type { ThreadTotals } from './thread-times.ts';

/** Looks at thread 7 before and after, 250 ms apart, with what the kernel says of it and of thread 8. */
function between(then: readonly ThreadTotals[], now: readonly ThreadTotals[]) {
  const script = [then, now].map((threads) => new Map(threads.map((totals, i) => [7 + i, totals])));
  const times = new ThreadTimes(() => script.shift());
  expect(times.look(7, 250)).toBeUndefined();
  return times.look(7, 250);
}

const quiet = { ranMs: 10, waitedMs: 5, state: 'S' };

describe('between two looks', () => {
  test('a thread ran, waited and slept', () => {
    expect(between([quiet, quiet], [{ ranMs: 60, waitedMs: 55, state: 'S' }, quiet])).toEqual({
      ranMs: 50,
      waitedMs: 50,
      othersWaitedMs: 0,
      onDisk: false,
    });
  });

  test('a thread that is ready has waited whenever it did not run: the wait is added when it ends', () => {
    expect(between([quiet], [{ ranMs: 15, waitedMs: 5, state: 'R' }])).toMatchObject({
      ranMs: 5,
      waitedMs: 245,
    });
  });

  test('a wait that began earlier is no longer than the time between', () => {
    expect(between([quiet], [{ ranMs: 20, waitedMs: 905, state: 'S' }])).toMatchObject({ waitedMs: 240 });
  });

  test('the longest wait of another thread', () => {
    expect(between([quiet, quiet], [quiet, { ranMs: 10, waitedMs: 105, state: 'S' }])).toMatchObject({
      ranMs: 0,
      waitedMs: 0,
      othersWaitedMs: 100,
    });
  });

  test('a thread that waits for a disk', () => {
    expect(between([quiet], [{ ...quiet, state: 'D' }])).toMatchObject({ onDisk: true });
  });

  test('nothing is known after it was forgotten, of a thread without an id, or without files', () => {
    const times = new ThreadTimes(() => new Map([[7, quiet]]));
    times.look(7, 250);
    times.forget();
    expect(times.look(7, 250)).toBeUndefined();
    expect(times.look(7, 250)).toBeDefined();
    expect([times.look(0, 250), times.look(0, 250)]).toEqual([undefined, undefined]);
    const blind = new ThreadTimes(() => undefined);
    expect([blind.look(7, 250), blind.look(7, 250)]).toEqual([undefined, undefined]);
  });
});

describe(`the kernel of ${process.platform}`, () => {
  let worker: Worker | undefined;

  afterEach(async () => {
    await worker?.terminate();
  });

  /** Starts a thread that tells its id and then does `what`. */
  async function thread(what: string): Promise<number> {
    worker = new Worker(
      `import { parentPort, workerData } from 'node:worker_threads';
       const { ownThreadId } = await import(workerData);
       parentPort.postMessage(ownThreadId());
       ${what}`,
      {
        eval: true,
        execArgv: ['--input-type=module'],
        workerData: new URL('./thread-times.ts', import.meta.url).href,
      },
    );
    return new Promise((resolve, reject) => {
      worker?.once('message', resolve);
      worker?.once('error', reject);
    });
  }

  /** Looks until the totals of the thread fit. */
  async function until(id: number, fits: (totals: ThreadTotals) => boolean): Promise<ThreadTotals> {
    for (;;) {
      const totals = readThreads()?.get(id);
      if (totals === undefined) throw new Error(`Look for thread ${id}: it is not there`);
      if (fits(totals)) return totals;
      // oxlint-disable-next-line no-await-in-loop -- waits for a state
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  test('tells a thread that spins from one that is blocked, where it tells of threads at all', async () => {
    if (process.platform !== 'linux') {
      expect([readThreads(), ownThreadId()]).toEqual([undefined, 0]);
      return;
    }
    const spins = await thread('for (;;);');
    const { ranMs } = await until(spins, () => true);
    expect((await until(spins, (totals) => totals.ranMs > ranMs + 100)).state).toBe('R');
    await worker?.terminate();
    const blocked = await thread('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);');
    expect(await until(blocked, ({ state }) => state === 'S')).toMatchObject({ state: 'S' });
    expect(readThreads()?.get(ownThreadId())?.ranMs).toBeGreaterThan(0);
  });
});
