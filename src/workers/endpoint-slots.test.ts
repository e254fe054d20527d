import { describe, expect, test } from '@jest/globals';
import { EndpointBoard } from '../balance/endpoint-board.ts';
import type { EndpointSet } from '../table/route-table.ts';
import { EndpointSlots } from './endpoint-slots.ts';

function set(id: string, ...addresses: string[]): EndpointSet {
  return {
    id,
    digest: addresses.join(),
    endpoints: addresses.map((address) => ({ address, port: 80, weight: 1 })),
  };
}

function createSlots(count = 8): { slots: EndpointSlots; board: EndpointBoard } {
  const board = new EndpointBoard(EndpointBoard.allocate(count));
  return { slots: new EndpointSlots(board), board };
}

describe('slots of endpoints', () => {
  test('each distinct endpoint has one, shared by upstreams', () => {
    const { slots } = createSlots();
    const given = slots.assign(1, {
      set: [set('a', '10.0.0.1', '10.0.0.2'), set('b', '10.0.0.2')],
      removed: [],
    });
    expect(given.size).toBe(2);
    expect(new Set(given.values()).size).toBe(2);
    slots.assign(2, { set: [], removed: ['a'] });
    slots.settled(2);
    expect([...slots.all().keys()]).toEqual(['10.0.0.2:80']);
  });

  test('the place of an endpoint can be looked up while it has one', () => {
    const { slots } = createSlots(1);
    const given = slots.assign(1, { set: [set('a', '10.0.0.1', '10.0.0.2')], removed: [] });
    expect(slots.slotOf('10.0.0.1:80')).toBe(given.get('10.0.0.1:80'));
    expect(slots.slotOf('10.0.0.2:80')).toBe(-1);
    expect(slots.slotOf('10.0.0.3:80')).toBeUndefined();
  });

  test('an endpoint that stays keeps its slot', () => {
    const { slots } = createSlots();
    const before = slots.assign(1, { set: [set('a', '10.0.0.1', '10.0.0.2')], removed: [] });
    const after = slots.assign(2, { set: [set('a', '10.0.0.2', '10.0.0.3')], removed: [] });
    expect(after.get('10.0.0.2:80')).toBe(before.get('10.0.0.2:80'));
  });

  test('a slot is not given again before every worker has left it and its requests have ended', () => {
    const { slots, board } = createSlots();
    const slot = slots.assign(1, { set: [set('a', '10.0.0.1')], removed: [] }).get('10.0.0.1:80') ?? -1;
    board.begin(slot);
    slots.assign(2, { set: [], removed: ['a'] });

    expect(next('10.0.1.1', 3)).not.toBe(slot);
    slots.settled(1);
    expect(next('10.0.1.2', 4)).not.toBe(slot);
    slots.settled(4);
    expect(next('10.0.1.3', 5)).not.toBe(slot);
    board.end(slot);
    slots.settled(5);
    expect(next('10.0.1.4', 6)).toBe(slot);

    function next(address: string, generation: number): number | undefined {
      return slots.assign(generation, { set: [set(address, address)], removed: [] }).get(`${address}:80`);
    }
  });

  test('an endpoint that comes back while its slot rests finds its state', () => {
    const { slots, board } = createSlots();
    const slot = slots.assign(1, { set: [set('a', '10.0.0.1')], removed: [] }).get('10.0.0.1:80') ?? -1;
    board.begin(slot);
    slots.assign(2, { set: [], removed: ['a'] });
    expect(slots.assign(3, { set: [set('a', '10.0.0.1')], removed: [] }).get('10.0.0.1:80')).toBe(slot);
    expect(board.inFlight(slot)).toBe(1);
    slots.settled(3);
    expect(slots.all().get('10.0.0.1:80')).toBe(slot);
  });

  test('a full board gives -1, which takes nothing and goes back quietly', () => {
    const { slots } = createSlots(1);
    const given = slots.assign(1, { set: [set('a', '10.0.0.1', '10.0.0.2')], removed: [] });
    expect([...given.values()]).toEqual([0, -1]);
    slots.assign(2, { set: [], removed: ['a'] });
    slots.settled(2);
    expect(slots.taken).toBe(0);
    expect(slots.assign(3, { set: [set('b', '10.0.0.3')], removed: [] }).get('10.0.0.3:80')).toBe(0);
  });
});
