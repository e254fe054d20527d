import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  filterFrom,
  filterRequest,
  filterResponse,
  headerLines,
  parseRouteFilter,
  runRequest,
} from '../../test/support/filter-harness.ts';
import { requestHeaders } from './request-headers.ts';
import { responseHeaders } from './response-headers.ts';

const filters = [requestHeaders, responseHeaders];
const codes = (spec: (typeof filters)[number], value: unknown) =>
  parseRouteFilter(spec, value).reports.map(({ code, path }) => `${code} ${path}`);

describe('applying', () => {
  const edits = {
    remove: ['X-Old', 'x-both'],
    set: [{ name: 'X-Tier', value: 'gold' }],
    add: [
      { name: 'X-Both', value: 'new' },
      { name: 'X-Seen', value: '2' },
    ],
  };
  const before = { 'x-old': ['1', '2'], 'x-tier': ['none', 'tin'], 'X-BOTH': 'old', 'x-seen': '1' };
  const after = ['X-Tier: gold', 'x-seen: 1', 'X-Both: new', 'X-Seen: 2'];

  test('removes, then sets, then adds, on the request', () => {
    const request = filterRequest({ headers: before });
    expect(runRequest(filterFrom(requestHeaders, edits), request)).toBeUndefined();
    expect(headerLines(request.headers)).toEqual(after);
  });

  test('does the same on the response', () => {
    const response = filterResponse(200, before);
    filterFrom(responseHeaders, edits).onResponse?.(response, filterRequest());
    expect(headerLines(response.headers)).toEqual(after);
  });

  test('each has only the hook that it needs', () => {
    expect(filterFrom(requestHeaders, { remove: ['a'] }).onResponse).toBeUndefined();
    expect(filterFrom(responseHeaders, { remove: ['a'] }).onRequest).toBeUndefined();
  });
});

describe.each(filters)('$name refuses', (spec) => {
  test.each([
    ['no object', 'x', ['SP4201 ']],
    ['a list', [], ['SP4201 ']],
    ['nothing to do', {}, ['SP4201 ']],
    ['empty lists', { set: [], remove: [] }, ['SP4201 ']],
    ['an unknown field', { sets: [], remove: ['a'] }, ['SP4201 sets']],
    ['an unknown field of an item', { set: [{ name: 'a', value: 'b', when: 1 }] }, ['SP4201 set[0].when']],
    ['a missing value', { add: [{ name: 'a' }] }, ['SP4201 add[0].value']],
    ['a number for a value', { add: [{ name: 'a', value: 1 }] }, ['SP4201 add[0].value']],
    ['a string for a list', { remove: 'a' }, ['SP4201 remove']],
    ['too many items', { remove: Array.from({ length: 33 }, (_, index) => `h${index}`) }, ['SP4201 remove']],
    ['a name set twice', { set: ['a', 'A'].map((name) => ({ name, value: '1' })) }, ['SP4201 set']],
    [
      'every fault, not only the first',
      { set: [{ name: 'a b', value: 'a\nb' }, 3] },
      ['SP4202 set[0].name', 'SP4204 set[0].value', 'SP4201 set[1]'],
    ],
  ])('%s', (_, value, expected) => {
    expect(codes(spec, value)).toEqual(expected);
  });

  test.each(['', ' a', 'a:', 'a b', 'a\r\nb', 'é', 'a\0', 'a\u010a', '(a)'])('the name %j', (name) => {
    expect(codes(spec, { remove: [name] })).toEqual(['SP4202 remove[0]']);
  });

  // U+010A and U+010D end in the bytes of LF and CR when written as latin1.
  test.each(['a\r\nX: 1', '\n', 'a\rb', 'a\0b', 'a\x7f', ' a', 'a ', '\ta', 'a\u010ab', 'a\u010db', '€'])(
    'the value %j',
    (value) => {
      expect(codes(spec, { set: [{ name: 'x', value }] })).toEqual(['SP4204 set[0].value']);
    },
  );

  test.each([
    'Connection',
    'content-length',
    'HTTP2-Settings',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'UPGRADE',
  ])('to touch %s', (name) => {
    expect(codes(spec, { remove: [name] })).toEqual(['SP4203 remove[0]']);
    expect(codes(spec, { set: [{ name, value: 'x' }] })).toEqual(['SP4203 set[0].name']);
    expect(codes(spec, { add: [{ name, value: 'x' }] })).toEqual(['SP4203 add[0].name']);
  });
});

test('only requests protect Host and Expect', () => {
  for (const name of ['Host', 'expect']) {
    expect(codes(requestHeaders, { set: [{ name, value: 'x' }] })).toEqual(['SP4203 set[0].name']);
    expect(codes(responseHeaders, { set: [{ name, value: 'x' }] })).toEqual([]);
  }
});

test.each(['', 'a', 'a b', 'a\tb', 'café', '"q"; a=1', '~'.repeat(4096)])('takes the value %j', (value) => {
  expect(codes(requestHeaders, { set: [{ name: 'X-Forwarded-Prefix', value }] })).toEqual([]);
});

test('whatever is accepted has no byte that could end a line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 6 }), (value) => {
      const { config } = parseRouteFilter(responseHeaders, { set: [{ name: 'x', value }] });
      const bytes = [...Buffer.from(config?.set[0]?.value ?? '', 'latin1')];
      expect(bytes.filter((byte) => (byte < 0x20 && byte !== 9) || byte === 0x7f)).toEqual([]);
      const accepted = config?.set[0]?.value ?? '';
      expect(Buffer.from(accepted, 'latin1').toString('latin1')).toBe(accepted);
    }),
    { numRuns: 2000 },
  );
});
