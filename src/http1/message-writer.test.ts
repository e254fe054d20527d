import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { isRefusal, readRequest, readResponse } from '../../test/support/codec-harness.ts';
import { HeaderList } from '../util/header-list.ts';
import { chunkHeader, fieldLine, lastChunk, requestHeadText, responseHeadText } from './message-writer.ts';
import { statusText } from './status-text.ts';
import { isFieldValue, isToken } from './tokens.ts';

function list(...fields: readonly (readonly [string, string])[]): HeaderList {
  const headers = new HeaderList();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
}

test('a request head', () => {
  const text = requestHeadText(
    'GET',
    '/a?b',
    list(['X-A', 'b'], ['x-c', '']),
    fieldLine('Host', 'h') + fieldLine('Content-Length', 5),
  );
  expect(text).toBe('GET /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX-A: b\r\nx-c: \r\n\r\n');
});

test('a response head, with its own reason or the standard one', () => {
  expect(responseHeadText(200, '', list(['A', 'b']), fieldLine('Content-Length', 0))).toBe(
    'HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 0\r\n\r\n',
  );
  expect(responseHeadText(404, 'Gone fishing', list(), '')).toBe('HTTP/1.1 404 Gone fishing\r\n\r\n');
});

test('chunks', () => {
  expect(chunkHeader(1)).toBe('1\r\n');
  expect(chunkHeader(65_535)).toBe('ffff\r\n');
  expect(lastChunk()).toBe('0\r\n\r\n');
  expect(lastChunk(list())).toBe('0\r\n\r\n');
  expect(lastChunk(list(['A', 'b']))).toBe('0\r\nA: b\r\n\r\n');
});

test('reason phrases', () => {
  expect([statusText(200), statusText(431), statusText(299)]).toEqual([
    'OK',
    'Request Header Fields Too Large',
    'Unknown',
  ]);
});

describe('what may be written', () => {
  test.each(['a', 'X-A', "!#$%&'*+-.^_`|~09azAZ"])('%j is a token', (text) =>
    expect(isToken(text)).toBe(true),
  );
  test.each(['', 'a b', 'a:', 'a\r', '\xe9', 'a\u0141', '"a"', 'a/b'])('%j is no token', (text) => {
    expect(isToken(text)).toBe(false);
  });
  test.each(['', 'a', 'a b\tc', '\xe9', '"x", (y)'])('%j is a field value', (text) =>
    expect(isFieldValue(text)).toBe(true),
  );
  test.each([' a', 'a ', '\ta', 'a\r\nB: c', 'a\n', 'a\r', '\0', '\x7f', 'a\u010d', 'a\u0a0d'])(
    '%j is no field value',
    (text) => {
      expect(isFieldValue(text)).toBe(false);
    },
  );
});

const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0x120 }).map((code) => String.fromCharCode(code)),
  maxLength: 12,
});

/** Names that mean nothing to the codec. */
const plainName = anyText.filter(isToken).map((name) => `x-${name}`);

test('what the checks let through is read back as it was, in both directions', () => {
  const field = fc.tuple(plainName, anyText.filter(isFieldValue));
  const property = fc.property(
    fc.array(field, { maxLength: 6 }),
    fc.integer({ min: 200, max: 599 }),
    (fields, status) => {
      const host = fieldLine('Host', 'h');
      const request = readRequest(requestHeadText('POST', '/p', list(...fields), host));
      expect(request).toMatchObject({ method: 'POST', target: '/p', fields: [['Host', 'h'], ...fields] });
      const response = readResponse(responseHeadText(status, 'Why not', list(...fields), ''));
      expect(response).toMatchObject({ status, reason: 'Why not', fields });
    },
  );
  fc.assert(property, { numRuns: 500 });
});

test('a value that the check refuses would not be read back as it was', () => {
  const property = fc.property(
    anyText.filter((value) => !isFieldValue(value)),
    (value) => {
      const read = readRequest(requestHeadText('GET', '/', list(['x-a', value]), fieldLine('Host', 'h')));
      const isSame =
        read !== undefined && !isRefusal(read) && read.fields[1]?.[1] === value && read.fields.length === 2;
      expect(isSame).toBe(false);
    },
  );
  fc.assert(property, { numRuns: 500 });
});
