import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { naiveMatch } from '../../test/support/naive-matcher.ts';
import { anyPath, anyRoutes, hosts, respondingRoute, variants } from '../../test/support/random-routes.ts';
import type { RouteShape } from '../../test/support/random-routes.ts';
import type { Cors } from '../filters/cors.ts';
import { createTable } from '../table/create-table.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type {
  ClientAuth,
  EndpointSet,
  Forward,
  RouteTable,
  TableHost,
  TableRoute,
  TableUpstream,
} from '../table/route-table.ts';
import { explain, explainableLink, explainableTable } from './explain.ts';
import type { Explanation } from './explain.ts';
import type { ExplainRequest } from './explain-request.ts';
import { explanationText } from './explain-text.ts';
import { Linker } from './linker.ts';
import { wholeTable } from '../table/diff-tables.ts';

function table(
  routes: readonly TableRoute[],
  endpoints: Readonly<Record<string, number>> = {},
  hostEntries: readonly TableHost[] = [],
): RouteTable {
  const sets = Object.entries(endpoints).map(([id, count]) =>
    sealEntry<EndpointSet>('endpoints', {
      id,
      endpoints: Array.from({ length: count }, (_, index) => ({
        address: `10.0.0.${index + 1}`,
        port: 80,
        weight: 1,
      })),
    }),
  );
  const byId = <T extends { readonly id: string }>(entries: readonly T[]) =>
    new Map(entries.map((e) => [e.id, e]));
  const upstreams = sets.map(({ id }) =>
    sealEntry<TableUpstream>('upstreams', { id, protocol: 'http1', balance: 'round-robin' }),
  );
  const parts = { routes: byId(routes), endpoints: byId(sets), upstreams: byId(upstreams) };
  return createTable({ ...parts, hosts: byId(hostEntries) }, 1);
}

const shape: RouteShape = { hosts: ['a.example'], path: { type: 'prefix', value: '/' }, rank: '1' };
const responding = (id: string, over: Partial<RouteShape>) => respondingRoute(id, { ...shape, ...over });

function ask(
  routes: readonly TableRoute[],
  url: string,
  over: Partial<ExplainRequest> = {},
  endpoints = {},
): Explanation {
  const asked = { method: 'GET', url, headers: [], clientAddress: '192.0.2.1', ...over };
  return explain(explainableTable(table(routes, endpoints)), asked);
}

const reasons = (explanation: Explanation) => explanation.rivals.map(({ id, reason }) => [id, reason]);

describe('the host', () => {
  const routes = [
    responding('a', {}),
    responding('wild', { hosts: ['*.example'] }),
    responding('any', { hosts: [''] }),
  ];

  test.each([
    ['http://a.example/', 'a.example', 'routes name this host'],
    ['B.example.:80/', '*.example', 'no route names this host; the wildcard stands for its first label'],
    ['http://other/', '', 'no route names this host or a wildcard of it; the catch-all serves it'],
  ])('of %s is %j', (url, pattern, reason) => {
    expect(ask(routes, url).host).toEqual({ pattern, reason });
  });

  test('a Host field takes the place of the URL', () => {
    const headers = [['Host', 'b.example']] as const;
    expect(ask(routes, 'http://a.example/', { headers })).toMatchObject({
      host: { pattern: '*.example' },
      route: { id: 'wild' },
    });
  });

  test('routes of less specific hosts are named when they would take the request', () => {
    expect(reasons(ask(routes, 'http://a.example/x'))).toEqual([
      ['wild', 'stands on *.example, and a.example is more specific'],
      ['any', 'stands on any host, and a.example is more specific'],
    ]);
  });

  test('none', () => {
    const explanation = ask(routes.slice(0, 1), 'http://b.example/');
    expect(explanation.host).toEqual({
      pattern: undefined,
      reason: 'no route names this host, and there is no catch-all',
    });
    expect(explanation.answer).toEqual({
      kind: 'respond',
      code: 'SP_NO_ROUTE',
      reason: 'no routes for this host',
    });
  });
});

