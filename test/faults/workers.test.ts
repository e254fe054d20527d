import { BroadcastChannel } from 'node:worker_threads';

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fault } from '../support/faulty-worker.ts';
import { Load } from '../support/load.ts';
import { startHttpUpstream } from '../support/http-upstream.ts';
import type { HttpUpstream } from '../support/http-upstream.ts';
import { startPool } from '../support/worker-pool-harness.ts';
import type { TestPool } from '../support/worker-pool-harness.ts';

const entry = new URL('../support/faulty-worker.ts', import.meta.url);
const unharmed = { refused: [], lost: undefined, closed: false };

let upstream: HttpUpstream;
let running: TestPool | undefined;
const faults = new BroadcastChannel('faults');

beforeAll(async () => {
  upstream = await startHttpUpstream((_, response) => response.end('served'));
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

afterAll(() => {
  faults.close();
  upstream.stop();
});

describe('one of two workers fails under load', () => {
  test.each([
    ['throw', 'threw'],
    ['stall', 'stalled'],
    ['heap', 'ran out of heap'],
  ] as const)(
    '%s: the other loses nothing, the replacement serves the newest table',
    async (kind, reason) => {
      running = startPool({
        entry,
        heapBytes: 48 * 1024 ** 2,
        ...(kind === 'stall' ? { silenceLimitMs: 1000 } : {}),
      });
      const pool = running;
      await pool.publish([{ upstream: [upstream.port] }]);
      const load = await Load.start(pool.port, 32);
      const [doomed, safe] = pool.counters.map((worker) => worker.read('connectionsActive'));
      expect([doomed, safe]).not.toContain(0);

      faults.postMessage({ worker: 0, kind } satisfies Fault);
      expect(await pool.logged('worker replaced')).toMatchObject({ worker: 0, reason, pauseMs: 0 });
      await load.more(500);
      // A table of this moment reaches the replacement too, and no table is lost on the way.
      expect(
        await pool.publish([{ host: 'b.example', upstream: [upstream.port] }, { upstream: [upstream.port] }]),
      ).toMatchObject({
        kind: 'live',
        generation: 2,
      });
      expect(pool.pool.status.map(({ generation, restarts }) => [generation, restarts])).toEqual([
        [2, 1],
        [2, 0],
      ]);
      const fresh = await Load.start(pool.port, 16, 'GET / HTTP/1.1\r\nHost: b.example');
      expect(pool.counters[0]?.read('connectionsActive')).toBeGreaterThan(0);

      const reports = [...(await load.stop()), ...(await fresh.stop())];
      expect(reports.filter(({ lost }) => lost !== undefined)).toHaveLength(doomed ?? 0);
      expect(reports.flatMap(({ refused }) => refused)).toEqual([]);
    },
  );
});

describe('a thousand swaps under load', () => {
  test('fail no request and close no connection', async () => {
    running = startPool();
    const pool = running;
    await pool.publish([{ upstream: [upstream.port] }]);
    const load = await Load.start(pool.port, 8);
    for (let swap = 0; swap < 1000; swap++) {
      const host = `host-${swap % 7}.example`;
      // oxlint-disable-next-line no-await-in-loop -- each is live before the next
      const outcome = await pool.publish([
        { host, upstream: [upstream.port] },
        { upstream: [upstream.port] },
      ]);
      expect(outcome.kind).toBe('live');
    }
    const reports = await load.stop();
    expect(reports).toEqual(reports.map(({ answers }) => ({ answers, ...unharmed })));
    expect(reports.every(({ answers }) => answers > 100)).toBe(true);
    expect(pool.pool.status.map(({ generation, restarts }) => [generation, restarts])).toEqual([
      [1001, 0],
      [1001, 0],
    ]);
  }, 30_000);
});
