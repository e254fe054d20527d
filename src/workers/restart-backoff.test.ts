import { expect, test } from '@jest/globals';
import { RestartBackoff } from './restart-backoff.ts';

test('the first failure is mended at once, a crash loop ever more slowly, a good run forgives', () => {
  const backoff = new RestartBackoff();
  expect([10, 10, 10, 10].map((ran) => backoff.next(ran))).toEqual([0, 250, 500, 1000]);
  for (let i = 0; i < 10; i++) backoff.next(10);
  expect(backoff.next(10)).toBe(15_000);
  expect(backoff.next(60_000)).toBe(0);
  expect(backoff.next(10)).toBe(250);
});
