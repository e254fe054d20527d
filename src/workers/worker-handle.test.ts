import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { heartCheckEveryMs, patienceMs } from './heart.ts';
import type { Silence } from './heart.ts';
import type { FromWorker, WorkerStart } from './messages.ts';
import type { ThreadTotals } from './thread-times.ts';
import { WorkerHandle } from './worker-handle.ts';

// A real thread, which beats once for each message, under a clock and a kernel of the test.

const THREAD = 7;
const script = `
  import { parentPort, workerData } from 'node:worker_threads';
  const control = new Int32Array(workerData.control);
  Atomics.store(control, 1, ${THREAD});
  parentPort.on('message', () => {
    Atomics.add(control, 0, 1);
    parentPort.postMessage({ type: 'listening' });
  });
  parentPort.postMessage({ type: 'started' });
`;
const limitMs = 1000;

interface End {
  readonly reason: string;
  readonly silence: Silence | undefined;
}

let nowMs: number;
let totals: ThreadTotals;
let told: Silence[];
let handle: WorkerHandle;
let ended: Promise<End>;
let hear: (message: FromWorker) => void;

beforeEach(async () => {
  nowMs = 1_000_000;
  totals = { ranMs: 100, waitedMs: 10, state: 'S' };
  told = [];
  const started = heard('started');
  ended = new Promise((resolve) => {
    handle = new WorkerHandle({
      entry: new URL(`data:text/javascript,${encodeURIComponent(script)}`),
      heapBytes: 64 * 1024 ** 2,
      start: {} as Omit<WorkerStart, 'control'>,
      now: () => nowMs,
      readThreads: () => new Map([[THREAD, totals]]),
      message: (message) => hear(message),
      starved: (silence) => told.push(silence),
      ended: (reason, _error, silence) => resolve({ reason, silence }),
    });
  });
  await started;
});

afterEach(async () => {
  handle.kill('test is over');
  await ended;
});

function heard(type: FromWorker['type']): Promise<void> {
  return new Promise((resolve) => {
    hear = (message) => {
      if (message.type === type) resolve();
    };
  });
}

async function beat(): Promise<void> {
  const done = heard('listening');
  handle.post({ type: 'stop' });
  await done;
}

/** Looks for this long; between two looks the thread runs and waits as told, and sleeps otherwise. */
function look(forMs: number, share: { readonly ranMs?: number; readonly waitedMs?: number } = {}): void {
  for (let passedMs = 0; passedMs < forMs; passedMs += heartCheckEveryMs) {
    nowMs += heartCheckEveryMs;
    const { ranMs = 0, waitedMs = 0 } = share;
    totals = { ...totals, ranMs: totals.ranMs + ranMs, waitedMs: totals.waitedMs + waitedMs };
    handle.checkHeart(false, limitMs);
  }
}

describe('the heart of a worker', () => {
  test('a thread that sleeps on is ended at the limit', async () => {
    look(limitMs);
    expect(await ended).toMatchObject({
      reason: 'stalled',
      silence: { silentMs: 1000, ranMs: 0, waitedMs: 0 },
    });
    expect(told).toEqual([]);
  });

  test('a thread that waits for a processor is told of once, and ended when patience is', async () => {
    // The first look has nothing to compare with: it counts in full.
    look(limitMs + patienceMs - heartCheckEveryMs, { waitedMs: heartCheckEveryMs });
    expect(told).toMatchObject([{ silentMs: 1000, ranMs: 0, waitedMs: 750 }]);
    look(heartCheckEveryMs, { waitedMs: heartCheckEveryMs });
    expect(await ended).toMatchObject({ reason: 'stalled', silence: { silentMs: limitMs + patienceMs } });
  });

  test('a beat ends a silence, and the next one is told of again', async () => {
    look(3 * limitMs, { waitedMs: heartCheckEveryMs });
    await beat();
    look(heartCheckEveryMs);
    look(limitMs, { waitedMs: heartCheckEveryMs });
    expect(told.map(({ silentMs }) => silentMs)).toEqual([1000, 1000]);
  });

  test('a thread that has reason to be silent is left in peace', async () => {
    for (let looks = 0; looks < 40; looks++) {
      nowMs += heartCheckEveryMs;
      handle.checkHeart(true, limitMs);
    }
    expect(told).toEqual([]);
    // Only a thread that lives can.
    await beat();
    handle.kill('asked to');
    expect(await ended).toMatchObject({ reason: 'asked to', silence: undefined });
  });
});
