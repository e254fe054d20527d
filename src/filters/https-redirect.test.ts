import { describe, expect, test } from '@jest/globals';
import { filterRequest, parseRouteFilter, runRequest } from '../../test/support/filter-harness.ts';
import { httpsRedirect } from './https-redirect.ts';

const ours = httpsRedirect.create({ statusCode: 308, cutTrailingSlash: false });
const cutting = httpsRedirect.create({ statusCode: 308, cutTrailingSlash: true });
const plain = { scheme: 'http', port: 80 } as const;

describe('https redirect', () => {
  test.each([
    ['/', '', 'https://shop.example/', 'https://shop.example'],
    ['/a/', '', 'https://shop.example/a/', 'https://shop.example/a'],
    ['/a/', '?b=c/', 'https://shop.example/a/?b=c/', 'https://shop.example/a/?b=c/'],
    ['/a', '?b', 'https://shop.example/a?b', 'https://shop.example/a?b'],
  ])('of %s%s', (path, query, kept, cut) => {
    const request = filterRequest({ ...plain, path, query, port: 8080 });
    expect(runRequest(ours, request)).toEqual({ status: 308, headers: [['Location', kept]], body: '' });
    expect(runRequest(cutting, request)).toMatchObject({ headers: [['Location', cut]] });
  });

  test.each([
    ['HTTPS', { scheme: 'https' as const }],
    ['a challenge', { ...plain, path: '/.well-known/acme-challenge/token' }],
    ['a request without a host', { ...plain, host: '' }],
  ])('lets %s pass', (_, values) => {
    expect(runRequest(ours, filterRequest(values))).toBeUndefined();
  });

  test('in a Route', () => {
    expect(parseRouteFilter(httpsRedirect, {}).config).toEqual({ statusCode: 308, cutTrailingSlash: false });
    expect(parseRouteFilter(httpsRedirect, { statusCode: 301 }).config).toMatchObject({ statusCode: 301 });
    expect(parseRouteFilter(httpsRedirect, { statusCode: 200 }).config).toBeUndefined();
  });
});
