import { describe, expect, test } from '@jest/globals';
import { EndpointBoard } from './endpoint-board.ts';

describe('endpoint board', () => {
  test('counts requests in flight per slot', () => {
    const board = new EndpointBoard(EndpointBoard.allocate(3));
    expect(board.slots).toBe(3);
    board.begin(1);
    board.begin(1);
    board.begin(2);
    board.end(1);
    expect([0, 1, 2].map((slot) => board.inFlight(slot))).toEqual([0, 1, 1]);
  });

  test('two views of the same memory see the same counts', () => {
    const memory = EndpointBoard.allocate(2);
    const here = new EndpointBoard(memory);
    const there = new EndpointBoard(memory);
    here.begin(0);
    there.begin(0);
    expect(here.inFlight(0)).toBe(2);
    there.end(0);
    here.end(0);
    expect(there.inFlight(0)).toBe(0);
  });

  test('ignores endpoints without a slot', () => {
    const board = new EndpointBoard(EndpointBoard.allocate(1));
    board.begin(-1);
    board.end(-1);
    expect(board.inFlight(-1)).toBe(0);
    expect(board.inFlight(0)).toBe(0);
  });

  test('reset clears one slot only', () => {
    const board = new EndpointBoard(EndpointBoard.allocate(2));
    board.begin(0);
    board.begin(1);
    board.reset(0);
    expect([board.inFlight(0), board.inFlight(1)]).toEqual([0, 1]);
  });
});
