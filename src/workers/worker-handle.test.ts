import { afterEach, describe, expect, test } from '@jest/globals';

import { heartCheckEveryMs, patienceMs } from './heart.ts';
import type { Silence } from './heart.ts';
import type { FromWorker } from './messages.ts';
import type { ThreadTotals } from './thread-times.ts';
import { WorkerHandle } from './worker-handle.ts';
import type { WorkerHandleOptions } from './worker-handle.ts';

// A worker that is alive and beats only when it is told to, on a machine whose clock and processors are the test's.

const threadId = 7;
const limitMs = 1000;
const entry = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, workerData } from 'node:worker_threads';
    const control = new Int32Array(workerData.control);
    Atomics.store(control, 1, ${threadId});
    parentPort.on('message', ({ type }) => {
      if (type === 'stop') return parentPort.close();
      Atomics.add(control, 0, 1);
      parentPort.postMessage({ type: 'drained' });
    });
    parentPort.postMessage({ type: 'started' });
  `)}`,
);

type Share = Partial<Pick<ThreadTotals, 'ranMs' | 'waitedMs'>>;

class Machine {
  readonly starved: Silence[] = [];
  readonly ended = Promise.withResolvers<{
    readonly reason: string;
    readonly silence: Silence | undefined;
  }>();
  readonly handle: WorkerHandle;
  #nowMs = 0;
  #totals: ThreadTotals = { ranMs: 0, waitedMs: 0, state: 'S' };
  #message = Promise.withResolvers<FromWorker>();

  constructor() {
    this.handle = new WorkerHandle({
      entry,
      heapBytes: 64 * 1024 ** 2,
      start: { worker: 0 } as WorkerHandleOptions['start'],
      now: () => this.#nowMs,
      message: (message) => this.#message.resolve(message),
      starved: (silence) => this.starved.push(silence),
      ended: (reason, _, silence) => this.ended.resolve({ reason, silence }),
      readThreads: () => new Map([[threadId, this.#totals]]),
    });
  }

  static async start(): Promise<Machine> {
    const machine = new Machine();
    running.push(machine.handle);
    await machine.#message.promise;
    // The first look has nothing to compare with.
    machine.look();
    return machine;
  }

  /** Lets time pass as main does, the thread having its share of each stretch. */
  pass(forMs: number, share: Share): void {
    for (let passedMs = 0; passedMs < forMs; passedMs += heartCheckEveryMs) this.look(share);
  }

  look({ ranMs = 0, waitedMs = 0 }: Share = {}): void {
    const before = this.#totals;
    this.#totals = { ...before, ranMs: before.ranMs + ranMs, waitedMs: before.waitedMs + waitedMs };
    this.#nowMs += heartCheckEveryMs;
    this.handle.checkHeart(false, limitMs);
  }

  async beat(): Promise<void> {
    this.#message = Promise.withResolvers();
    this.handle.post({ type: 'log-credit', bytes: 0 });
    await this.#message.promise;
    this.look();
  }
}

const running: WorkerHandle[] = [];
const stopLimitMs = 5000;

afterEach(async () => {
  await Promise.all(running.splice(0).map((handle) => handle.stop(stopLimitMs)));
});

const queued: Share = { waitedMs: heartCheckEveryMs };

describe('a worker that is silent', () => {
  test('for want of a processor lives on, and that is told once', async () => {
    const machine = await Machine.start();
    machine.pass(patienceMs - limitMs, queued);
    expect(machine.starved).toHaveLength(1);
    await machine.handle.stop(stopLimitMs);
    expect(await machine.ended.promise).toEqual({ reason: 'stopped', silence: undefined });
  });

  test('is told of again when it was silent, beat, and is silent again', async () => {
    const machine = await Machine.start();
    machine.pass(2 * limitMs, queued);
    await machine.beat();
    machine.pass(2 * limitMs, queued);
    expect(machine.starved).toHaveLength(2);
  });

  test('for want of a processor longer than anybody has patience is ended', async () => {
    const machine = await Machine.start();
    machine.pass(patienceMs + limitMs, queued);
    const { reason, silence } = await machine.ended.promise;
    expect([reason, silence?.ranMs]).toEqual(['stalled', 0]);
    expect(silence?.waitedMs).toBeGreaterThan(patienceMs);
  });

  test.each([
    ['while it runs', { ranMs: heartCheckEveryMs }],
    ['while it sleeps, with processors to be had', {}],
  ])('%s is ended at the limit', async (_, share) => {
    const machine = await Machine.start();
    machine.pass(limitMs, share);
    expect((await machine.ended.promise).reason).toBe('stalled');
    expect(machine.starved).toEqual([]);
  });
});
