import { expect, test } from '@jest/globals';

import { DeadlineSweeper } from './deadline-sweeper.ts';
import type { Expiring } from './deadline-sweeper.ts';

function member(fired: string[], name: string, onFire?: () => void): Expiring {
  return {
    deadline: 0,
    sweepIndex: -1,
    onDeadline: () => {
      fired.push(name);
      onFire?.();
    },
  };
}

test('a deadline fires once, at the first sweep past it', () => {
  let now = 0;
  const fired: string[] = [];
  const sweeper = new DeadlineSweeper(100, () => now);
  const one = member(fired, 'one');
  sweeper.add(one);
  one.deadline = 150;
  now = 149;
  sweeper.sweep();
  expect(fired).toEqual([]);
  now = 150;
  sweeper.sweep();
  sweeper.sweep();
  expect(fired).toEqual(['one']);
  expect(one.deadline).toBe(0);
});

test('members may leave during a sweep, each other included', () => {
  const fired: string[] = [];
  const sweeper = new DeadlineSweeper(100, () => 10);
  const members: Expiring[] = [];
  for (const name of ['a', 'b', 'c', 'd']) {
    const each = member(fired, name, () => {
      for (const other of members) sweeper.remove(other);
    });
    each.deadline = 1;
    members.push(each);
    sweeper.add(each);
  }
  sweeper.sweep();
  expect(fired).toEqual(['d']);
  expect(sweeper.size).toBe(0);
  sweeper.remove(members[0] as Expiring);
  expect(sweeper.size).toBe(0);
});
