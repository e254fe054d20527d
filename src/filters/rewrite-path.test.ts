import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  filterFrom,
  filterRequest,
  parseRouteFilter,
  runRequest,
} from '../../test/support/filter-harness.ts';
import { normalizePath } from '../util/url-path.ts';
import type { FilterRequest } from './filter.ts';
import { rewritePath } from './rewrite-path.ts';

type MatchedPath = FilterRequest['matchedPath'];
const prefix = (value: string): MatchedPath => ({ type: 'prefix', value });

/** The path after the filter, or the status of its answer. */
function rewrite(value: unknown, path: string, matchedPath: MatchedPath = prefix('/')): string | number {
  const request = filterRequest({ path, matchedPath, query: '?a=%2e%2e' });
  const answer = runRequest(filterFrom(rewritePath, value), request);
  expect(request.query).toBe('?a=%2e%2e');
  return answer === undefined ? request.path : answer.status;
}

describe('replacePrefix', () => {
  test.each([
    ['/api', '/v2', '/api/x', '/v2/x'],
    ['/api', '/v2', '/api', '/v2'],
    ['/api', '/v2', '/api/', '/v2/'],
    ['/api', '/v2/', '/api/x', '/v2/x'],
    ['/api', '/', '/api/x', '/x'],
    ['/api', '/', '/api', '/'],
    ['/api', '/', '/api/', '/'],
    ['/', '/v2', '/x', '/v2/x'],
    ['/', '/v2', '/', '/v2/'],
    ['/', '/', '/x', '/x'],
  ])('%s by %s makes %s into %s', (matched, replacePrefix, path, expected) => {
    expect(rewrite({ replacePrefix }, path, prefix(matched))).toBe(expected);
  });

  test.each(['/apix', '/api../admin', '/api..', '/ap', '/API/x'])(
    'leaves %s alone, it is not below /api',
    (path) => {
      expect(rewrite({ replacePrefix: '/' }, path, prefix('/api'))).toBe(path);
    },
  );

  test('replaces an exact match whole and changes nothing after a regex match', () => {
    expect(rewrite({ replacePrefix: '/v2' }, '/api', { type: 'exact', value: '/api' })).toBe('/v2');
    expect(rewrite({ replacePrefix: '/v2' }, '/api/x', { type: 'regex', value: '/api.*' })).toBe('/api/x');
  });

  test('a normal path stays normal', () => {
    const segments = fc.array(fc.constantFrom('a', '.b', '...', '%20', 'c'), { maxLength: 3 });
    const paths = segments.map((list) => `/${list.join('/')}`);
    fc.assert(
      fc.property(paths, paths, paths, (matched, replacePrefix, rest) => {
        const path = `${matched === '/' ? '' : matched}${rest}`;
        const result = rewrite({ replacePrefix }, path, prefix(matched));
        expect(normalizePath(String(result))).toBe(result);
      }),
    );
  });
});

test('replaceFull stands in for every path', () => {
  expect(rewrite({ replaceFull: '/one%20page' }, '/any/where')).toBe('/one%20page');
});

