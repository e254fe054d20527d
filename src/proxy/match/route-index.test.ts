import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { naiveMatch } from '../../../test/support/naive-matcher.ts';
import { anyPath, anyRoutes, hosts, respondingRoute, variants } from '../../../test/support/random-routes.ts';
import type { TableRoute } from '../../table/route-table.ts';
import { HeaderList } from '../../util/header-list.ts';
import type { MatchRequest } from '../linked-table.ts';
import { compileCandidate } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { RouteIndex } from './route-index.ts';

function indexOf(routes: readonly TableRoute[]): RouteIndex<Candidate> {
  const edit = RouteIndex.empty<Candidate>().edit();
  for (const route of routes) edit.add(compileCandidate(route));
  return edit.finish();
}

function request(host: string, path: string, over: Partial<MatchRequest> = {}): MatchRequest {
  return {
    method: 'GET',
    host,
    path,
    query: '',
    headers: new HeaderList(),
    clientAddress: '192.0.2.1',
    ...over,
  };
}

const prefix = (id: string, value: string, ...patterns: string[]) =>
  respondingRoute(id, {
    hosts: patterns.length > 0 ? patterns : ['a.example'],
    path: { type: 'prefix', value },
    rank: id,
  });

const matched = (routes: readonly TableRoute[], host: string, path: string) =>
  indexOf(routes).match(request(host, path))?.route.id;

describe('hosts', () => {
  const routes = [
    prefix('exact', '/x', 'a.example'),
    prefix('wild', '/', '*.example'),
    prefix('any', '/', ''),
  ];

  test.each([
    ['a.example', '/x', 'exact'],
    ['a.example', '/y', undefined],
    ['b.example', '/y', 'wild'],
    ['x.b.example', '/', 'any'],
    ['example', '/', 'any'],
    ['[::1]', '/', 'any'],
    ['', '/', 'any'],
  ])('%s%s is served by %s', (host, path, id) => {
    expect(matched(routes, host, path)).toBe(id);
  });

  test('nothing matches without a catch-all', () => {
    expect(matched(routes.slice(0, 2), 'other', '/')).toBeUndefined();
    expect(RouteIndex.empty().match(request('a.example', '/'))).toBeUndefined();
  });
});

describe('paths', () => {
  test.each([
    ['/foo', 'foo'],
    ['/foo/', 'foo'],
    ['/foo/x', 'foo'],
    ['/foobar', 'root'],
    ['/FOO', 'root'],
    ['/foo/bar', 'bar'],
    ['/foo/bar/x', 'bar'],
    ['/foo/barx', 'foo'],
    ['/foo;x', 'root'],
  ])('prefixes go by element: %s', (path, id) => {
    expect(
      matched([prefix('root', '/'), prefix('foo', '/foo'), prefix('bar', '/foo/bar')], 'a.example', path),
    ).toBe(id);
  });

  test('exact before regex before prefix', () => {
    const shape = { hosts: ['a.example'], rank: '1' };
    const routes = [
      prefix('prefix', '/a/b'),
      respondingRoute('regex', { ...shape, path: { type: 'regex', value: '/a/[bc]' } }),
      respondingRoute('longer', {
        ...shape,
        path: { type: 'regex', value: '/a/(?:b|c)' },
        conditions: { methods: ['PUT'] },
      }),
      respondingRoute('exact', { ...shape, path: { type: 'exact', value: '/a/b' } }),
    ];
    expect(matched(routes, 'a.example', '/a/b')).toBe('exact');
    expect(matched(routes, 'a.example', '/a/c')).toBe('regex');
    expect(matched(routes, 'a.example', '/a/b/')).toBe('prefix');
    expect(indexOf(routes).match(request('a.example', '/a/c', { method: 'PUT' }))?.route.id).toBe('longer');
  });

  test('when conditions fail, a shorter prefix takes over', () => {
    const routes = [
      prefix('root', '/'),
      respondingRoute('post', {
        hosts: ['a.example'],
        path: { type: 'prefix', value: '/a' },
        conditions: { methods: ['POST'] },
        rank: '1',
      }),
    ];
    expect(matched(routes, 'a.example', '/a')).toBe('root');
    expect(indexOf(routes).match(request('a.example', '/a', { method: 'POST' }))?.route.id).toBe('post');
  });
});

test('agrees with the naive matcher, after edits too', () => {
  let requests = 0;
  fc.assert(
    fc.property(
      anyRoutes,
      anyRoutes,
      fc.array(anyPath, { minLength: 6, maxLength: 6 }),
      fc.nat(),
      (first, second, paths, mask) => {
        const before = first.map(compileCandidate);
        const edit = RouteIndex.empty<Candidate>().edit();
        for (const candidate of before) edit.add(candidate);
        const old = edit.finish();
        const next = old.edit();
        // A random part of the first routes goes, the second come.
        const kept = before.filter((candidate, index) => {
          const stays = ((mask >>> (index % 31)) & 1) === 1;
          if (!stays) next.remove(candidate);
          return stays;
        });
        const added = second.map((route) => compileCandidate({ ...route, id: `n${route.id}` }));
        for (const candidate of added) next.add(candidate);
        const edited = next.finish();
        const now = [...kept, ...added].map(({ route }) => route);
        for (const host of hosts) {
          for (const path of paths) {
            for (const variant of variants) {
              const asked = { ...variant, host, path };
              requests += 2;
              const context = `${host} ${path} ${variant.method}`;
              expect([context, edited.match(asked)?.route.id]).toEqual([context, naiveMatch(now, asked)?.id]);
              expect([context, old.match(asked)?.route.id]).toEqual([context, naiveMatch(first, asked)?.id]);
            }
          }
        }
      },
    ),
    { numRuns: 260 },
  );
  expect(requests).toBeGreaterThanOrEqual(100_000);
}, 30_000);

test('an index from which everything was removed holds nothing', () => {
  fc.assert(
    fc.property(anyRoutes, (routes) => {
      const candidates = routes.map(compileCandidate);
      const edit = indexOf([]).edit();
      for (const candidate of candidates) edit.add(candidate);
      const full = edit.finish();
      const undo = full.edit();
      for (const candidate of candidates.toReversed()) undo.remove(candidate);
      const empty = undo.finish();
      for (const { route } of candidates) {
        for (const pattern of route.hosts) expect(empty.hostRoutes(pattern)).toBeUndefined();
      }
      const patterns = new Set(routes.flatMap((route) => route.hosts));
      const held = [...patterns].flatMap((pattern) => [...(full.hostRoutes(pattern)?.all() ?? [])]);
      expect(held).toHaveLength(routes.reduce((sum, route) => sum + route.hosts.length, 0));
    }),
  );
});
