import { expect, test } from '@jest/globals';

import { rarely } from './rarely.ts';

test('each message passes once in ten seconds, and says how many did not', () => {
  const lines: string[] = [];
  let now = 5;
  const warn = rarely(
    (message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`),
    () => now,
  );
  for (let count = 0; count < 3; count++) warn('first', { count });
  warn('second', { count: 9 });
  expect(lines.splice(0)).toEqual(['first {"count":0}', 'second {"count":9}']);
  now += 9_999;
  warn('first', { count: 3 });
  expect(lines).toEqual([]);
  now += 1;
  warn('first', { count: 4 });
  warn('second', { count: 10 });
  expect(lines.splice(0)).toEqual(['first {"count":4,"untold":3}', 'second {"count":10}']);
  now += 10_000;
  warn('first', { count: 5 });
  expect(lines).toEqual(['first {"count":5}']);
});
