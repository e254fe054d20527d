import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createTable, emptyTable } from '../table/create-table.ts';
import { tableDelta, wholeTable } from '../table/diff-tables.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { ClientAuth, RouteTable, TableAuthority, TableHost, TableRoute } from '../table/route-table.ts';
import { Linker } from './linker.ts';
import type { RoutingTable } from './routing-table.ts';

interface Asking extends Partial<Omit<ClientAuth, 'authority'>> {
  /** PEM of the authority `team/ca`; undefined: it is missing. */
  readonly ca?: string | undefined;
}

/** Hosts with what they ask for (undefined: an entry that asks for nothing), and hosts that have routes. */
interface Site {
  readonly hosts: Readonly<Record<string, Asking | undefined>>;
  readonly routes?: readonly string[];
}

function tableOf({ hosts, routes = [] }: Site, generation: number): RouteTable {
  const authorities = new Map<string, TableAuthority>();
  const entries = Object.entries(hosts).map(([id, asking]) => {
    if (asking === undefined) return sealEntry<TableHost>('hosts', { id });
    const { ca, ...auth } = asking;
    const authority = sealEntry<TableAuthority>('authorities', { id: `team/${ca}`, ca: ca ?? '' });
    if (ca !== undefined) authorities.set(authority.id, authority);
    const ref = { id: authority.id, digest: authority.digest };
    const clientAuth = {
      mode: 'on',
      verifyDepth: 1,
      passCertificate: false,
      authority: ref,
      ...auth,
    } as const;
    return sealEntry<TableHost>('hosts', { id, clientAuth });
  });
  const table = {
    hosts: new Map(entries.map((entry) => [entry.id, entry])),
    authorities,
    routes: new Map(routes.map((host) => [host, routeFor(host)])),
  };
  return createTable(table, generation);
}

function routeFor(host: string): TableRoute {
  return sealEntry<TableRoute>('routes', {
    id: host,
    hosts: [host],
    path: { type: 'prefix', value: '/' },
    rank: '',
    filters: [],
    action: { kind: 'respond', code: 'SP_NO_ROUTE' },
    origin: { kind: '', namespace: '', name: '', field: '', service: '' },
  });
}

/** Links one table after the other, each as what differs from the one before. */
async function link(...sites: readonly Site[]): Promise<readonly RoutingTable[]> {
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
  const linked: RoutingTable[] = [];
  let before = emptyTable;
  for (const [index, site] of sites.entries()) {
    const table = tableOf(site, index + 1);
    const delta = index === 0 ? wholeTable(table) : tableDelta(before, table);
    const rows = new Map([...table.routes.keys()].map((id) => [id, 0]));
    const outcome = await linker.link({ delta, slots: new Map(), rows });
    expect(outcome.kind).toBe('live');
    linked.push(linker.table);
    before = table;
  }
  return linked;
}

describe('what clients of a name have to show', () => {
  test.each([
    ['a.example', 'a'],
    ['b.example', 'wild'],
    ['x.b.example', 'any'],
    ['', 'any'],
    // Routes of its own, and nothing that it asks for.
    ['open.example', undefined],
    ['plain.open.example', 'any'],
  ])('%j', async (name, expected) => {
    const hosts = { 'a.example': { ca: 'a' }, '*.example': { ca: 'wild' }, '': { ca: 'any' } };
    const routes = ['a.example', '*.example', '', 'open.example'];
    const [table] = await link({ hosts: { ...hosts, 'open.example': undefined }, routes });
    expect(table?.clientAuthFor(name)?.authority?.ca).toBe(expected);
  });

  test('is what a pattern without routes asks for too, rather than less', async () => {
    const [table] = await link({ hosts: { 'a.example': { ca: 'a' } }, routes: [''] });
    expect(table?.clientAuthFor('a.example')?.mode).toBe('on');
    expect(table?.clientAuthFor('b.example')).toBeUndefined();
  });

  test('is closed while the authority is missing', async () => {
    const [table] = await link({ hosts: { 'a.example': { ca: undefined } } });
    expect(table?.clientAuthFor('a.example')).toMatchObject({ mode: 'closed', authority: undefined });
  });
});

describe('from table to table', () => {
  test('what stays keeps its identity, and so does the whole where nothing changes', async () => {
    const hosts = { 'a.example': { ca: 'a' }, 'b.example': { ca: 'a', verifyDepth: 2 } };
    const [first, same, changed, back] = await link(
      { hosts },
      { hosts: { ...hosts, 'c.example': undefined }, routes: ['c.example'] },
      { hosts: { ...hosts, 'b.example': { ca: 'b' } } },
      { hosts: { 'a.example': { ca: 'a' } } },
    );
    expect(same?.clientAuths).toBe(first?.clientAuths);
    expect(changed?.clientAuths).not.toBe(first?.clientAuths);
    expect(changed?.clientAuthFor('a.example')).toBe(first?.clientAuthFor('a.example'));
    expect(back?.clientAuthFor('a.example')?.authority).toBe(first?.clientAuthFor('a.example')?.authority);
    expect(back?.clientAuthFor('b.example')).toBeUndefined();
    expect(back?.clientAuths.size).toBe(1);
  });

  const name = fc.constantFrom('a.example', 'b.example', '*.example', '');
  const asking = fc.option(
    fc.record({
      ca: fc.constantFrom('a', 'b', undefined),
      verifyDepth: fc.constantFrom(1, 2),
      mode: fc.constantFrom('on', 'optional', 'closed'),
    }),
    { nil: undefined },
  );
  const site = fc.record({
    hosts: fc.dictionary(name, asking, { maxKeys: 4 }),
    routes: fc.uniqueArray(name, { maxLength: 4 }),
  });

  test('steps lead to the same as a beginning from nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(site, { minLength: 1, maxLength: 6 }), async (sites) => {
        const stepped = (await link(...sites)).at(-1);
        const [anew] = await link(sites.at(-1) ?? { hosts: {} });
        for (const host of ['a.example', 'b.example', 'c.example', 'x.y.example', ''])
          expect(stepped?.clientAuthFor(host)).toEqual(anew?.clientAuthFor(host));
        expect(stepped?.clientAuths.size).toBe(anew?.clientAuths.size);
      }),
      { numRuns: 100 },
    );
  });
});
