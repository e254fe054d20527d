import { expect, test } from '@jest/globals';

import { ReadBuffer, SMALL_BYTES } from './read-buffer.ts';

test('a buffer that was given away is not read into again', () => {
  const reads = new ReadBuffer();
  const small = reads.current;
  expect(small.length).toBe(SMALL_BYTES);
  reads.donate();
  expect(reads.current).not.toBe(small);
  const large = reads.fit(true);
  reads.donate();
  expect(reads.current).not.toBe(large);
  expect(reads.fit(true)).not.toBe(large);
});

test('large buffers are lent and come back', () => {
  const one = new ReadBuffer();
  const other = new ReadBuffer();
  const large = one.fit(true);
  expect(one.isLarge).toBe(true);
  expect(one.fit(false).length).toBe(SMALL_BYTES);
  expect(other.fit(true)).toBe(large);
  expect(one.fit(true)).not.toBe(large);
});
