import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FilterSpec } from '../filters/filter.ts';
import { createTable, emptyTable } from '../table/create-table.ts';
import { tableDelta, wholeTable } from '../table/diff-tables.ts';
import { endpointKey } from '../table/endpoint-key.ts';
import { sealEntry } from '../table/entry-digest.ts';
import { defaultRetry, defaultTimeouts } from '../table/exchange-defaults.ts';
import type { EndpointSet, Forward, RouteTable, TableRoute, TableUpstream } from '../table/route-table.ts';
import type { TableDelta } from '../table/table-delta.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import { HeaderList } from '../util/header-list.ts';
import type { LinkedUpstream, MatchRequest } from './linked-table.ts';
import { LinkError, Linker } from './linker.ts';
import type { LinkInput, LinkOutcome } from './linker.ts';
import type { RoutingTable } from './routing-table.ts';

class FakeUpstream implements LinkedUpstream {
  readonly id: string;
  readonly digest: string;
  readonly calls: string[] = [];
  endpointCount = 0;
  retired = false;

  constructor({ id, digest }: TableUpstream) {
    this.id = id;
    this.digest = digest;
  }

  update(set: EndpointSet, slots: ReadonlyMap<string, number>): void {
    this.endpointCount = set.endpoints.length;
    this.calls.push(set.endpoints.map((endpoint) => slots.get(endpointKey(endpoint))).join());
  }

  retire(): void {
    this.retired = true;
  }
}

const echo: FilterSpec = { name: 'echo', doc: '', create: () => ({ onRequest: () => undefined }) };
const tail: FilterSpec = { name: 'tail', doc: '', create: () => ({ onResponse: () => undefined }) };
const broken: FilterSpec = {
  name: 'broken',
  doc: '',
  create: () => {
    throw new Error('no such key');
  },
};
const filters = new Map([echo, tail, broken].map((spec) => [spec.name, spec]));

function setUp(stepMs = 0) {
  const made: FakeUpstream[] = [];
  const swaps: RoutingTable[] = [];
  let clock = 0;
  let turns = 0;
  const rows = new Map<number, RouteMetrics>();
  const linker = new Linker({
    createUpstream: (entry) => {
      const upstream = new FakeUpstream(entry);
      made.push(upstream);
      return upstream;
    },
    metricsRow: (index) => {
      const row = rows.get(index) ?? { record: () => undefined, retried: () => undefined };
      rows.set(index, row);
      return row;
    },
    filters: { find: (name) => filters.get(name) },
    swap: (table) => swaps.push(table),
    yield: () => {
      turns++;
      return Promise.resolve();
    },
    now: () => (clock += stepMs),
  });
  return { linker, made, swaps, rows, turns: () => turns };
}

type Policy = Partial<Omit<TableUpstream, 'id' | 'digest'>>;

function upstream(id: string, policy: Policy = {}): TableUpstream {
  return sealEntry<TableUpstream>('upstreams', { id, protocol: 'http1', balance: 'round-robin', ...policy });
}

function endpoints(id: string, ...ports: number[]): EndpointSet {
  return sealEntry<EndpointSet>('endpoints', {
    id,
    endpoints: ports.map((port) => ({ address: '10.0.0.1', port, weight: 1 })),
  });
}

interface RouteShape {
  readonly id: string;
  readonly hosts?: readonly string[];
  readonly path?: TableRoute['path'];
  readonly to?: readonly string[];
  readonly filters?: TableRoute['filters'];
  readonly rank?: string;
  readonly timeouts?: Forward['timeouts'];
  readonly retry?: Forward['retry'];
}

function route({
  id,
  hosts = ['a.example'],
  path,
  to = ['s'],
  filters: chain = [],
  rank = id,
  timeouts,
  retry,
}: RouteShape): TableRoute {
  return sealEntry<TableRoute>('routes', {
    id,
    hosts,
    path: path ?? { type: 'prefix', value: '/' },
    rank,
    filters: chain,
    action: {
      kind: 'forward',
      forward: {
        backends: to.map((name) => ({ upstream: name, weight: 1, role: 'stable' as const })),
        overrides: [],
        split: { by: 'random' },
        ...(timeouts === undefined ? {} : { timeouts }),
        ...(retry === undefined ? {} : { retry }),
      },
    },
    origin: { kind: 'Route', namespace: 'n', name: id, field: '', service: '' },
  });
}

