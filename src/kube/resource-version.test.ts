import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { isOlder } from './resource-version.ts';

describe('the order of resourceVersions', () => {
  test('is that of the numbers, up to 128 bits', () => {
    const version = fc.bigInt(0n, 2n ** 128n - 1n);
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(isOlder(String(a), String(b))).toBe(a < b);
      }),
    );
  });

  test('is none where one of them is no number', () => {
    expect(isOlder('abc', '2')).toBe(false);
    expect(isOlder('1', '')).toBe(false);
    expect(isOlder('-1', '2')).toBe(false);
  });
});
