import { describe, expect, test } from '@jest/globals';
import { EndpointBoard } from '../balance/endpoint-board.ts';
import { createTable, emptyTable } from '../table/create-table.ts';
import { applyDelta, tableDelta } from '../table/diff-tables.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { EndpointSet, RouteTable, TableRoute } from '../table/route-table.ts';
import { RowAllocator } from '../telemetry/row-allocator.ts';
import type { Publication } from './messages.ts';
import { Publisher } from './publisher.ts';
import type { Recipient } from './publisher.ts';

function table(generation: number, ...names: string[]): RouteTable {
  const routes = names.map((name) =>
    sealEntry<TableRoute>('routes', {
      id: name,
      hosts: [`${name}.example`],
      path: { type: 'prefix', value: '/' },
      rank: name,
      filters: [],
      action: { kind: 'respond', code: 'SP_ROUTE_INVALID' },
      origin: { kind: 'Test', namespace: 'a', name, field: '', service: '' },
    }),
  );
  const endpoints = names.map((name, index) =>
    sealEntry<EndpointSet>('endpoints', {
      id: name,
      endpoints: [{ address: `10.0.0.${index}`, port: 80, weight: 1 }],
    }),
  );
  return createTable(
    {
      routes: new Map(routes.map((route) => [route.id, route])),
      endpoints: new Map(endpoints.map((set) => [set.id, set])),
    },
    generation,
  );
}

function harness() {
  const publisher = new Publisher(
    new EndpointBoard(EndpointBoard.allocate(16)),
    new RowAllocator({ workers: 2 }),
  );
  let current: RouteTable = emptyTable;
  return {
    publisher,
    advance: (next: RouteTable): void => {
      publisher.advance(next, tableDelta(current, next));
      current = next;
    },
  };
}

const newcomer = (): Recipient => ({ sent: 0, sentWhole: false, segments: 0 });

function apply(before: RouteTable, publication: Publication | undefined): RouteTable {
  if (publication === undefined) throw new Error('nothing was sent');
  const after = applyDelta(before, publication.delta);
  if (typeof after === 'string') throw new Error(after);
  return after;
}

describe('publisher', () => {
  test('a new worker gets the whole table, one that has the base gets the delta, one that has all gets nothing', () => {
    const { publisher, advance } = harness();
    const [old, late] = [newcomer(), newcomer()];
    expect(publisher.next(0, old)).toBeUndefined();
    advance(table(1, 'a', 'b'));
    const first = publisher.next(0, old);
    expect(first?.delta.base).toBe(0);
    expect(first?.segments).toHaveLength(1);
    advance(table(2, 'a', 'b', 'c'));
    const second = publisher.next(0, old);
    expect(second?.delta).toMatchObject({ base: 1, generation: 2, routes: { set: [{ id: 'c' }] } });
    expect(second?.segments).toHaveLength(0);
    expect(publisher.next(0, old)).toBeUndefined();

    const whole = publisher.next(1, late);
    expect(whole?.delta).toMatchObject({ base: 0, generation: 2 });
    expect(apply(emptyTable, whole).digest).toBe(apply(apply(emptyTable, first), second).digest);
  });

  test('a worker that missed a generation gets the whole table', () => {
    const { publisher, advance } = harness();
    const worker = newcomer();
    advance(table(1, 'a'));
    publisher.next(0, worker);
    advance(table(2, 'b'));
    advance(table(3, 'b', 'c'));
    expect(publisher.next(0, worker)?.delta).toMatchObject({ base: 0, generation: 3 });
    expect(worker.sentWhole).toBe(true);
  });

  test('delta and whole table name the same places', () => {
    const { publisher, advance } = harness();
    const worker = newcomer();
    advance(table(1, 'a'));
    publisher.next(0, worker);
    advance(table(2, 'a', 'b'));
    const delta = publisher.next(0, worker);
    const whole = publisher.next(1, newcomer());
    expect(whole?.rows.size).toBe(2);
    expect(whole?.rows.get('b')).toBe(delta?.rows.get('b'));
    expect(whole?.slots.size).toBe(2);
    expect(whole?.slots.get('10.0.0.1:80')).toBe(delta?.slots.get('10.0.0.1:80'));
  });
});
