import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { BroadcastChannel } from 'node:worker_threads';

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fault } from '../support/faulty-worker.ts';
import { startHttpUpstream } from '../support/http-upstream.ts';
import type { HttpUpstream } from '../support/http-upstream.ts';
import { startPool } from '../support/worker-pool-harness.ts';
import type { TestPool, TestPoolOptions } from '../support/worker-pool-harness.ts';

const entry = new URL('../support/faulty-worker.ts', import.meta.url);

let upstream: HttpUpstream;
let running: TestPool | undefined;
const faults = new BroadcastChannel('faults');

beforeAll(async () => {
  upstream = await startHttpUpstream((request, response) => {
    if (request.url !== '/never') response.end(`served ${request.url}`);
  });
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

afterAll(() => {
  faults.close();
  upstream.stop();
});

function start(options: TestPoolOptions = {}): TestPool {
  running = startPool(options);
  return running;
}

async function fetchStatus(pool: TestPool, path: string, agent?: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get({ port: pool.port, host: '127.0.0.1', path, agent: agent ?? false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', reject);
  });
}

describe('a pool of workers', () => {
  test('serves once a table is live in every worker, and each table after it', async () => {
    const pool = start();
    await expect(fetchStatus(pool, '/a')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await pool.publish([{ path: '/a', upstream: [upstream.port] }])).toMatchObject({
      kind: 'live',
      generation: 1,
    });
    expect(await fetchStatus(pool, '/a')).toBe(200);
    expect(await fetchStatus(pool, '/b')).toBe(404);
    await pool.publish([
      { path: '/a', upstream: [upstream.port] },
      { path: '/b', upstream: [upstream.port] },
    ]);
    expect(await fetchStatus(pool, '/b')).toBe(200);
    expect(pool.pool.status).toEqual(
      [0, 1].map((worker) => ({ worker, listening: true, generation: 2, restarts: 0 })),
    );
  });

  test('finishes what runs when it drains, and accepts nothing new', async () => {
    const pool = start();
    await pool.publish([{ upstream: [upstream.port] }]);
    const agent = new Agent({ keepAlive: true });
    await fetchStatus(pool, '/', agent);
    await pool.pool.drain(0);
    await expect(fetchStatus(pool, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    agent.destroy();
  });

  test.each([
    ['throw', 'threw'],
    ['reject', 'threw'],
    ['exit', 'exited with code 3'],
    ['stall', 'stalled'],
    ['block', 'stalled'],
    ['heap', 'ran out of heap'],
  ] as const)('replaces a worker after: %s', async (kind, reason) => {
    const pool = start({
      entry,
      heapBytes: 48 * 1024 ** 2,
      ...(reason === 'stalled' ? { silenceLimitMs: 1000 } : {}),
    });
    await pool.publish([{ upstream: [upstream.port] }]);
    faults.postMessage({ worker: 0, kind } satisfies Fault);
    expect(await pool.logged('worker replaced')).toMatchObject({ worker: 0, reason });
    // Live everywhere means: in the replacement too, which had to get the whole table and a socket of its own.
    expect(await pool.publish([{ path: '/new', upstream: [upstream.port] }])).toMatchObject({ kind: 'live' });
    expect(pool.pool.status).toEqual([
      { worker: 0, listening: true, generation: 2, restarts: 1 },
      { worker: 1, listening: true, generation: 2, restarts: 0 },
    ]);
    expect(await fetchStatus(pool, '/new')).toBe(200);
  });

  test('a table that no worker can link leaves the one before in force, also in a replacement', async () => {
    const pool = start({ entry });
    await pool.publish([{ path: '/good', upstream: [upstream.port] }]);
    expect(await pool.publish([{ host: 'poison.example', upstream: [upstream.port] }])).toEqual({
      kind: 'failed',
      generation: 2,
      message: 'injected',
    });
    expect(await fetchStatus(pool, '/good')).toBe(200);

    faults.postMessage({ worker: 0, kind: 'exit' } satisfies Fault);
    await pool.reaches([1, 1], { restarts: 1 });
    const statuses = await Promise.all(Array.from({ length: 16 }, () => fetchStatus(pool, '/good')));
    expect(new Set(statuses)).toEqual(new Set([200]));

    expect(await pool.publish([{ path: '/mended', upstream: [upstream.port] }])).toMatchObject({
      kind: 'live',
      generation: 3,
    });
    expect(await fetchStatus(pool, '/mended')).toBe(200);
  });

  test('a worker that cannot link what another serves is replaced', async () => {
    const pool = start({ entry });
    await pool.publish([{ path: '/a', upstream: [upstream.port] }]);
    faults.postMessage({ worker: 1, kind: 'refuse' } satisfies Fault);
    await pool.logged('refusing');
    expect(await pool.publish([{ path: '/b', upstream: [upstream.port] }])).toMatchObject({
      kind: 'live',
      generation: 2,
    });
    expect(pool.log.filter(({ msg }) => msg === 'table not linked')).toHaveLength(2);
    expect(await pool.logged('worker replaced')).toMatchObject({
      worker: 1,
      reason: 'could not link generation 2, which others serve',
    });
    expect(pool.pool.status).toEqual([
      { worker: 0, listening: true, generation: 2, restarts: 0 },
      { worker: 1, listening: true, generation: 2, restarts: 1 },
    ]);
  });

  test('requests that were in flight in a dead worker are not counted for ever', async () => {
    const pool = start({ entry, workers: 1 });
    await pool.publish([{ upstream: [upstream.port] }]);
    const reached = once(upstream.server, 'request');
    const cut = fetchStatus(pool, '/never').catch((error: NodeJS.ErrnoException) => error.code);
    await reached;
    expect(pool.board.inFlight(0)).toBe(1);
    faults.postMessage({ worker: 0, kind: 'exit' } satisfies Fault);
    expect(await cut).toBe('ECONNRESET');
    await pool.logged('worker replaced');
    expect(pool.board.inFlight(0)).toBe(0);
  });

  test('a connection to another worker does not notice', async () => {
    const pool = start({ entry });
    await pool.publish([{ upstream: [upstream.port] }]);
    // The kernel spreads connections: enough of them reach both workers.
    const agents = Array.from({ length: 24 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    await Promise.all(agents.map((agent) => fetchStatus(pool, '/', agent)));
    const broken = new Set<Agent>();
    for (const agent of agents) {
      for (const sockets of Object.values(agent.freeSockets)) {
        for (const socket of sockets ?? []) socket.once('close', () => broken.add(agent));
      }
    }
    faults.postMessage({ worker: 0, kind: 'throw' } satisfies Fault);
    await pool.logged('worker replaced');
    await pool.publish([{ path: '/other', upstream: [upstream.port] }, { upstream: [upstream.port] }]);
    const left = agents.filter((agent) => !broken.has(agent));
    expect(left.length).toBeGreaterThan(0);
    const answers = await Promise.all(left.map((agent) => fetchStatus(pool, '/', agent)));
    expect(answers).toEqual(left.map(() => 200));
    for (const agent of agents) agent.destroy();
  });
});
