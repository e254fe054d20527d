import { expect, test } from '@jest/globals';

import { peerIdleTimeoutMs } from './peer-idle-timeout.ts';

test.each<[string | undefined, number]>([
  [undefined, Infinity],
  ['max=100', Infinity],
  ['timeout=5', 4000],
  ['timeout=5, max=1000', 4000],
  ['max=1000, timeout=60', 59_000],
  ['timeout=1', 500],
  ['timeout=0', Infinity],
  ['timeout=x', Infinity],
])('Keep-Alive: %s', (field, expected) => {
  expect(peerIdleTimeoutMs(field)).toBe(expected);
});
