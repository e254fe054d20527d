import { expect, test } from '@jest/globals';
import { DeadlineSweeper } from '../../util/deadline-sweeper.ts';
import { SessionTimes, Time } from './session-times.ts';

test('each time is told once, the first first; those that were taken back are not', () => {
  let now = 1_000;
  const sweeper = new DeadlineSweeper(100, () => now);
  const told: Time[] = [];
  const times = new SessionTimes(sweeper, (time) => told.push(time));
  times.set(Time.idle, 5_000);
  times.set(Time.head, 2_000);
  times.set(Time.leave, 1_000);
  times.set(Time.life, 0);
  times.clear(Time.leave);
  const forward = (ms: number): Time[] => {
    now += ms;
    sweeper.sweep();
    return told.splice(0);
  };
  expect(forward(1_500)).toEqual([]);
  expect(times.isSet(Time.head)).toBe(true);
  expect(forward(1_000)).toEqual([Time.head]);
  expect(times.isSet(Time.head)).toBe(false);
  expect(forward(3_000)).toEqual([Time.idle]);
  times.set(Time.close, 100);
  times.stop();
  expect(forward(10_000)).toEqual([]);
  expect(sweeper.size).toBe(0);
});
