import { describe, expect, test } from '@jest/globals';
import {
  filterFromAnnotations,
  filterRequest,
  parseAnnotations,
  runRequest,
} from '../../test/support/filter-harness.ts';
import { appRoot } from './app-root.ts';

describe('app-root', () => {
  const filter = filterFromAnnotations(appRoot, { 'app-root': '/shop/index?from=root' });

  test('redirects the root, without the query of the request', () => {
    const answer = runRequest(
      filter,
      filterRequest({ scheme: 'http', port: 8080, path: '/', query: '?q=1' }),
    );
    expect(answer).toEqual({
      status: 302,
      headers: [['Location', 'http://shop.example:8080/shop/index?from=root']],
      body: '',
    });
  });

  test.each(['/x', '/shop/index', '/index.html'])('lets %s through', (path) => {
    expect(runRequest(filter, filterRequest({ path }))).toBeUndefined();
  });

  test('is off without the annotation', () => {
    expect(parseAnnotations(appRoot, {})).toEqual({ config: undefined, reports: [] });
  });

  test.each([
    'shop',
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '/$uri',
    '/a b',
    '/a\r\nX: 1',
    '/é',
  ])('warns of %j and leaves it out', (path) => {
    const { config, reports } = parseAnnotations(appRoot, { 'app-root': path });
    expect(config).toBeUndefined();
    expect(reports).toMatchObject([{ level: 'warning', code: 'SP4251', path: 'app-root' }]);
  });
});
