import { expect, test } from '@jest/globals';

import { RequestIds, isUsableRequestId } from './request-id.ts';

test('ids are 32 hex digits and do not repeat, past the change of prefix too', () => {
  const ids = new RequestIds();
  const seen = new Set<string>();
  for (let count = 0; count < 150_000; count++) seen.add(ids.create());
  expect(seen.size).toBe(150_000);
  for (const id of [...seen].slice(0, 100)) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test.each<[string, boolean]>([
  ['abc-123_x.y:z=', true],
  ['a'.repeat(128), true],
  ['a'.repeat(129), false],
  ['', false],
  ['has space', false],
  ['quote"', false],
  ['é', false],
])('a client id of %j is usable: %s', (id, expected) => {
  expect(isUsableRequestId(id)).toBe(expected);
});
