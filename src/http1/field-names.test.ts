import { expect, test } from '@jest/globals';

import { Role, fieldName } from './field-names.ts';

function find(name: string): ReturnType<typeof fieldName> {
  return fieldName(Buffer.from(`..${name}: x`, 'latin1'), 2, 2 + name.length);
}

test('names of either case mean the same and keep their spelling', () => {
  expect(find('Content-Length')).toEqual({
    name: 'Content-Length',
    lower: 'content-length',
    role: Role.contentLength,
  });
  expect(find('content-length')).toEqual({
    name: 'content-length',
    lower: 'content-length',
    role: Role.contentLength,
  });
  expect(find('cOnTeNt-LeNgTh')).toEqual({
    name: 'cOnTeNt-LeNgTh',
    lower: 'content-length',
    role: Role.contentLength,
  });
  expect(find('Content_Length')).toEqual({
    name: 'Content_Length',
    lower: 'content_length',
    role: Role.none,
  });
});

test('an entry is shared once it is known', () => {
  expect(find('X-Seldom')).toBe(find('X-Seldom'));
  expect(find('Host')).toBe(find('Host'));
});

test('names that fall on the same guess are told apart', () => {
  // Same length, first and last character.
  for (let round = 0; round < 3; round++) {
    expect(find('X-Aa-Z').name).toBe('X-Aa-Z');
    expect(find('X-Bb-Z').name).toBe('X-Bb-Z');
  }
});

test('a flood of names changes no meaning', () => {
  for (let count = 0; count < 5000; count++) expect(find(`X-Flood-${count}`).lower).toBe(`x-flood-${count}`);
  expect(find(`X-${'y'.repeat(500)}`).lower).toBe(`x-${'y'.repeat(500)}`);
  expect(find('TRANSFER-ENCODING').role).toBe(Role.transferEncoding);
  expect(find('__proto__')).toEqual({ name: '__proto__', lower: '__proto__', role: Role.none });
});
