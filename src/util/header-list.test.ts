import { expect, test } from '@jest/globals';

import { HeaderList } from './header-list.ts';

function list(...fields: readonly (readonly [string, string])[]): HeaderList {
  const headers = new HeaderList();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
}

test('lookups ignore case and keep order', () => {
  const headers = list(['Accept', 'a'], ['X-Role', 'user'], ['x-role', 'admin']);
  expect(headers.get('x-role')).toBe('user');
  expect(headers.getAll('x-role')).toEqual(['user', 'admin']);
  expect(headers.has('accept')).toBe(true);
  expect(headers.get('missing')).toBeUndefined();
});

test('set replaces all fields of a name by one, in the place of the first', () => {
  const headers = list(['A', '1'], ['B', '2'], ['a', '3'], ['C', '4']);
  headers.set('a', '9');
  expect(headers.entries()).toEqual([
    ['a', '9'],
    ['B', '2'],
    ['C', '4'],
  ]);
});

test('remove takes every field of a name', () => {
  const headers = list(['A', '1'], ['B', '2'], ['a', '3']);
  headers.remove('a');
  expect(headers.entries()).toEqual([['B', '2']]);
});

test('a list that was cleared shows nothing of its former fields', () => {
  const headers = list(['Authorization', 'secret'], ['B', '2']);
  headers.clear();
  headers.append('C', '3');
  expect(headers.get('b')).toBeUndefined();
  expect(headers.getAll('authorization')).toEqual([]);
  expect(headers.entries()).toEqual([['C', '3']]);
});