describe('regex', () => {
  const regex = (pattern: string, substitution: string) => ({ regex: { pattern, substitution } });

  test.each([
    ['/a/(\\d+)', '/b/$1', '/a/42', '/b/42'],
    ['/a/(?P<id>\\d+)/(.*)', '/$2/${id}', '/a/42/x/y', '/x/y/42'],
    ['/a/(\\d+)', '/b/$10', '/a/4', '/b/40'],
    ['/a/(\\d+)', '/b/${1}0', '/a/4', '/b/40'],
    ['/a(/b)?', '/x$1', '/a', '/x'],
    ['(/.*)', '$1/end', '/a', '/a/end'],
    ['/a', '/cost$$1', '/a', '/cost$1'],
    ['/(a|b)/(.*)', '/$1//$2', '/a/x', '/a/x'],
  ])('%s → %s makes %s into %s', (pattern, substitution, path, expected) => {
    expect(rewrite(regex(pattern, substitution), path)).toBe(expected);
  });

  test('matches the whole path or changes nothing', () => {
    expect(rewrite(regex('/a', '/b'), '/a/x')).toBe('/a/x');
    expect(rewrite(regex('a', '/b'), '/a')).toBe('/a');
  });

  test.each([
    ['a dot segment', '/x(.*)', '/$1', '/x..'],
    ['a dot segment from two captures', '/(\\.)x(\\.)/y', '/a/$1$2/b', '/.x./y'],
    ['a dot segment with a literal dot', '/(\\.)x', '/.$1', '/.x'],
    ['a single dot', '/x(.*)', '/$1/y', '/x.'],
    ['another host', '/x(.*)', '/$1', '/x/evil.example'],
    ['another host, by a capture alone', '/x(.*)', '$1', '/x%2Fevil'],
    ['no leading slash', '/x(.*)', '$1', '/xevil'],
    ['an empty path', '/x(.*)', '$1', '/x'],
    ['half a triplet', '/x(..)(.*)', '/$1', '/x%20'],
    ['a triplet for a dot', '/x(.*)', '/%$1', '/x2e'],
    ['a triplet for a slash', '/x(.*)', '/a%$1b', '/x2F'],
    ['a triplet for CR', '/x%25(.*)', '/%$1', '/x%250d'],
  ])('answers 400 when captures make %s', (_, pattern, substitution, path) => {
    expect(rewrite(regex(pattern, substitution), path)).toBe(400);
  });

  test('keeps encoded slashes that the request was let in with', () => {
    expect(rewrite(regex('/x/(.*)', '/y/$1'), '/x/a%2Fb')).toBe('/y/a%2Fb');
    expect(rewrite(regex('/x/(.*)', '/y/$1.'), '/x/a%2F.')).toBe(400);
  });

  test('whatever goes on is in normal form and names no host', () => {
    const piece = fc.constantFrom('/', '.', '..', '%', '2e', '2F', '%2e', 'a', '$1', '$2', '%5c', '%0a');
    const substitution = fc.array(piece, { minLength: 1, maxLength: 5 }).map((list) => `/${list.join('')}`);
    const path = fc
      .array(piece, { maxLength: 6 })
      .map((list) => normalizePath(`/${list.join('').replaceAll('$', 'd')}`));
    fc.assert(
      fc.property(substitution, path, (text, start) => {
        fc.pre(typeof start === 'string');
        const result = rewrite(regex('/([^/]*)(.*)', text), String(start));
        fc.pre(result !== 400);
        expect(normalizePath(String(result))).toBe(result);
        expect(result).not.toMatch(/^\/\//);
      }),
      { numRuns: 500 },
    );
  });
});

describe('refuses', () => {
  const codes = (value: unknown) =>
    parseRouteFilter(rewritePath, value).reports.map(({ code, path }) => `${code} ${path}`);

  test.each([
    ['nothing', {}, ['SP4201 ']],
    ['two ways', { replaceFull: '/a', replacePrefix: '/b' }, ['SP4201 ']],
    ['an unknown field', { prefix: '/a' }, ['SP4201 prefix', 'SP4201 ']],
    ['a number', { replaceFull: 1 }, ['SP4201 replaceFull']],
    ['a regex without substitution', { regex: { pattern: '/a' } }, ['SP4201 regex.substitution']],
    ['a broken pattern', { regex: { pattern: '/(a', substitution: '/' } }, ['SP4207 regex.pattern']],
    ['look-around', { regex: { pattern: '/(?=a)', substitution: '/' } }, ['SP4207 regex.pattern']],
    [
      'a group that is not there',
      { regex: { pattern: '/(a)', substitution: '/$2' } },
      ['SP4207 regex.substitution'],
    ],
    [
      'a name that is not there',
      { regex: { pattern: '/(a)', substitution: '/${x}' } },
      ['SP4207 regex.substitution'],
    ],
    ['a lone dollar', { regex: { pattern: '/(a)', substitution: '/$' } }, ['SP4207 regex.substitution']],
    ['a query', { regex: { pattern: '/(a)', substitution: '/b?c=$1' } }, ['SP4207 regex.substitution']],
    [
      'a relative substitution',
      { regex: { pattern: '/(a)', substitution: 'b/$1' } },
      ['SP4207 regex.substitution'],
    ],
    [
      'a long pattern',
      { regex: { pattern: `/${'a'.repeat(1024)}`, substitution: '/' } },
      ['SP4201 regex.pattern'],
    ],
  ])('%s', (_, value, expected) => {
    expect(codes(value)).toEqual(expected);
  });

  test.each([
    '',
    'a',
    '//evil',
    '/a//b',
    '/a/../b',
    '/.',
    '/a?b',
    '/a#b',
    '/a b',
    '/\\x',
    '/%2F',
    '/%zz',
    '/a\r\n',
    '/é',
  ])('the path %j', (path) => {
    expect(codes({ replaceFull: path })).toEqual(['SP4206 replaceFull']);
    expect(codes({ replacePrefix: path })).toEqual(['SP4206 replacePrefix']);
  });
});