function table(
  generation: number,
  routes: readonly TableRoute[],
  upstreams: readonly TableUpstream[] = [upstream('s')],
  sets: readonly EndpointSet[] = upstreams.map(({ id }) => endpoints(id, 80)),
): RouteTable {
  const byId = <T extends { readonly id: string }>(entries: readonly T[]) =>
    new Map(entries.map((e) => [e.id, e]));
  return createTable({ routes: byId(routes), upstreams: byId(upstreams), endpoints: byId(sets) }, generation);
}

function input(delta: TableDelta, firstRow = 0): LinkInput {
  const slots = delta.endpoints.set.flatMap((set) =>
    set.endpoints.map((e) => [endpointKey(e), e.port] as const),
  );
  return {
    delta,
    slots: new Map(slots),
    rows: new Map(delta.routes.set.map(({ id }, i) => [id, firstRow + 4 * i])),
  };
}

function request(path: string, host = 'a.example'): MatchRequest {
  return { method: 'GET', host, path, query: '', headers: new HeaderList(), clientAddress: '192.0.2.1' };
}

function live(outcome: LinkOutcome): RoutingTable {
  if (outcome.kind !== 'live') throw new Error(`expected live, got ${outcome.kind}`);
  return outcome.table;
}

describe('link', () => {
  test('a whole table, then a delta', async () => {
    const { linker, made, swaps } = setUp();
    const first = table(1, [route({ id: 'r' })]);
    const linked = live(await linker.link(input(wholeTable(first))));
    expect(swaps).toEqual([linked]);
    expect([linked.generation, linked.digest]).toEqual([1, first.digest]);
    expect(linked.match(request('/x'))?.route.id).toBe('r');
    expect(made.map(({ calls }) => calls)).toEqual([['80']]);

    const second = table(2, [route({ id: 'r' }), route({ id: 'q', path: { type: 'exact', value: '/x' } })]);
    const next = live(await linker.link(input(tableDelta(first, second), 100)));
    expect(next.match(request('/x'))?.route.id).toBe('q');
    expect(linked.match(request('/x'))?.route.id).toBe('r');
    expect(next.routes.get('r')).toBe(linked.routes.get('r'));
    expect(next.upstreams.get('s')).toBe(linked.upstreams.get('s'));
    expect(made).toHaveLength(1);
  });

  test('endpoint changes reach the upstream at the swap, and nothing else is made', async () => {
    const { linker, made } = setUp();
    const first = table(1, [route({ id: 'r' })]);
    await linker.link(input(wholeTable(first)));
    const second = table(2, [route({ id: 'r' })], [upstream('s')], [endpoints('s', 80, 81)]);
    await linker.link(input(tableDelta(first, second)));
    expect(made.map(({ calls }) => calls)).toEqual([['80', '80,81']]);
    expect(made[0]?.endpointCount).toBe(2);
  });

  test('a changed upstream is replaced, takes its endpoints over, and its routes follow with their filters', async () => {
    const { linker, made } = setUp();
    const r = route({ id: 'r', filters: [{ name: 'echo', config: {} }] });
    const first = table(1, [r]);
    const before = live(await linker.link(input(wholeTable(first))));
    const second = table(2, [r], [upstream('s', { balance: 'least-request' })]);
    const after = live(await linker.link(input(tableDelta(first, second))));
    expect(made.map(({ retired, calls }) => [retired, calls])).toEqual([
      [true, ['80']],
      [false, ['80']],
    ]);
    const link = after.match(request('/'));
    expect(link?.backends[0]?.upstream).toBe(made[1]);
    expect(link?.requestFilters?.[0]).toBe(before.routes.get('r')?.requestFilters?.[0]);
    expect(before.routes.get('r')?.backends[0]?.upstream).toBe(made[0]);
  });

  test('removed entries go: routes match no more, upstreams retire', async () => {
    const { linker, made } = setUp();
    const first = table(
      1,
      [route({ id: 'r' }), route({ id: 'q', to: ['t'], hosts: ['*.example', ''] })],
      [upstream('s'), upstream('t')],
    );
    await linker.link(input(wholeTable(first)));
    const second = table(2, [route({ id: 'r' })]);
    const after = live(await linker.link(input(tableDelta(first, second))));
    expect(after.match(request('/', 'b.example'))).toBeUndefined();
    expect([...after.upstreams.keys()]).toEqual(['s']);
    expect(made.map(({ id, retired }) => [id, retired])).toEqual([
      ['s', false],
      ['t', true],
    ]);
  });

  test('a whole table on top of another keeps what has the same digest and drops the rest', async () => {
    const { linker, made } = setUp();
    const first = table(7, [route({ id: 'r' }), route({ id: 'gone' })]);
    const before = live(await linker.link(input(wholeTable(first))));
    const second = table(9, [route({ id: 'r' }), route({ id: 'new', hosts: ['b.example'] })]);
    const after = live(await linker.link(input(wholeTable(second))));
    expect([...after.routes.keys()].sort()).toEqual(['new', 'r']);
    expect(after.routes.get('r')).toBe(before.routes.get('r'));
    expect(made).toHaveLength(1);
    expect(after.digest).toBe(second.digest);
  });

  test('metric rows: one a backend, the first also for the route; moved rows are followed', async () => {
    const { linker, rows } = setUp();
    const first = table(1, [route({ id: 'r', to: ['s', 't'] })], [upstream('s'), upstream('t')]);
    const before = live(await linker.link(input(wholeTable(first), 5)));
    const link = before.routes.get('r');
    expect(link?.metrics).toBe(rows.get(5));
    expect(link?.backends.map(({ metrics }) => metrics)).toEqual([rows.get(5), rows.get(6)]);
    const again = { ...first, generation: 2 };
    const after = live(await linker.link(input(wholeTable(again), 50)));
    expect(after.routes.get('r')?.backends[1]?.metrics).toBe(rows.get(51));
    expect(after.match(request('/'))?.metrics).toBe(rows.get(50));
  });

  test('filters: request half in order, response half in reverse, undefined when there are none', async () => {
    const { linker } = setUp();
    const chain = ['echo', 'tail', 'tail', 'echo'].map((name) => ({ name, config: {} }));
    const linked = live(
      await linker.link(
        input(wholeTable(table(1, [route({ id: 'r', filters: chain }), route({ id: 'q' })]))),
      ),
    );
    const r = linked.routes.get('r');
    expect(r?.requestFilters).toHaveLength(2);
    expect(r?.responseFilters).toHaveLength(2);
    expect([linked.routes.get('q')?.requestFilters, linked.routes.get('q')?.responseFilters]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test.each([
    ['broken', 'filter "broken": no such key'],
    ['unheard-of', 'filter "unheard-of" is not known here'],
  ])('a route whose filter %s cannot be built answers 503 and keeps its place', async (name, message) => {
    const { linker } = setUp();
    const routes = [
      route({ id: 'r', path: { type: 'prefix', value: '/secret' }, filters: [{ name, config: {} }] }),
      route({ id: 'q' }),
    ];
    const outcome = await linker.link(input(wholeTable(table(1, routes))));
    expect(outcome).toMatchObject({ kind: 'live', closed: [{ id: 'r', message }] });
    const link = live(outcome).match(request('/secret/x'));
    expect(link?.route).toMatchObject({
      id: 'r',
      action: { kind: 'respond', code: 'SP_ROUTE_INVALID' },
      filters: [],
    });
    expect([link?.backends, link?.requestFilters]).toEqual([[], undefined]);
    expect(live(outcome).match(request('/'))?.backends).toHaveLength(1);
  });
});

describe('timeouts and retries of a backend', () => {
  test("are the route's, then its upstream's, then the defaults, for each backend by itself", async () => {
    const { linker } = setUp();
    const shape = { to: ['s', 't'], timeouts: { readMs: 1 }, retry: { tries: 1 } };
    const upstreams = [
      upstream('s', { timeouts: { readMs: 2, sendMs: 2 }, retry: { tries: 2, onStatus: [502] } }),
      upstream('t', { timeouts: { sendMs: 3 } }),
    ];
    const linked = live(
      await linker.link(input(wholeTable(table(1, [route({ id: 'r', ...shape })], upstreams)))),
    );
    const backends = linked.routes.get('r')?.backends ?? [];
    expect(backends.map(({ timeouts }) => timeouts)).toEqual([
      { ...defaultTimeouts, readMs: 1, sendMs: 2 },
      { ...defaultTimeouts, readMs: 1, sendMs: 3 },
    ]);
    expect(backends.map(({ retry }) => retry)).toEqual([
      { ...defaultRetry, tries: 1, onStatus: [502] },
      { ...defaultRetry, tries: 1 },
    ]);
  });

  test('are one object for all that set nothing', async () => {
    const { linker } = setUp();
    const linked = live(await linker.link(input(wholeTable(table(1, [route({ id: 'r' })])))));
    const [backend] = linked.routes.get('r')?.backends ?? [];
    expect(backend?.timeouts).toBe(defaultTimeouts);
    expect(backend?.retry).toBe(defaultRetry);
  });

  test('change with the policy, while the route stays as it is', async () => {
    const { linker } = setUp();
    const routes = [route({ id: 'r' })];
    const tables = [
      table(1, routes),
      table(2, routes, [upstream('s', { timeouts: { readMs: 2 } })]),
      table(3, routes),
    ];
    let before = emptyTable;
    const seen: (number | undefined)[] = [];
    for (const next of tables) {
      const linked = live(await linker.link(input(tableDelta(before, next))));
      seen.push(linked.match(request('/'))?.backends[0]?.timeouts.readMs);
      before = next;
    }
    expect(seen).toEqual([defaultTimeouts.readMs, 2, defaultTimeouts.readMs]);
  });
});

describe('what is not linked', () => {
  async function started() {
    const context = setUp();
    const first = table(5, [route({ id: 'r' })]);
    const before = live(await context.linker.link(input(wholeTable(first))));
    const untouched = () => {
      expect(context.linker.table).toBe(before);
      expect(context.swaps).toEqual([before]);
      expect(context.made[0]).toMatchObject({ retired: false, calls: ['80'] });
    };
    return { ...context, first, untouched };
  }

  test('a delta for another base asks for the whole table', async () => {
    const { linker, first, untouched } = await started();
    const delta = { ...tableDelta(first, table(7, [])), base: 6 };
    expect(await linker.link(input(delta))).toEqual({ kind: 'resync', have: 5, reason: 'base' });
    untouched();
  });

  test('a result that the sender does not have asks for the whole table', async () => {
    const { linker, first, made, untouched } = await started();
    const delta = { ...tableDelta(first, table(6, [], [upstream('t')])), digest: '00000000deadbeef' };
    expect(await linker.link(input(delta))).toEqual({ kind: 'resync', have: 5, reason: 'digest' });
    untouched();
    expect(made[1]?.retired).toBe(true);
  });

  test('an older generation is dropped', async () => {
    const { linker, untouched } = await started();
    expect(await linker.link(input(wholeTable(table(4, []))))).toEqual({ kind: 'stale', have: 5 });
    expect(await linker.link(input({ ...wholeTable(table(4, [])), base: 3 }))).toEqual({
      kind: 'stale',
      have: 5,
    });
    expect(await linker.link(input(wholeTable(table(5, [route({ id: 'r' })]))))).toEqual({
      kind: 'stale',
      have: 5,
    });
    untouched();
  });

  test.each<[string, TableRoute, string]>([
    ['an unknown upstream', route({ id: 'x', to: ['nowhere'] }), 'upstream "nowhere" is not in the table'],
    ['a bad path pattern', route({ id: 'x', path: { type: 'regex', value: '(' } }), 'path pattern "("'],
    [
      'a bad source',
      sealEntry<TableRoute>('routes', { ...route({ id: 'x' }), conditions: { sources: ['10.0.0.0/33'] } }),
      'source "10.0.0.0/33" is not an address or CIDR',
    ],
  ])('%s fails the link and leaves everything as it was', async (_, bad, message) => {
    const { linker, first, made, untouched } = await started();
    const upstreams = [upstream('s'), upstream('new')];
    const next = table(6, [route({ id: 'r' }), bad], upstreams, [
      endpoints('s', 80, 81),
      endpoints('new', 80),
    ]);
    const failure = await linker.link(input(tableDelta(first, next))).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LinkError);
    expect((failure as LinkError).message).toContain(`linking generation 6: route "x": ${message}`);
    untouched();
    expect(made[1]?.retired).toBe(true);
    const good = table(6, [route({ id: 'r' })], upstreams);
    expect((await linker.link(input(tableDelta(first, good)))).kind).toBe('live');
  });

  test('an upstream that is removed under a route fails the link', async () => {
    const { linker, first, untouched } = await started();
    const next = table(6, [route({ id: 'r' })], []);
    await expect(linker.link(input(tableDelta(first, next)))).rejects.toThrow(
      'upstream "s" is not in the table',
    );
    untouched();
  });

  test('a route without a metric row fails the link', async () => {
    const { linker, first, untouched } = await started();
    const delta = tableDelta(first, table(6, [route({ id: 'r' }), route({ id: 'q' })]));
    await expect(linker.link({ ...input(delta), rows: new Map() })).rejects.toThrow(
      'route "q" has no metric row',
    );
    untouched();
  });
});

describe('slices', () => {
  test('lets the event loop run between slices and reports the longest', async () => {
    // Each look at the clock advances it by 0.5 ms, so a slice ends after three of them.
    const { linker, turns } = setUp(0.5);
    const routes = Array.from({ length: 40 }, (_, index) => route({ id: `r${index}` }));
    const outcome = await linker.link(input(wholeTable(table(1, routes))));
    expect(turns()).toBeGreaterThan(10);
    expect(outcome).toMatchObject({ kind: 'live', stallMs: 2 });
  });

  test('deltas that arrive during a link wait for it', async () => {
    const { linker } = setUp(1);
    const tables = [
      emptyTable,
      ...[1, 2, 3].map((generation) => table(generation, [route({ id: `r${generation}` })])),
    ];
    const deltas = tables.slice(1).map((after, index) => tableDelta(tables[index] ?? emptyTable, after));
    const outcomes = await Promise.all(deltas.map((delta) => linker.link(input(delta))));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['live', 'live', 'live']);
    expect([...linker.table.routes.keys()]).toEqual(['r3']);
  });
});

test('linking deltas one after the other gives what linking the result from nothing gives', async () => {
  const path = fc.constantFrom('/', '/a', '/a/b', '/a/b/c', '/ab', '/abc', '/b');
  const shape = fc.record({
    id: fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6'),
    hosts: fc.uniqueArray(fc.constantFrom('a.example', 'b.example', '*.example', ''), {
      minLength: 1,
      maxLength: 3,
    }),
    path: fc.record({ type: fc.constantFrom('exact', 'prefix', 'regex'), value: path }),
    to: fc.uniqueArray(fc.constantFrom('s', 't', 'u'), { minLength: 1, maxLength: 2 }),
    rank: fc.constantFrom('1', '2', '3'),
    timeouts: fc.constantFrom<Forward['timeouts'][]>(undefined, { readMs: 7 }, { connectMs: 7 }),
    retry: fc.constantFrom<Forward['retry'][]>(undefined, { tries: 7 }),
  });
  const policy = fc.constantFrom<Policy[]>(
    {},
    { balance: 'least-request' },
    { timeouts: { readMs: 9, sendMs: 9 } },
    { retry: { tries: 9, onStatus: [503] } },
    { connections: { maxRequests: 9 } },
  );
  const state = fc.record({
    routes: fc.uniqueArray(shape, { selector: ({ id }) => id, maxLength: 6 }),
    policies: fc.tuple(policy, policy, policy),
    ports: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(state, { minLength: 2, maxLength: 8 }), async (states) => {
      const names = ['s', 't', 'u'];
      const tables = states.map(({ routes, policies, ports }, index) =>
        table(
          index + 1,
          routes.map((r) => route(r)),
          names.map((id, n) => upstream(id, policies[n])),
          names.map((id, n) =>
            endpoints(id, ...Array.from({ length: ports[n] ?? 0 }, (_, port) => port + 1)),
          ),
        ),
      );
      const steps = setUp();
      let previous = emptyTable;
      for (const next of tables) {
        live(await steps.linker.link(input(tableDelta(previous, next))));
        previous = next;
      }
      const fresh = setUp();
      const expected = live(await fresh.linker.link(input(wholeTable(previous))));
      const actual = steps.linker.table;
      expect(view(actual)).toEqual(view(expected));
      expect(steps.made.filter(({ retired }) => !retired)).toHaveLength(names.length);
    }),
    { numRuns: 300 },
  );
}, 20_000);

/** Everything that can be seen of a table from outside. */
function view(linked: RoutingTable) {
  const paths = ['/', '/a', '/a/', '/a/b', '/a/b/c', '/a/b/c/d', '/ab', '/abc', '/b', '/x'];
  const hosts = ['a.example', 'b.example', 'c.example', 'x.a.example', 'other'];
  return {
    digest: linked.digest,
    routes: [...linked.routes.keys()].sort(),
    upstreams: [...linked.upstreams.values()]
      .map((u) => `${u.id} ${(u as FakeUpstream).digest} ${u.endpointCount}`)
      .sort(),
    matches: hosts.flatMap((host) =>
      paths.map((path) => {
        const link = linked.match(request(path, host));
        return [
          host,
          path,
          link?.route.id,
          link?.backends.map(({ upstream: u, timeouts, retry }) => [
            linked.upstreams.get(u.id) === u,
            timeouts,
            retry,
          ]),
        ];
      }),
    ),
  };
}
