import { expect, test } from '@jest/globals';

import { Readiness } from './readiness.ts';

test('a start says what it waits for, a few of them by name; after that nothing but shutdown counts', () => {
  const readiness = new Readiness();
  expect(readiness.stateWhile([])).toMatchObject({
    ready: false,
    reason: expect.stringContaining('first table'),
  });
  expect(readiness.stateWhile(['a', 'b']).reason).toBe('not read yet: a, b');
  const many = Array.from({ length: 5000 }, (_, at) => `secret ${at}`);
  expect(readiness.stateWhile(many).reason).toBe(
    'not read yet: secret 0, secret 1, secret 2, secret 3, secret 4 and 4995 more',
  );
  readiness.live();
  expect(readiness.stateWhile(['a'])).toEqual({ ready: true, reason: 'serving' });
  readiness.drain();
  expect(readiness.stateWhile(['a'])).toEqual({ ready: false, reason: 'shutting down' });
});
