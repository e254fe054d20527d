import { describe, expect, test } from '@jest/globals';

import { parseRetryAfter } from './retry-after.ts';

const nowMs = Date.parse('2026-06-01T12:00:00Z');

describe('Retry-After', () => {
  test.each([
    ['7', 7000],
    [' 0 ', 0],
    ['Mon, 01 Jun 2026 12:00:30 GMT', 30_000],
    ['Mon, 01 Jun 2026 11:00:00 GMT', 0],
    ['99999999', 300_000],
    ['soon', undefined],
    ['-1', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%p is %p ms', (value, ms) => {
    expect(parseRetryAfter(value, nowMs)).toBe(ms);
  });
});
