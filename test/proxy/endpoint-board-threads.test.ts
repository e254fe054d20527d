import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { describe, expect, test } from '@jest/globals';

import { EndpointBoard } from '../../src/balance/endpoint-board.ts';

describe('a limit on the endpoint board', () => {
  test('is never passed by threads that race for it, and none is left out for good', async () => {
    const threads = 3;
    const limit = 2;
    const board = EndpointBoard.allocate(1, threads);
    // How many hold a place, and how often there were more than may be.
    const witness = new SharedArrayBuffer(8);
    const source = `
      const { workerData } = require('node:worker_threads');
      import(workerData.module).then(({ EndpointBoard }) => {
        const board = new EndpointBoard(workerData.board, workerData.writer);
        const witness = new Int32Array(workerData.witness);
        for (let held = 0; held < 5_000; ) {
          if (!board.beginWithin(0, workerData.limit)) continue;
          if (Atomics.add(witness, 0, 1) >= workerData.limit) Atomics.add(witness, 1, 1);
          Atomics.sub(witness, 0, 1);
          board.end(0);
          held++;
        }
      });`;
    const module = new URL('../../src/balance/endpoint-board.ts', import.meta.url).href;
    const workers = Array.from(
      { length: threads },
      (_, writer) =>
        new Worker(source, { eval: true, workerData: { module, board, witness, writer, limit } }),
    );
    const codes = await Promise.all(workers.map(async (worker) => (await once(worker, 'exit')) as [number]));
    expect(codes).toEqual(workers.map(() => [0]));
    expect([...new Int32Array(witness)]).toEqual([0, 0]);
    expect(new EndpointBoard(board).inFlight(0)).toBe(0);
  });
});