describe('why a rival lost', () => {
  const rank = (date: string, rest: string) => `0 ${String(Date.parse(date)).padStart(15, '0')} n ${rest}`;
  const winner = responding('w', {
    path: { type: 'prefix', value: '/foo' },
    conditions: { headers: [{ name: 'x', type: 'present', value: '' }] },
    rank: rank('2024-01-01', 'w'),
  });
  const headers = [
    ['X', 'u'],
    ['x', 'v'],
    ['Cookie', 'c=1'],
  ] as const;

  test.each<[string, Partial<RouteShape>, string]>([
    ['a sibling path', { path: { type: 'prefix', value: '/foob' } }, 'the path is not under /foob'],
    [
      'part of an element',
      { path: { type: 'prefix', value: '/foo/b' } },
      '/foo/b is a prefix by element, so it ends at a slash',
    ],
    ['case', { path: { type: 'prefix', value: '/Foo' } }, 'upper and lower case differ from /Foo'],
    [
      'a trailing slash',
      { path: { type: 'exact', value: '/foo/bar/' } },
      'exactly /foo/bar/, so the trailing slash counts',
    ],
    ['another exact path', { path: { type: 'exact', value: '/foo' } }, 'the path is not exactly /foo'],
    ['a pattern', { path: { type: 'regex', value: '/fo' } }, 'the path does not match the whole pattern /fo'],
    ['a shorter prefix', { path: { type: 'prefix', value: '/' } }, 'its prefix is shorter than /foo'],
    ['fewer conditions', { path: winner.path }, 'the winner asks for 1 header, this one for 0'],
    [
      'another method',
      { path: winner.path, conditions: { methods: ['PUT', 'POST'] } },
      'method: wants PUT or POST, got GET',
    ],
    [
      'a header',
      { path: winner.path, conditions: { headers: [{ name: 'x', type: 'exact', value: 'w' }] } },
      'header x: wants "w", got "u" and "v"',
    ],
    [
      'an absent header',
      { path: winner.path, conditions: { headers: [{ name: 'x', type: 'absent', value: '' }] } },
      'header x: wants none, got "u" and "v"',
    ],
    [
      'a query parameter',
      { path: winner.path, conditions: { query: [{ name: 'q', type: 'regex', value: '[ab]' }] } },
      'query parameter q: wants a whole match of [ab], got "c d"',
    ],
    [
      'a cookie',
      { path: winner.path, conditions: { cookies: [{ name: 'd', type: 'present', value: '' }] } },
      'cookie d: wants any value, got none',
    ],
    [
      'an address',
      { path: winner.path, conditions: { sources: ['10.0.0.0/8'] } },
      'client address: wants 10.0.0.0/8, got 192.0.2.1',
    ],
    [
      'age',
      { path: winner.path, conditions: winner.conditions, rank: rank('2025-02-03T04:05:06Z', 'a') },
      'Route n/w is older: declared 2024-01-01T00:00:00Z, this one 2025-02-03T04:05:06Z',
    ],
    [
      'its name',
      { path: winner.path, conditions: winner.conditions, rank: rank('2024-01-01', 'x') },
      'of equal age, Route n/w comes before Route n/r',
    ],
  ])('%s', (_, over, reason) => {
    const explanation = ask([winner, responding('r', over)], 'http://a.example/foo/bar?q=c+d', { headers });
    expect(explanation.route?.id).toBe('w');
    expect(reasons(explanation)).toEqual([['r', reason]]);
  });

  test('a kind of path', () => {
    const explanation = ask(
      [winner, responding('r', { path: { type: 'regex', value: '.*' } })],
      'http://a.example/foo',
      { headers },
    );
    expect(reasons(explanation)).toEqual([['w', 'a pattern goes before a prefix']]);
  });

  test('a long list is cut, keeping what is most like the request', () => {
    const many = Array.from({ length: 50 }, (_, index) =>
      responding(`r${index}`, { path: { type: 'exact', value: `/x${index}` } }),
    );
    const explanation = ask(
      [...many, responding('near', { path: { type: 'exact', value: '/foo/ba' } })],
      'http://a.example/foo/bar',
    );
    expect(explanation.rivals).toHaveLength(20);
    expect(explanation.rivals[0]?.id).toBe('near');
    expect(explanation.moreRivals).toBe(31);
    expect(explanation.answer).toMatchObject({
      code: 'SP_NO_ROUTE',
      reason: 'no route of the host takes this request',
    });
  });
});

