import { setImmediate as turn } from 'node:timers/promises';

import { expect, test } from '@jest/globals';
import { TurnQueue } from './turn-queue.ts';

test('asks each member once a turn, until it says that it is done', async () => {
  const queue = new TurnQueue();
  const asked: string[] = [];
  const member = (name: string, turns: number) => ({
    onTurn: () => {
      asked.push(name);
      return --turns === 0;
    },
  });
  queue.add(member('once', 1));
  queue.add(member('thrice', 3));
  expect(asked).toEqual([]);
  await turn();
  expect(asked).toEqual(['once', 'thrice']);
  await turn();
  await turn();
  await turn();
  expect(asked).toEqual(['once', 'thrice', 'thrice', 'thrice']);
});

test('a member that is added while others are asked has its turn after the next one', async () => {
  const queue = new TurnQueue();
  const asked: string[] = [];
  const late = { onTurn: () => asked.push('late') > 0 };
  queue.add({
    onTurn: () => {
      asked.push('early');
      queue.add(late);
      return true;
    },
  });
  await turn();
  expect(asked).toEqual(['early']);
  await turn();
  expect(asked).toEqual(['early', 'late']);
});
