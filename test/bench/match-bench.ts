import { parseArgs } from 'node:util';

import type { LinkedUpstream, MatchRequest } from '../../src/proxy/linked-table.ts';
import { Linker, nextTurn } from '../../src/proxy/linker.ts';
import type { LinkOutcome } from '../../src/proxy/linker.ts';
import { createTable, emptyTable } from '../../src/table/create-table.ts';
import { tableDelta } from '../../src/table/diff-tables.ts';
import { sealEntry } from '../../src/table/entry-digest.ts';
import type { RouteTable, TableRoute, TableUpstream } from '../../src/table/route-table.ts';
import { HeaderList } from '../../src/util/header-list.ts';

// Time to find a route and to link, at 10 hosts and at 10,000. Run: node test/bench/match-bench.ts [--rounds N]

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);
const paths = ['/', '/api', '/api/v1/users', '/static', '/healthz'];

function hostName(index: number): string {
  return `shop-${String(index).padStart(5, '0')}.team-${index % 97}.example.com`;
}

function route(host: number, path: number, rank = '1'): TableRoute {
  const value = paths[path] ?? '/';
  return sealEntry<TableRoute>('routes', {
    id: `Ingress/n/shop-${host}/0.${path}`,
    hosts: [hostName(host)],
    path: { type: value === '/healthz' ? 'exact' : 'prefix', value },
    rank,
    filters: [],
    action: {
      kind: 'forward',
      forward: {
        backends: [{ upstream: `n/shop-${host}:80`, weight: 1, role: 'stable' }],
        overrides: [],
        split: { by: 'random' },
        timeouts: { connectMs: 5000, sendMs: 60_000, readMs: 60_000, requestMs: 0 },
        retry: { tries: 3, onError: true, onTimeout: true, onStatus: [], nonIdempotent: false, timeoutMs: 0 },
      },
    },
    origin: { kind: 'Ingress', namespace: 'n', name: `shop-${host}`, field: '', service: `shop-${host}` },
  });
}

function tableOf(hosts: number): RouteTable {
  const indexes = Array.from({ length: hosts }, (_, host) => host);
  const routes = indexes.flatMap((host) => paths.map((_, path) => route(host, path)));
  const upstreams = indexes.map((host) =>
    sealEntry<TableUpstream>('upstreams', {
      id: `n/shop-${host}:80`,
      protocol: 'http1',
      balance: 'round-robin',
    }),
  );
  return createTable(
    {
      routes: new Map(routes.map((entry) => [entry.id, entry])),
      upstreams: new Map(upstreams.map((entry) => [entry.id, entry])),
    },
    1,
  );
}

function requestsTo(hosts: number): readonly MatchRequest[] {
  const asked = ['/', '/api/v1/users/4711', '/static/app/main.js', '/healthz', '/about'];
  return Array.from({ length: 4096 }, (_, index) => ({
    method: 'GET',
    // Decoded anew for each request in the proxy, so no string here is the one in the table.
    host: Buffer.from(hostName((index * 7919) % hosts)).toString('latin1'),
    path: Buffer.from(asked[index % asked.length] ?? '/').toString('latin1'),
    query: '',
    headers: new HeaderList(),
    clientAddress: '192.0.2.1',
  }));
}

function newLinker(): Linker {
  const metrics = { record: () => undefined, retried: () => undefined };
  return new Linker({
    createUpstream: ({ id }): LinkedUpstream => ({
      id,
      endpointCount: 1,
      update: () => undefined,
      retire: () => undefined,
    }),
    metricsRow: () => metrics,
    filters: { find: () => undefined },
    swap: () => undefined,
    yield: nextTurn,
    now: () => performance.now(),
  });
}

async function link(linker: Linker, before: RouteTable, after: RouteTable): Promise<LinkOutcome> {
  const delta = tableDelta(before, after);
  return linker.link({
    delta,
    slots: new Map(),
    rows: new Map(delta.routes.set.map(({ id }, row) => [id, row])),
  });
}

function matchNs(linker: Linker, requests: readonly MatchRequest[]): number {
  let found = 0;
  const repeat = 200;
  const start = performance.now();
  for (let turn = 0; turn < repeat; turn++) {
    for (const request of requests) found += linker.table.match(request) === undefined ? 0 : 1;
  }
  const elapsed = performance.now() - start;
  if (found !== repeat * requests.length) throw new Error('every request has a route');
  return (elapsed * 1e6) / found;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function timing(outcome: LinkOutcome): string {
  if (outcome.kind !== 'live') throw new Error(outcome.kind);
  return `${outcome.linkMs.toFixed(2)} ms, longest slice ${outcome.stallMs.toFixed(2)} ms`;
}

const best = new Map<number, number>();
for (const hosts of [10, 10_000]) {
  const linker = newLinker();
  const table = tableOf(hosts);
  print(`${hosts} hosts, ${table.routes.size} routes`);
  print(`  link from nothing: ${timing(await link(linker, emptyTable, table))}`);
  let before = table;
  for (let round = 0; round < rounds; round++) {
    const changed = route(round % hosts, 0, String(round + 2));
    const routes = new Map(before.routes).set(changed.id, changed);
    const after = createTable({ routes, upstreams: table.upstreams }, before.generation + 1);
    print(`  link one change: ${timing(await link(linker, before, after))}`);
    before = after;
  }
  const requests = requestsTo(hosts);
  const times = Array.from({ length: rounds }, () => matchNs(linker, requests));
  best.set(hosts, Math.min(...times));
  print(`  match: ${times.map((ns) => ns.toFixed(0)).join(' ')} ns`);
}
print(`match, 10,000 hosts / 10 hosts: ${((best.get(10_000) ?? 0) / (best.get(10) ?? 1)).toFixed(2)}`);
