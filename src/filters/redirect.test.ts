import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  filterFrom,
  filterFromAnnotations,
  filterRequest,
  parseAnnotations,
  parseRouteFilter,
  runRequest,
} from '../../test/support/filter-harness.ts';
import type { RequestValues } from '../../test/support/filter-harness.ts';
import { redirect } from './redirect.ts';

/** `status location` of the answer. */
function answerOf(value: unknown, request: RequestValues): string {
  const answer = runRequest(filterFrom(redirect, value), filterRequest(request));
  expect(answer?.headers.map(([name]) => name)).toEqual(['Location']);
  return `${answer?.status} ${answer?.headers[0]?.[1]}`;
}

const asked = { scheme: 'http', host: 'shop.example', port: 8080, path: '/api/x', query: '?q=1' } as const;

describe('where it leads', () => {
  test.each([
    [{ scheme: 'https' }, '302 https://shop.example/api/x?q=1'],
    [{ scheme: 'https', port: 8443 }, '302 https://shop.example:8443/api/x?q=1'],
    [{ scheme: 'http' }, '302 http://shop.example/api/x?q=1'],
    [{ host: 'b.example' }, '302 http://b.example:8080/api/x?q=1'],
    [{ host: 'b.example', port: 80 }, '302 http://b.example/api/x?q=1'],
    [{ host: '[2001:db8::1]', scheme: 'https' }, '302 https://[2001:db8::1]/api/x?q=1'],
    [{ path: '/new' }, '302 http://shop.example:8080/new?q=1'],
    [{ replacePrefix: '/v2' }, '302 http://shop.example:8080/v2/x?q=1'],
    [{ replacePrefix: '/' }, '302 http://shop.example:8080/x?q=1'],
    [{ port: 9000, statusCode: 308 }, '308 http://shop.example:9000/api/x?q=1'],
  ])('%j: %s', (value, expected) => {
    expect(answerOf(value, { ...asked, matchedPath: { type: 'prefix', value: '/api' } })).toBe(expected);
  });

  test('a request without Host gets a relative reference', () => {
    expect(answerOf({ path: '/new' }, { ...asked, host: '' })).toBe('302 /new?q=1');
  });

  test('never leads to a host that a client chose by path or query, and never ends the header', () => {
    const text = fc.string({
      unit: fc.constantFrom(...Array.from('/\\.:@?#% \r\n\0"<>é|ab')),
      maxLength: 12,
    });
    fc.assert(
      fc.property(text, text, (path, query) => {
        const line = answerOf({ scheme: 'https' }, { ...asked, path: `/${path}`, query: `?${query}` });
        expect(line).toMatch(/^302 https:\/\/shop\.example\/[!-~]*$/);
        expect(new URL(line.slice(4)).host).toBe('shop.example');
      }),
    );
  });
});

describe('refuses', () => {
  test.each([
    ['no change', { statusCode: 301 }, ['SP4201 ']],
    ['path and replacePrefix', { path: '/a', replacePrefix: '/b' }, ['SP4201 ']],
    ['another scheme', { scheme: 'javascript' }, ['SP4201 scheme']],
    ['another status', { host: 'a', statusCode: 200 }, ['SP4201 statusCode']],
    ['a port out of range', { port: 0 }, ['SP4201 port']],
    ['a host with a port', { host: 'a.example:80' }, ['SP4205 host']],
    ['a host with a line break', { host: 'a\r\nSet-Cookie: x' }, ['SP4205 host']],
    ['a path that names a host', { path: '//evil.example' }, ['SP4206 path']],
    ['a path with an encoded line break', { path: '/a%0d%0ab' }, ['SP4206 path']],
    ['an unknown field', { hostname: 'a' }, ['SP4201 hostname']],
    ['a string', 'https://a.example', ['SP4201 ']],
  ])('%s', (_, value, expected) => {
    const { config, reports } = parseRouteFilter(redirect, value);
    expect(config).toBeUndefined();
    expect(reports.map(({ code, path }) => `${code} ${path}`)).toEqual(expected);
  });
});

describe('annotations', () => {
  const locate = (annotations: Readonly<Record<string, string>>) => {
    const answer = runRequest(filterFromAnnotations(redirect, annotations), filterRequest(asked));
    return `${answer?.status} ${answer?.headers[0]?.[1]}`;
  };

  test.each([
    [{ 'permanent-redirect': 'https://b.example' }, '301 https://b.example'],
    [
      { 'permanent-redirect': 'https://b.example/x?y=1#z', 'permanent-redirect-code': '308' },
      '308 https://b.example/x?y=1#z',
    ],
    [{ 'temporal-redirect': 'http://b.example/' }, '302 http://b.example/'],
    [{ 'temporal-redirect': 'http://b.example/', 'temporal-redirect-code': '307' }, '307 http://b.example/'],
    [
      { 'temporal-redirect': 'http://t.example/', 'permanent-redirect': 'http://p.example/' },
      '302 http://t.example/',
    ],
    [{ 'permanent-redirect': ' HTTPS://b.example/%7Ea ' }, '301 HTTPS://b.example/%7Ea'],
  ])('%j: %s', (annotations, expected) => {
    expect(locate(annotations)).toBe(expected);
  });

  test('ask for nothing without a URL', () => {
    for (const annotations of [{}, { 'permanent-redirect': '' }, { 'permanent-redirect-code': '308' }]) {
      expect(parseAnnotations(redirect, annotations)).toEqual({ config: undefined, reports: [] });
    }
  });

  test.each([
    'ftp://b.example',
    'javascript:alert(1)',
    '//b.example',
    '/path',
    'b.example',
    'https://',
    'https://b.example/$request_uri',
    'https://user@b.example/',
    'https://b.example/\r\nSet-Cookie: x=1',
    'https://b.example/a b',
    'https://b.example/é',
    'https://b.example:99999/',
    'https:\\\\b.example',
  ])('leave out the URL %j with a warning', (url) => {
    for (const name of ['permanent-redirect', 'temporal-redirect']) {
      const { config, reports } = parseAnnotations(redirect, { [name]: url });
      expect(config).toBeUndefined();
      expect(reports).toMatchObject([{ level: 'warning', code: 'SP4251', path: name }]);
    }
  });

  test('a temporal URL that cannot be used leaves the permanent one in force', () => {
    const { config } = parseAnnotations(redirect, {
      'temporal-redirect': 'x',
      'permanent-redirect': 'http://p.example/',
    });
    expect(config).toEqual({ kind: 'fixed', location: 'http://p.example/', statusCode: 301 });
  });

  test.each([
    ['permanent-redirect', '299', 301],
    ['permanent-redirect', '309', 301],
    ['permanent-redirect', '304', 301],
    ['permanent-redirect', 'abc', 301],
    ['temporal-redirect', '308', 302],
    ['temporal-redirect', '3020', 302],
  ])('%s-code %s falls back to %i with a warning', (name, code, expected) => {
    const { config, reports } = parseAnnotations(redirect, {
      [name]: 'http://b.example/',
      [`${name}-code`]: code,
    });
    expect(config).toMatchObject({ statusCode: expected });
    expect(reports).toMatchObject([{ level: 'warning', code: 'SP4252', path: `${name}-code` }]);
  });
});
