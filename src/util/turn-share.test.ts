import { beforeEach, expect, test } from '@jest/globals';

import { TurnShare } from './turn-share.ts';

let todo: number;
let done: number[];
let share: TurnShare;

/** Works off as much as the share allows. */
function work(): void {
  const units = Math.min(todo, share.left);
  todo -= units;
  done.push(units);
  share.spend(units, todo > 0);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  done = [];
  share = new TurnShare(100, work);
});

test('what is beyond the share of a turn goes on in the next ones', async () => {
  todo = 250;
  work();
  expect(done).toEqual([100]);
  await turn();
  expect(done).toEqual([100, 100]);
  await turn();
  await turn();
  expect(done).toEqual([100, 100, 50]);
});

test('a share is of all that comes in a turn, and whole again in the next', async () => {
  todo = 60;
  work();
  todo = 60;
  work();
  expect(done).toEqual([60, 40]);
  await turn();
  expect(done).toEqual([60, 40, 20]);
  await turn();
  expect(share.left).toBe(100);
});

test('what comes when nothing is left waits', async () => {
  todo = 100;
  work();
  todo = 3;
  work();
  expect(done).toEqual([100, 0]);
  await turn();
  expect(done).toEqual([100, 0, 3]);
});

test('little things are not counted', () => {
  for (let count = 0; count < 1000; count++) share.spend(1, false);
  expect(share.left).toBe(100);
});
