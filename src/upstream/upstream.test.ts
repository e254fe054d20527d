import { describe, expect, test } from '@jest/globals';

import { testSettings } from '../../test/support/data-plane-harness.ts';
import { EndpointBoard } from '../balance/endpoint-board.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { EndpointSet, TableUpstream } from '../table/route-table.ts';
import { WorkerCounters, createCounterMemory } from '../telemetry/worker-counters.ts';
import { DeadlineSweeper } from '../util/deadline-sweeper.ts';
import type { EndpointPool } from './endpoint-pool.ts';
import { Upstream } from './upstream.ts';

const counters = new WorkerCounters(createCounterMemory());
const noRefs = { certificate: () => undefined, authority: () => undefined };

/** An upstream with endpoints 10.0.0.1 … 10.0.0.count, in slots 0 … count − 1. */
function setUp(count: number, maxRequests: number | undefined, random: () => number = () => 0) {
  const board = new EndpointBoard(EndpointBoard.allocate(count + 1));
  const entry = sealEntry<TableUpstream>('upstreams', {
    id: 'n/s:80',
    protocol: 'http1',
    balance: 'round-robin',
    ...(maxRequests === undefined ? {} : { connections: { maxRequests } }),
  });
  const context = { settings: testSettings, sweeper: new DeadlineSweeper(), board, counters, random };
  const upstream = new Upstream(entry, noRefs, context);
  const addresses = Array.from({ length: count }, (_, index) => `10.0.0.${index + 1}`);
  const endpoints = addresses.map((address) => ({ address, port: 80, weight: 1 }));
  const set = sealEntry<EndpointSet>('endpoints', { id: 'n/s:80', endpoints });
  upstream.update(set, new Map(addresses.map((address, slot) => [`${address}:80`, slot])));
  const pick = (tried: readonly EndpointPool[] = []): EndpointPool => {
    const pool = upstream.pick(tried);
    if (pool === undefined) throw new Error('no endpoint');
    return pool;
  };
  return { board, upstream, pick };
}

describe('picking an endpoint', () => {
  test('counts the request on it', () => {
    for (const limit of [undefined, 5]) {
      const { board, pick } = setUp(1, limit);
      pick();
      pick();
      expect(board.inFlight(0)).toBe(2);
    }
  });

  test('without a limit, goes on for ever', () => {
    const { pick } = setUp(2, undefined);
    for (let count = 0; count < 100; count++) pick();
  });

  test('fills every endpoint up to its limit, then gives none until one has room', () => {
    const { board, upstream, pick } = setUp(3, 4);
    for (let count = 0; count < 12; count++) pick();
    expect([0, 1, 2].map((slot) => board.inFlight(slot))).toEqual([4, 4, 4]);
    expect(upstream.pick([])).toBeUndefined();
    expect(upstream.endpointCount).toBe(3);
    board.end(1);
    expect(pick().label).toBe('10.0.0.2:80');
  });

  test('starts at a random place among those with room', () => {
    for (const [fraction, label] of [
      [0, '10.0.0.2:80'],
      [0.99, '10.0.0.4:80'],
    ] as const) {
      let draws = 0;
      // The first draw places the rotation.
      const { board, pick } = setUp(4, 1, () => (draws++ < 2 ? 0 : fraction));
      board.begin(0);
      expect(pick().label).toBe(label);
    }
  });

  test('a retry takes one that was tried only when no other has room', () => {
    for (const fraction of [0, 0.4, 0.7]) {
      const { board, upstream, pick } = setUp(3, 2, () => fraction);
      const tried = pick();
      board.end(tried.slot);
      const others = [0, 1, 2].filter((slot) => slot !== tried.slot);
      const [full = 0, open = 0] = others;
      board.begin(full);
      board.begin(full);
      expect(pick([tried]).slot).toBe(open);
      expect(pick([tried]).slot).toBe(open);
      expect(pick([tried])).toBe(tried);
      expect(pick([tried])).toBe(tried);
      expect(upstream.pick([tried])).toBeUndefined();
    }
  });

  test('follows an endpoint that moves to another slot', () => {
    const { board, upstream, pick } = setUp(1, 1);
    pick();
    const endpoints = [{ address: '10.0.0.1', port: 80, weight: 1 }];
    upstream.update(
      sealEntry<EndpointSet>('endpoints', { id: 'n/s:80', endpoints }),
      new Map([['10.0.0.1:80', 1]]),
    );
    expect(pick().slot).toBe(1);
    expect(board.inFlight(1)).toBe(1);
  });
});
