import { describe, expect, test } from '@jest/globals';
import {
  filterFrom,
  filterFromAnnotations,
  filterRequest,
  parseAnnotations,
  parseRouteFilter,
  runRequest,
} from '../../test/support/filter-harness.ts';
import { rewriteHost } from './rewrite-host.ts';

const good = ['a.example', 'A.example:8080', 'my_svc', '10.0.0.1', '[2001:db8::1]', '[::1]:443', 'x-1.y'];
const bad = [
  'http://a.example',
  'a.example/x',
  'a example',
  'a.example:0',
  'a.example:65536',
  'a.example:',
  '-a.example',
  'a..b',
  '2001:db8::1',
  '[::1',
  'user@a.example',
  '$service.svc',
  'a\r\nX: 1',
  'é.example',
  `${'a'.repeat(64)}.example`,
];

describe('rewriteHost', () => {
  test.each(good)('sends %s', (host) => {
    const request = filterRequest();
    expect(runRequest(filterFrom(rewriteHost, { host }), request)).toBeUndefined();
    expect(request.authority).toBe(host);
    expect(request.host).toBe('shop.example');
  });

  test.each(bad)('refuses %j', (host) => {
    const { config, reports } = parseRouteFilter(rewriteHost, { host });
    expect(config).toBeUndefined();
    expect(reports).toMatchObject([{ level: 'error', code: 'SP4205', path: 'host' }]);
  });

  test.each([[{}], [{ host: 1 }], ['a.example'], [{ host: 'a', port: 1 }]])(
    'refuses the shape %j',
    (value) => {
      const { config, reports } = parseRouteFilter(rewriteHost, value);
      expect(config).toBeUndefined();
      expect(reports[0]).toMatchObject({ level: 'error', code: 'SP4201' });
    },
  );

  test('comes from upstream-vhost', () => {
    const request = filterRequest();
    runRequest(filterFromAnnotations(rewriteHost, { 'upstream-vhost': ' b.example ' }), request);
    expect(request.authority).toBe('b.example');
  });

  test('is off without the annotation, or with an empty one', () => {
    expect(parseAnnotations(rewriteHost, {})).toEqual({ config: undefined, reports: [] });
    expect(parseAnnotations(rewriteHost, { 'upstream-vhost': '' })).toEqual({
      config: undefined,
      reports: [],
    });
  });

  test.each(bad)('warns of upstream-vhost %j and leaves it out', (host) => {
    const { config, reports } = parseAnnotations(rewriteHost, { 'upstream-vhost': host });
    expect(config).toBeUndefined();
    expect(reports).toMatchObject([{ level: 'warning', code: 'SP4251', path: 'upstream-vhost' }]);
  });
});
