import { createHash } from 'node:crypto';

import { EndpointBoard } from '../../src/balance/endpoint-board.ts';
import type { FilterRegistry } from '../../src/filters/filter-registry.ts';
import { DataPlane } from '../../src/proxy/data-plane.ts';
import type { TlsSettings } from '../../src/proxy/tls/tls-settings.ts';
import type { ProxySettings } from '../../src/proxy/proxy-settings.ts';
import { createTable } from '../../src/table/create-table.ts';
import { wholeTable } from '../../src/table/diff-tables.ts';
import { endpointKey } from '../../src/table/endpoint-key.ts';
import { sealEntry } from '../../src/table/entry-digest.ts';
import type {
  ClientAuth,
  Conditions,
  EndpointSet,
  FilterConfig,
  TableAuthority,
  TableCertificate,
  TableHost,
  Retry,
  RouteTable,
  TableRoute,
  TableUpstream,
  Timeouts,
  UpstreamTls,
} from '../../src/table/route-table.ts';
import type { AccessLog } from '../../src/telemetry/access-log.ts';
import { MetricRows } from '../../src/telemetry/metric-rows.ts';
import { testPair } from './certificates.ts';
import type { TestPair } from './certificates.ts';
import { CounterReader, WorkerCounters, createCounterMemory } from '../../src/telemetry/worker-counters.ts';

/** A route of a test: everything but `upstream` has a default. */
export interface TestRoute {
  /** '' (the default) is every host. */
  readonly host?: string;
  /** `/` as a prefix unless given; `=/x` is exact. */
  readonly path?: string;
  /** Ports on 127.0.0.1, or addresses. Empty: an upstream without endpoints. */
  readonly upstream: readonly (number | string)[];
  readonly conditions?: Conditions;
  readonly filters?: readonly FilterConfig[];
  readonly timeouts?: Partial<Timeouts>;
  readonly retry?: Partial<Retry>;
  /** TLS to the endpoints: whom the upstream believes, and what it shows; its other settings stand in `policy`. */
  readonly trust?: UpstreamTrust;
  /** Of the upstream. */
  readonly policy?: Partial<Omit<TableUpstream, 'id' | 'digest'>>;
}

export interface UpstreamTrust {
  readonly ca?: string;
  readonly crl?: string;
  readonly pair?: TestPair;
  /** The entries are left out of the table, although the upstream refers to them. */
  readonly missing?: true;
}

export const testSettings: ProxySettings = {
  requestLimits: { maxRequestLineBytes: 8 * 1024, maxHeadBytes: 32 * 1024, maxFields: 100 },
  responseLimits: { maxRequestLineBytes: 8 * 1024, maxHeadBytes: 16 * 1024, maxFields: 100 },
  trailerLimits: { maxBytes: 8 * 1024, maxFields: 32 },
  maxRequestBodyBytes: 0,
  clientHeaderTimeoutMs: 10_000,
  clientKeepAliveMs: 75_000,
  clientKeepAliveRequests: 1000,
  minBodyBytesPerSecond: 500,
  clientWriteTimeoutMs: 60_000,
  tunnelIdleMs: 0,
  proxyProtocol: false,
  trustedProxies: [],
  appendForwardedFor: false,
  allowUnderscores: false,
  passServerHeader: false,
  allowEncodedSlashes: false,
  upstream: {
    maxIdle: 320,
    idleTimeoutMs: 60_000,
    maxLifetimeMs: 3_600_000,
    maxRequestsPerConnection: 10_000,
  },
  accessLog: false,
  http2: { offered: true, plain: false, maxConcurrentStreams: 100 },
  hsts: '',
};

/** Host patterns, '' for every name, and what they are served with. */
export type TestCertificates = Readonly<Record<string, TestPair & { readonly clients?: TestClients }>>;

/** What a host asks of clients: `on` and depth 1 unless it says otherwise. */
export interface TestClients extends Partial<Omit<ClientAuth, 'authority'>> {
  readonly ca: string;
  readonly crl?: string;
}

export const testTls: Omit<TlsSettings, 'fallback'> = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256',
  ecdhCurve: 'auto',
  handshakeTimeoutMs: 10_000,
  ticketLifetimeSeconds: 600,
  ticketSecrets: [Buffer.alloc(32, 1)],
};