describe('where it goes', () => {
  const forward: Forward = {
    backends: [
      { upstream: 'n/main:80', weight: 90, role: 'stable' },
      { upstream: 'n/canary:80', weight: 10, role: 'canary', fallback: 0 },
    ],
    overrides: [{ source: 'header', name: 'x-canary', type: 'exact', value: 'always', backend: 1 }],
    split: { by: 'random' },
    timeouts: { connectMs: 1, sendMs: 1, readMs: 1, requestMs: 0 },
    retry: { tries: 1, onError: true, onTimeout: true, onStatus: [], nonIdempotent: false, timeoutMs: 0 },
  };
  const route = sealEntry<TableRoute>('routes', {
    ...responding('r', {}),
    filters: [
      { name: 'requestHeaders', config: { remove: [], set: [], add: [] } },
      { name: 'rewriteHost', config: { host: 'inner' } },
    ],
    action: { kind: 'forward', forward },
  });
  const shares = ({ forward: sent }: Explanation) => sent?.backends.map(({ share }) => share);

  test('shares by weight, with endpoints', () => {
    const explanation = ask([route], 'a.example', {}, { 'n/main:80': 2, 'n/canary:80': 1 });
    expect(explanation.answer).toEqual({ kind: 'forward' });
    expect(shares(explanation)).toEqual([0.9, 0.1]);
    expect(explanation.forward?.backends[0]?.endpoints).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
    expect(explanation.filters.map(({ name }) => name)).toEqual(['requestHeaders', 'rewriteHost']);
  });

  test('an override decides', () => {
    const headers = [['X-Canary', 'always']] as const;
    const explanation = ask([route], 'a.example', { headers }, { 'n/main:80': 1, 'n/canary:80': 1 });
    expect(shares(explanation)).toEqual([0, 1]);
    expect(explanation.forward?.decision).toBe('header x-canary is "always"');
  });

  test('a fallback serves for a backend without endpoints', () => {
    expect(shares(ask([route], 'a.example', {}, { 'n/main:80': 1, 'n/canary:80': 0 }))).toEqual([1, 0]);
  });

  test('nobody is there', () => {
    const explanation = ask([route], 'a.example', {}, { 'n/main:80': 0 });
    expect(explanation.answer).toMatchObject({ kind: 'respond', code: 'SP_NO_ENDPOINTS' });
  });

  test('a route without backends leaves the answer to its filters', () => {
    const withFilter = (name: string, config: unknown) => ({
      ...responding('r', {}),
      filters: [{ name, config }],
    });
    const fixed = { kind: 'fixed', location: 'https://b.example/', statusCode: 302 };
    const redirected = ask([withFilter('redirect', fixed)], 'a.example');
    expect(redirected.answer.kind).toBe('filters');
    expect(explanationText(redirected)).toContain(
      'answer   302 Found to https://b.example/, by the filter redirect\n',
    );
    const passed = ask([withFilter('rewriteHost', { host: 'inner' })], 'a.example');
    expect(passed.answer.kind).toBe('filters');
    expect(explanationText(passed)).toContain('answer   by the filters of the route: it has no backends');
    expect(ask([responding('r', {})], 'a.example').answer).toMatchObject({
      kind: 'respond',
      code: 'SP_NO_ENDPOINTS',
    });
  });

  test('as text', () => {
    const other = responding('other', { path: { type: 'exact', value: '/x' }, rank: '2' });
    const explanation = ask([route, other], 'http://A.example/y?z', {}, { 'n/main:80': 2 });
    expect(explanationText(explanation)).toBe(
      [
        'request  GET http://a.example/y?z',
        'client   192.0.2.1',
        'host     a.example (routes name this host)',
        'answer   forwarded to an upstream',
        'route    Route n/r, spec.rules[0]',
        'id       r',
        'path     prefix /',
        'filters  requestHeaders, rewriteHost',
        'sends    GET inner/y?z',
        '',
        'UPSTREAM     PROTOCOL  ROLE    WEIGHT  SHARE  ENDPOINTS',
        'n/main:80    http1     stable  90      100 %  10.0.0.1:80 10.0.0.2:80',
        'n/canary:80            canary  10      0 %    none, n/main:80 serves instead',
        'chosen: at random, by weight',
        '',
        'OTHER ROUTE    HOST       PATH      WHY NOT',
        'Route n/other  a.example  exact /x  the path is not exactly /x',
        '',
      ].join('\n'),
    );
  });
});

