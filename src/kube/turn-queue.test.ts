import { describe, expect, test } from '@jest/globals';

import { TurnQueue } from './turn-queue.ts';

function queueOf(...items: readonly string[]): TurnQueue<string> {
  const queue = new TurnQueue<string>();
  for (const item of items) queue.add(item.slice(0, 1), item);
  return queue;
}

function takeAll(queue: TurnQueue<string>): readonly string[] {
  return Array.from({ length: queue.size }, () => queue.take() ?? '');
}

describe('a queue by turns', () => {
  test('gives each group its turn, and within one the first first', () => {
    const queue = queueOf('a1', 'a2', 'a3', 'b1', 'c1', 'b2');
    expect(takeAll(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect([queue.size, queue.take()]).toEqual([0, undefined]);
  });

  test('forgets what is deleted, and all at once', () => {
    const queue = queueOf('a1', 'a1', 'a2', 'b1');
    expect(queue.size).toBe(3);
    queue.delete('b', 'b1');
    queue.delete('b', 'b1');
    expect(takeAll(queue)).toEqual(['a1', 'a2']);
    const other = queueOf('a1', 'b1');
    other.clear();
    expect([other.size, other.take()]).toEqual([0, undefined]);
  });

  test('drops the oldest of the largest group', () => {
    const queue = queueOf('a1', 'b1', 'b2', 'b3');
    for (let round = 0; round < 3; round++) queue.dropFromLargest();
    expect(takeAll(queue)).toEqual(['b3']);
    queue.dropFromLargest();
    expect(queue.size).toBe(0);
  });
});