/** A running data plane on a free loopback port, in this thread. */
export interface TestProxy {
  readonly port: number;
  /** 0 without `tls`. */
  readonly tlsPort: number;
  readonly plane: DataPlane;
  readonly counters: CounterReader;
  readonly warnings: string[];
  publish(routes: readonly TestRoute[], certificates?: TestCertificates): Promise<void>;
  stop(): Promise<void>;
}

export interface TestProxyOptions {
  readonly settings?: Partial<ProxySettings>;
  readonly accessLog?: AccessLog;
  /** Monotonic milliseconds; a test that turns it forward makes deadlines pass at the next sweep. */
  readonly clock?: () => number;
  /** Shared with other proxies, as workers do: the memory, and this one's number. */
  readonly board?: EndpointBoard;
  readonly tls?: Partial<TlsSettings>;
  readonly certificates?: TestCertificates;
  /** Instead of the product's own. */
  readonly filters?: FilterRegistry;
}

export async function startProxy(
  routes: readonly TestRoute[],
  options: TestProxyOptions = {},
): Promise<TestProxy> {
  const memory = createCounterMemory();
  const warnings: string[] = [];
  const plane = new DataPlane({
    settings: { ...testSettings, ...options.settings },
    board: options.board ?? new EndpointBoard(EndpointBoard.allocate(64)),
    counters: new WorkerCounters(memory),
    rows: new MetricRows(),
    accessLog: options.accessLog,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.filters === undefined ? {} : { filters: options.filters }),
    ...(options.tls === undefined ? {} : { tls: { ...testTls, fallback: fallbackPair(), ...options.tls } }),
    warn: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields)}`),
  });
  let generation = 0;
  const publish: TestProxy['publish'] = async (next, certificates = {}) => {
    const table = testTable(next, ++generation, certificates);
    const delta = wholeTable(table);
    const outcome = await plane.publish({ delta, slots: testSlots(table), rows: testRows(table) });
    if (outcome.kind !== 'live') throw new Error(`publishing the test table: ${JSON.stringify(outcome)}`);
  };
  await publish(routes, options.certificates);
  const port = await plane.listen({ port: 0, host: '127.0.0.1' });
  const tlsPort = options.tls === undefined ? 0 : await plane.listen({ port: 0, host: '127.0.0.1' }, 'https');
  return {
    port,
    tlsPort,
    plane,
    counters: new CounterReader(memory),
    warnings,
    publish,
    stop: () => plane.stop(),
  };
}

/** The table of these routes; each gets an upstream of its own. */
export function testTable(
  routes: readonly TestRoute[],
  generation: number,
  certificates: TestCertificates = {},
): RouteTable {
  const upstreams = routes.map(({ policy, trust }, index) =>
    sealEntry<TableUpstream>('upstreams', {
      id: `test/upstream-${index}:80`,
      protocol: 'http1',
      balance: 'round-robin',
      ...policy,
      ...(policy?.tls === undefined ? {} : { tls: { ...policy.tls, ...trustRefs(trust) } }),
    }),
  );
  const edge = tlsParts(certificates);
  const trusted = routes.filter(({ trust }) => trust?.missing !== true);
  const endpoints = routes.map((route, index) =>
    sealEntry<EndpointSet>('endpoints', {
      id: `test/upstream-${index}:80`,
      endpoints: route.upstream.map(testEndpoint),
    }),
  );
  return createTable(
    {
      routes: byId(routes.map(testRoute)),
      upstreams: byId(upstreams),
      endpoints: byId(endpoints),
      hosts: edge.hosts,
      authorities: byId([
        ...edge.authorities.values(),
        ...trusted.flatMap((route) => trustedCa(route.trust)),
      ]),
      certificates: byId([
        ...edge.certificates.values(),
        ...trusted.flatMap((route) => shownPair(route.trust)),
      ]),
    },
    generation,
  );
}

function tlsParts(certificates: TestCertificates) {
  const entries = Object.entries(certificates);
  return {
    hosts: byId(
      entries.map(([id, { clients }]) =>
        sealEntry<TableHost>('hosts', {
          id,
          certificate: `test/${id || 'default'}`,
          ...(clients === undefined ? {} : { clientAuth: testClientAuth(clients) }),
        }),
      ),
    ),
    authorities: byId(
      entries.flatMap(([, { clients }]) => (clients === undefined ? [] : [authority(clients)])),
    ),
    certificates: byId(
      entries.map(([id, { certificate, key }]) =>
        sealEntry<TableCertificate>('certificates', { id: `test/${id || 'default'}`, certificate, key }),
      ),
    ),
  };
}

function testClientAuth(clients: TestClients): ClientAuth {
  const { ca: _ca, crl: _crl, ...auth } = clients;
  const { id, digest } = authority(clients);
  return { mode: 'on', verifyDepth: 1, passCertificate: false, authority: { id, digest }, ...auth };
}

/** Named by its content, as hosts may share it. */
function authority({ ca, crl }: TestClients): TableAuthority {
  const id = `test/ca-${createHash('sha256').update(ca).digest('hex').slice(0, 8)}`;
  return sealEntry<TableAuthority>('authorities', { id, ca, ...(crl === undefined ? {} : { crl }) });
}

function trustedCa({ ca, crl }: UpstreamTrust = {}): TableAuthority[] {
  return ca === undefined ? [] : [authority({ ca, ...(crl === undefined ? {} : { crl }) })];
}

function shownPair({ pair }: UpstreamTrust = {}): TableCertificate[] {
  if (pair === undefined) return [];
  const id = `test/pair-${createHash('sha256').update(pair.certificate).digest('hex').slice(0, 8)}`;
  return [sealEntry<TableCertificate>('certificates', { id, certificate: pair.certificate, key: pair.key })];
}

function trustRefs(trust: UpstreamTrust | undefined): Pick<UpstreamTls, 'authority' | 'certificate'> {
  const [ca] = trustedCa(trust);
  const [pair] = shownPair(trust);
  return {
    ...(ca === undefined ? {} : { authority: { id: ca.id, digest: ca.digest } }),
    ...(pair === undefined ? {} : { certificate: { id: pair.id, digest: pair.digest } }),
  };
}

let fallback: TlsSettings['fallback'] | undefined;

function fallbackPair(): TlsSettings['fallback'] {
  return (fallback ??= { id: 'fallback', digest: 'fallback', ...testPair(['fallback.example']) });
}

function testRoute(route: TestRoute, index: number): TableRoute {
  const path = route.path ?? '/';
  return sealEntry<TableRoute>('routes', {
    id: `Test/default/route/${index}`,
    hosts: [route.host ?? ''],
    path: path.startsWith('=') ? { type: 'exact', value: path.slice(1) } : { type: 'prefix', value: path },
    ...(route.conditions === undefined ? {} : { conditions: route.conditions }),
    rank: String(index).padStart(4, '0'),
    filters: route.filters ?? [],
    action: {
      kind: 'forward',
      forward: {
        backends: [{ upstream: `test/upstream-${index}:80`, weight: 1, role: 'stable' }],
        overrides: [],
        split: { by: 'random' },
        ...(route.timeouts === undefined ? {} : { timeouts: route.timeouts }),
        ...(route.retry === undefined ? {} : { retry: route.retry }),
      },
    },
    origin: {
      kind: 'Test',
      namespace: 'default',
      name: 'route',
      field: `rules[${index}]`,
      service: `upstream-${index}`,
    },
  });
}

function testEndpoint(target: number | string): EndpointSet['endpoints'][number] {
  if (typeof target === 'number') return { address: '127.0.0.1', port: target, weight: 1 };
  const at = target.lastIndexOf(':');
  return { address: target.slice(0, at), port: Number(target.slice(at + 1)), weight: 1 };
}

function testSlots(table: RouteTable): Map<string, number> {
  const keys = new Set([...table.endpoints.values()].flatMap((set) => set.endpoints.map(endpointKey)));
  return new Map([...keys].map((key, index) => [key, index]));
}

/** Rows 0 and 1 are the table's own (no route, other). */
function testRows(table: RouteTable): Map<string, number> {
  return new Map([...table.routes.keys()].map((id, index) => [id, index + 2]));
}

function byId<T extends { readonly id: string }>(entries: readonly T[]): Map<string, T> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}
