import { expect, test } from '@jest/globals';

import { DeadlineSweeper } from '../util/deadline-sweeper.ts';
import { PingWatch } from './ping-watch.ts';

/** A watch whose deadlines are kept as a connection keeps them; what became of each, with its time. */
function setUp() {
  let now = 0;
  const sweeper = new DeadlineSweeper(100, () => now);
  const watch = new PingWatch(sweeper);
  const log: string[] = [];
  const until = (ms: number, onPing: () => void = () => undefined): void => {
    for (; now < ms; now += 100) {
      sweeper.sweep();
      if (watch.deadline > now) continue;
      const outcome = watch.onDeadline(now);
      log.push(`${outcome} ${Math.round(now / 1000)}`);
      if (outcome === 'dead') return;
      onPing();
    }
  };
  return { watch, log, until };
}

test('a silent connection is pinged, and dead without an answer', () => {
  const { watch, log, until } = setUp();
  watch.begin();
  until(60_000);
  expect(log).toEqual(['ping 15', 'dead 25']);
});

test('a connection that answers, and says nothing else, is pinged every five minutes', () => {
  const { watch, log, until } = setUp();
  watch.begin();
  until(1_000_000, () => watch.pong());
  expect(log).toEqual(['ping 15', 'ping 325', 'ping 635', 'ping 945']);
});

test('one that says something is pinged sooner', () => {
  const { watch, log, until } = setUp();
  watch.begin();
  until(20_000, () => watch.pong());
  watch.heard();
  until(60_000, () => watch.pong());
  expect(log).toEqual(['ping 15', 'ping 35']);
});