describe('what clients have to show', () => {
  const held = (id: string, mode: ClientAuth['mode']) =>
    sealEntry<TableHost>('hosts', {
      id,
      clientAuth: { mode, verifyDepth: 1, passCertificate: false },
    });
  const challenges = { type: 'prefix', value: '/.well-known/acme-challenge' } as const;
  const routes = [
    responding('a', {}),
    responding('wild', { hosts: ['*.example'] }),
    responding('challenges', { hosts: ['*.example'], path: challenges }),
  ];
  const entries = [held('*.example', 'on'), held('c.example', 'closed')];
  const of = (host: string) =>
    explain(explainableTable(table(routes, {}, entries)), {
      method: 'GET',
      url: host,
      headers: [],
      clientAddress: '192.0.2.1',
    });

  test.each([
    ['a host with routes of its own is not held to its wildcard', 'a.example', undefined],
    ['other hosts of the wildcard are', 'b.example', 'on'],
    ['a host may be held to something without routes', 'c.example', 'closed'],
  ])('%s', (_, host, mode) => {
    expect(of(host).clientCertificates).toBe(mode);
  });

  test('as text, and as the answer where all are refused', () => {
    expect(explanationText(of('b.example'))).toContain('clients  have to show a certificate, over HTTPS\n');
    expect(explanationText(of('a.example'))).not.toContain('clients ');
    expect(of('https://c.example').answer).toMatchObject({ kind: 'respond', code: 'SP_CLIENT_AUTH_CLOSED' });
  });

  test.each([
    ['https://b.example/', 'SP_NO_ENDPOINTS'],
    ['http://b.example/', 'SP_TLS_REQUIRED'],
    ['http://d.example/.well-known/acme-challenge/x', 'SP_NO_ENDPOINTS'],
    ['http://c.example/', 'SP_TLS_REQUIRED'],
    ['http://nowhere/', 'SP_NO_ROUTE'],
    ['http://a.example/', 'SP_NO_ENDPOINTS'],
  ])('over plain HTTP or not: %s', (url, code) => {
    expect(of(url).answer).toMatchObject({ kind: 'respond', code });
  });
});

describe('a redirect to HTTPS', () => {
  const filters = [{ name: 'httpsRedirect', config: { statusCode: 308, cutTrailingSlash: true } }];
  const backends = [{ upstream: 'n/main:80', weight: 1, role: 'stable' }] as const;
  const forward: Forward = { backends, split: { by: 'random' }, overrides: [] };

  test.each([
    ['http://a.example/x', 'filters'],
    ['a.example/x', 'filters'],
    ['https://a.example/x', 'forward'],
    ['http://a.example/.well-known/acme-challenge/x', 'forward'],
  ])('%s', (url, kind) => {
    const route = sealEntry<TableRoute>('routes', {
      ...responding('r', {}),
      filters,
      action: { kind: 'forward', forward },
    });
    expect(ask([route], url, {}, { 'n/main:80': 1 }).answer.kind).toBe(kind);
  });
});

