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

  test('adds up what each worker counts', () => {
    const memory = EndpointBoard.allocate(2, 2);
    const [first, second] = [new EndpointBoard(memory, 0), new EndpointBoard(memory, 1)];
    first.begin(0);
    second.begin(0);
    second.begin(1);
    expect([first.slots, first.inFlight(0), first.inFlight(1)]).toEqual([2, 2, 1]);
    second.end(0);
    first.end(0);
    expect([second.inFlight(0), second.inFlight(1)]).toEqual([0, 1]);
  });

  test('takes back what a dead worker had in flight, and only that', () => {
    const memory = EndpointBoard.allocate(3, 3);
    const boards = [0, 1, 2].map((writer) => new EndpointBoard(memory, writer));
    for (const board of boards) {
      board.begin(0);
      board.begin(2);
    }
    const [first, second] = boards as [EndpointBoard, EndpointBoard];
    first.clearWriter(1);
    expect([0, 1, 2].map((slot) => first.inFlight(slot))).toEqual([2, 0, 2]);
    second.begin(1);
    expect(first.inFlight(1)).toBe(1);
  });

  test('refuses a worker that it has no place for', () => {
    expect(() => new EndpointBoard(EndpointBoard.allocate(1, 2), 2)).toThrow(
      'Use the endpoint board: it has 2 writers, and no number 2',
    );
  });

  test('ignores endpoints without a slot', () => {
    const board = new EndpointBoard(EndpointBoard.allocate(1));
    board.begin(-1);
    board.end(-1);
    expect(board.inFlight(-1)).toBe(0);
    expect(board.inFlight(0)).toBe(0);
  });

  test('reset clears one slot only', () => {
    const memory = EndpointBoard.allocate(2, 2);
    const board = new EndpointBoard(memory);
    board.begin(0);
    new EndpointBoard(memory, 1).begin(0);
    board.begin(1);
    board.reset(0);
    expect([board.inFlight(0), board.inFlight(1)]).toEqual([0, 1]);
  });
});

describe('a limit on requests at a time', () => {
  test('counts up to the limit, over all workers, and no further', () => {
    const memory = EndpointBoard.allocate(2, 2);
    const [first, second] = [new EndpointBoard(memory, 0), new EndpointBoard(memory, 1)];
    expect([first.beginWithin(1, 2), second.beginWithin(1, 2), first.beginWithin(1, 2)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(first.inFlight(1)).toBe(2);
    second.end(1);
    expect(first.beginWithin(1, 2)).toBe(true);
    expect(first.inFlight(0)).toBe(0);
  });

  test('counts what is begun without one', () => {
    const board = new EndpointBoard(EndpointBoard.allocate(1));
    board.begin(0);
    expect([board.beginWithin(0, 1), board.inFlight(0)]).toEqual([false, 1]);
  });

  test('is none for endpoints without a slot', () => {
    const board = new EndpointBoard(EndpointBoard.allocate(1));
    expect(board.beginWithin(-1, 1)).toBe(true);
    board.end(-1);
    expect(board.inFlight(0)).toBe(0);
  });

  test.each([
    ['stays taken', false],
    ['is given back', true],
  ])('the last place is reached for by two: it %s', (_, givenBack) => {
    const memory = EndpointBoard.allocate(1, 2);
    const [first, rival] = [new EndpointBoard(memory, 0), new EndpointBoard(memory, 1)];
    const alone = new EndpointBoard(memory, 0);
    let looks = 0;
    // The rival comes between the first look, which finds room, and the count.
    first.inFlight = (slot) => {
      const found = alone.inFlight(slot);
      looks++;
      if (looks === 1) rival.begin(slot);
      if (looks === 2 && givenBack) rival.end(slot);
      return found;
    };
    expect(first.beginWithin(0, 1)).toBe(givenBack);
    // Whoever has it.
    expect(alone.inFlight(0)).toBe(1);
  });
});
