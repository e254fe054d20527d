import { describe, expect, test } from '@jest/globals';

import { Backoff } from './backoff.ts';

function pauses(random: number, count: number): number[] {
  const backoff = new Backoff(() => random);
  return Array.from({ length: count }, () => Math.round(backoff.next()));
}

describe('pauses between tries', () => {
  test('grow from a short first one to 30 s', () => {
    expect(pauses(0, 7)).toEqual([100, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    expect(pauses(0.999999, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  test('are never shorter than what was asked for', () => {
    const backoff = new Backoff(() => 0);
    expect(backoff.next(5000)).toBe(5000);
    expect(backoff.next(500)).toBe(1000);
  });

  test('stay below a limit of the caller', () => {
    const backoff = new Backoff(() => 0.999999);
    const capped = Array.from({ length: 4 }, () => Math.round(backoff.next(0, 3000)));
    expect(capped).toEqual([1000, 2000, 3000, 3000]);
    expect(Math.round(backoff.next())).toBe(16_000);
  });

  test('that many were asked for do not all end together', () => {
    const random = [0.1, 0.9];
    const [first, second] = random.map((value) => new Backoff(() => value).next(10_000));
    expect(first).toBe(10_100);
    expect(second).toBe(10_900);
  });

  test('begin anew after a success, and stay bounded after a thousand failures', () => {
    const backoff = new Backoff(() => 0.5);
    for (let failure = 0; failure < 1100; failure += 1) expect(backoff.next()).toBeLessThanOrEqual(30_000);
    backoff.reset();
    expect(backoff.next()).toBe(550);
  });
});