describe('filters are run as they would be', () => {
  const config: Cors = {
    allowOrigins: ['https://app.example'],
    allowMethods: 'GET',
    allowHeaders: '',
    allowCredentials: false,
    exposeHeaders: '',
    maxAgeSeconds: 5,
  };
  const route = { ...responding('r', {}), filters: [{ name: 'cors', config }] };
  const from = (method: string, origin: string) =>
    ask([route], 'a.example', { method, headers: [['Origin', origin]] });

  test('a preflight request is answered by CORS, and what it is told is shown', () => {
    const text = explanationText(from('OPTIONS', 'https://app.example'));
    expect(text).toContain('answer   204 No Content, by the filter cors\n');
    expect(text).toContain('adds     Access-Control-Allow-Origin: https://app.example\n');
    expect(text).not.toContain('chosen');
  });

  test('an origin that is not allowed is told nothing', () => {
    const { answer, responseFields } = from('OPTIONS', 'https://evil.example');
    expect(answer.kind).toBe('filters');
    expect(responseFields).toEqual([['Vary', 'Origin']]);
  });

  test('a filter that cannot be built or that fails explains nothing, and breaks nothing', () => {
    const broken = { ...route, filters: [{ name: 'requestHeaders', config: {} }] };
    expect(ask([broken], 'a.example')).toMatchObject({ responseFields: [], rewritten: undefined });
  });
});

describe('requests that are refused', () => {
  test.each([
    ['http://a b/', 'SP_BAD_HOST', '"a b" is not a host'],
    ['http:///x', 'SP_BAD_HOST', '"" is not a host'],
    ['http://a.example/%2f', 'SP_BAD_PATH', 'the path is refused: encoded slash'],
  ])('%s', (url, code, reason) => {
    expect(ask([responding('r', {})], url).answer).toEqual({ kind: 'respond', code, reason });
  });

  test('control characters do not reach the terminal', () => {
    const text = explanationText(ask([], 'http://a\x1b[31m/'));
    expect(text).not.toContain('\x1b');
    expect(text).toContain('400 Bad Request (SP_BAD_HOST)');
  });
});

test('explains what is done: the winner is the one that matches, the rivals are those that would', async () => {
  await fc.assert(
    fc.asyncProperty(anyRoutes, fc.array(anyPath, { minLength: 3, maxLength: 3 }), async (routes, paths) => {
      const plain = table(routes);
      const linker = new Linker({
        createUpstream: () => {
          throw new Error('there are no upstreams');
        },
        metricsRow: () => ({ record: () => undefined, retried: () => undefined }),
        filters: { find: () => undefined },
        swap: () => undefined,
        yield: () => Promise.resolve(),
        now: () => 0,
      });
      const rows = new Map(routes.map(({ id }, index) => [id, index]));
      await linker.link({ delta: wholeTable(plain), slots: new Map(), rows });
      for (const host of hosts) {
        for (const path of paths) {
          for (const variant of variants) {
            const { method, query, clientAddress, headers } = variant;
            const url = `http://${host}${path}${query}`;
            const fields = headers.names.map((name, index) => [name, headers.values[index] ?? ''] as const);
            const asked = { method, url, headers: fields, clientAddress };
            const request = { ...variant, host, path };
            const explanation = explain(explainableTable(plain), asked);
            expect(explanation.route?.id).toBe(linker.table.match(request)?.route.id);
            expect(explain(explainableLink(linker.table), asked).route?.id).toBe(explanation.route?.id);
            expect(ids(explanation, 'precedence')).toEqual(others(routes, explanation, request));
          }
        }
      }
    }),
    { numRuns: 25 },
  );
}, 20_000);

function ids({ rivals }: Explanation, lost: string): readonly string[] {
  return rivals
    .filter((rival) => rival.lost === lost)
    .map(({ id }) => id)
    .sort();
}

/** Routes of the chosen host that would serve the request if they stood alone, by the naive matcher. */
function others(
  routes: readonly TableRoute[],
  explanation: Explanation,
  request: Parameters<typeof naiveMatch>[1],
) {
  const { pattern } = explanation.host;
  return routes
    .filter(
      (route) => pattern !== undefined && route.hosts.includes(pattern) && route.id !== explanation.route?.id,
    )
    .filter((route) => naiveMatch([{ ...route, hosts: [request.host] }], request) !== undefined)
    .map(({ id }) => id)
    .sort();
}
