import { describe, expect, test } from '@jest/globals';

import { decodeObject } from './decode-object.ts';
import type { DecodedObject } from './decode-object.ts';

type Fields = Readonly<Record<string, unknown>>;

const networking = 'networking.k8s.io/v1';
const sallyport = 'sallyport.dev/v1alpha1';

function decode(apiVersion: string, kind: string, rest: Fields): DecodedObject {
  const metadata = { name: 'x', namespace: 'team-a', ...(rest['metadata'] as Fields | undefined) };
  return decodeObject({ apiVersion, kind, ...rest, metadata }, { identity: 'content' });
}

/** `path: message` of each fault. */
const faults = ({ diagnostics }: DecodedObject): readonly string[] =>
  diagnostics.map(({ path, message }) => `${path}: ${message}`);
const faultPaths = ({ diagnostics }: DecodedObject): readonly string[] => diagnostics.map(({ path }) => path);

const backend = { service: { name: 's', port: { number: 80 } } };
const ingress = (spec: Fields): DecodedObject => decode(networking, 'Ingress', { spec });
const withHost = (host: unknown): DecodedObject => ingress({ rules: [{ host }] });
const withPath = (path: unknown, pathType: unknown = 'Prefix'): DecodedObject =>
  ingress({ rules: [{ http: { paths: [{ path, pathType, backend }] } }] });
const route = (rule: Fields): DecodedObject => decode(sallyport, 'Route', { spec: { rules: [rule] } });

describe('Ingress', () => {
  test('is read whole', () => {
    const { object, diagnostics } = decode(networking, 'Ingress', {
      metadata: {
        annotations: { a: 'b' },
        creationTimestamp: '2026-01-31T12:00:00Z',
        generation: 3,
      },
      spec: {
        ingressClassName: 'sallyport',
        defaultBackend: { service: { name: 'd', port: { name: 'http' } } },
        rules: [
          { host: '*.a.example', http: { paths: [{ pathType: 'ImplementationSpecific', backend }] } },
          {
            http: {
              paths: [{ path: '/x', pathType: 'Exact', backend: { resource: { kind: 'K', name: 'n' } } }],
            },
          },
        ],
        tls: [{ hosts: ['b.example'], secretName: 'cert' }],
      },
    });
    expect(diagnostics).toEqual([]);
    expect(object).toMatchObject({
      kind: 'Ingress',
      meta: {
        uid: 'Ingress/team-a/x',
        generation: 3,
        createdAtMs: Date.UTC(2026, 0, 31, 12),
        annotations: new Map([['a', 'b']]),
      },
      ingressClassName: 'sallyport',
      defaultBackend: { kind: 'service', service: 'd', port: 'http' },
      rules: [
        { host: '*.a.example', paths: [{ path: '', backend: { kind: 'service', service: 's', port: 80 } }] },
        { host: '', paths: [{ path: '/x', backend: { kind: 'resource', resourceKind: 'K', name: 'n' } }] },
      ],
      tls: [{ hosts: ['b.example'], secretName: 'cert' }],
    });
  });

  test('names every fault, with its path, its value and what is wanted', () => {
    const found = decode(networking, 'Ingress', {
      metadata: { name: 'Bad_Name', annotations: { 'a.example/b': 1, c: true } },
      spec: {
        ingressClassName: 7,
        rules: [
          { host: 'ok.example' },
          {
            http: {
              paths: [
                { path: '/', pathType: 'Prefix', backend },
                { path: 'y', pathType: 'x', backend: {} },
              ],
            },
          },
        ],
        tls: { hosts: [] },
      },
    });
    expect(found.object).toBeUndefined();
    expect(faults(found)).toEqual([
      'metadata.name: Got "Bad_Name", want a DNS subdomain (lower-case letters, digits, hyphens and dots, at most 253)',
      'metadata.annotations[a.example/b]: Got 1, want a text (quote it)',
      'metadata.annotations.c: Got true, want a text (quote it)',
      'spec.ingressClassName: Got 7, want a text (quote it)',
      'spec.rules[1].http.paths[1].pathType: Got "x", want one of Exact, Prefix, ImplementationSpecific',
      `spec.rules[1].http.paths[1].path: Got "y", want a path that starts with '/'`,
      'spec.rules[1].http.paths[1].backend.service: Got nothing, want an object',
      'spec.rules[1].http.paths[1].backend.service.name: Got nothing, want a text',
      'spec.rules[1].http.paths[1].backend.service.port: Got nothing, want an object',
      'spec.rules[1].http.paths[1].backend.service.port.number: Got nothing, want an integer from 1 to 65535',
      'spec.tls: Got an object, want a list',
    ]);
  });

  test.each(['a.example', '*.a.example', 'a', 'xn--bcher-kva.example', '1.example'])(
    'host %s is one',
    (host) => {
      expect(faults(withHost(host))).toEqual([]);
    },
  );

  test.each([
    ['10.0.0.1', 'a DNS name, not an address'],
    ['[::1]', 'a DNS name, not an address'],
    ['a.example:80', 'a host without a port'],
    ['A.example', 'a host in lower case'],
    ['a.*.example', 'a DNS name'],
    ['*', 'a DNS name'],
    ['a_b.example', 'a DNS name'],
    ['-a.example', 'a DNS name'],
    ['a..example', 'a DNS name'],
    [`${'a.'.repeat(130)}example`, 'a DNS name'],
    [`${'a'.repeat(64)}.example`, 'a DNS name'],
    ['a.example\n}', 'a DNS name'],
    [5, 'a text'],
  ])('host %j is refused', (host, wanted) => {
    const found = faults(withHost(host));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`want ${wanted}`);
  });

  test.each(['//', '/./a', '/a/..', '/a/../b', '/%2fa', '/\u007f', 'a', ''])('path %j is refused', (path) => {
    expect(faultPaths(withPath(path))).toContain('spec.rules[0].http.paths[0].path');
  });

  test('a regular expression may stand where the path type is ImplementationSpecific', () => {
    expect(faults(withPath('/a(/|$)(.*)', 'ImplementationSpecific'))).toEqual([]);
  });

  test('wants rules or a default backend, and one kind of port', () => {
    expect(faultPaths(ingress({}))).toEqual(['spec']);
    const both = { service: { name: 's', port: { number: 80, name: 'http' } } };
    expect(faultPaths(ingress({ defaultBackend: both }))).toEqual(['spec.defaultBackend.service.port']);
  });

  test('unknown fields of core kinds are ignored', () => {
    expect(
      faults(decode(networking, 'Ingress', { spec: { defaultBackend: backend, later: 1 }, status: 3 })),
    ).toEqual([]);
  });
});

describe('identity', () => {
  const raw = (resourceVersion: string, port = 80): unknown => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'x', uid: 'u', resourceVersion },
    spec: { ports: [{ port }] },
  });
  const metaOf = (value: unknown, identity: 'cluster' | 'content'): unknown =>
    decodeObject(value, { identity }).object?.meta;

  test("is the API server's in a cluster", () => {
    expect(metaOf(raw('7'), 'cluster')).toMatchObject({
      uid: 'u',
      resourceVersion: '7',
      namespace: 'default',
    });
  });

  test('is name and digest in a folder', () => {
    expect(metaOf(raw('7'), 'content')).toEqual(metaOf(raw('7'), 'content'));
    expect(metaOf(raw('7'), 'content')).toMatchObject({ uid: 'Service/default/x' });
    expect(metaOf(raw('7', 81), 'content')).not.toEqual(metaOf(raw('7'), 'content'));
  });

  test('another version of a known kind is named, another kind is only handed back', () => {
    const old = decode('extensions/v1beta1', 'Ingress', {});
    expect(old.diagnostics).toMatchObject([{ code: 'SP1005', path: 'apiVersion' }]);
    expect(decode('apps/v1', 'Deployment', {})).toMatchObject({
      unknownKind: 'apps/v1 Deployment',
      diagnostics: [],
    });
  });

  test.each([
    null,
    undefined,
    5,
    'x',
    [],
    {},
    { apiVersion: 1, kind: {} },
    { kind: 'toString', apiVersion: 'v1' },
  ])('never throws: %j', (value) => {
    expect(decodeObject(value, { identity: 'content' }).object).toBeUndefined();
  });
});

describe('core kinds', () => {
  test('an EndpointSlice fills in conditions by KEP-752', () => {
    const conditions = [
      undefined,
      { ready: false },
      { ready: false, serving: true, terminating: true },
      { ready: null },
    ];
    const { object } = decode('discovery.k8s.io/v1', 'EndpointSlice', {
      metadata: { labels: { 'kubernetes.io/service-name': 's' } },
      addressType: 'IPv6',
      endpoints: conditions.map((entry) => ({ addresses: ['fd00::1'], conditions: entry })),
      ports: [{ port: 8080, name: 'http' }, {}],
    });
    expect(object).toMatchObject({
      service: 's',
      endpoints: [
        { ready: true, serving: true, terminating: false },
        { ready: false, serving: false, terminating: false },
        { ready: false, serving: true, terminating: true },
        { ready: true, serving: true, terminating: false },
      ],
      ports: [
        { name: 'http', port: 8080, protocol: 'TCP' },
        { name: '', port: undefined },
      ],
    });
  });

  test('an address of the wrong family is refused', () => {
    const found = decode('discovery.k8s.io/v1', 'EndpointSlice', {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['fd00::1'] }, { addresses: [] }],
    });
    expect(faultPaths(found)).toEqual(['endpoints[0].addresses[0]', 'endpoints[1].addresses']);
  });

  test('a Service with several ports names each, once', () => {
    const ports = [{ port: 80 }, { port: 81, name: 'a' }, { port: 82, name: 'a', targetPort: 'http' }];
    expect(faultPaths(decode('v1', 'Service', { spec: { ports } }))).toEqual([
      'spec.ports[0].name',
      'spec.ports[2].name',
    ]);
  });

  test.each([
    ['80-8080', true], // kubectl create service clusterip --tcp=80:8080
    ['443', true],
    ['a--b', true],
    ['p'.repeat(63), true],
    ['p'.repeat(64), false],
    ['Http', false],
    ['-http', false],
  ])('ports are named by labels of DNS, as the API server has it: %s', (name, isRead) => {
    const inService = decode('v1', 'Service', { spec: { ports: [{ port: 80, name }] } });
    const inSlice = decode('discovery.k8s.io/v1', 'EndpointSlice', {
      addressType: 'IPv4',
      endpoints: [],
      ports: [{ port: 80, name }],
    });
    expect(faultPaths(inService)).toEqual(isRead ? [] : ['spec.ports[0].name']);
    expect(faultPaths(inSlice)).toEqual(isRead ? [] : ['ports[0].name']);
  });

  test('a Secret merges stringData over data and never shows a value', () => {
    const data = { a: 'aGVs\nbG8=', b: 'AA==' };
    const { object } = decode('v1', 'Secret', { data, stringData: { b: 'text' } });
    expect(object).toMatchObject({
      type: 'Opaque',
      data: new Map([
        ['a', Buffer.from('hello')],
        ['b', Buffer.from('text')],
      ]),
    });
    const found = faults(
      decode('v1', 'Secret', { data: { k: 'hunter2!', n: 424_242 }, stringData: { m: 131_313 } }),
    );
    expect(found).toHaveLength(3);
    expect(found.join()).not.toMatch(/hunter2|424242|131313/);
  });
});

describe('ReferenceGrant', () => {
  const from = [{ group: 'networking.k8s.io', kind: 'Ingress', namespace: 'team-b' }];
  const grant = (spec: Fields, version = 'v1beta1'): DecodedObject =>
    decode(`gateway.networking.k8s.io/${version}`, 'ReferenceGrant', { spec });

  test.each(['v1beta1', 'v1'])('is read in version %s', (version) => {
    const to = [
      { group: '', kind: 'Secret', name: 'cert' },
      { group: '', kind: 'Service' },
    ];
    const { object, diagnostics } = grant({ from, to }, version);
    expect(diagnostics).toEqual([]);
    expect(object).toMatchObject({
      kind: 'ReferenceGrant',
      meta: { namespace: 'team-a' },
      from,
      to: [to[0], { group: '', kind: 'Service', name: undefined }],
    });
  });

  test('in another version is left out', () => {
    expect(grant({ from, to: [] }, 'v1alpha2').diagnostics).toMatchObject([{ code: 'SP1005' }]);
  });

  test.each([
    ['spec.to', { from }],
    ['spec.from', { from: [], to: [{ group: '', kind: 'Service' }] }],
    ['spec.to[0].group', { from, to: [{ kind: 'Service' }] }],
    ['spec.to[0].kind', { from, to: [{ group: '', kind: 'A b' }] }],
    [
      'spec.from[0].namespace',
      { from: [{ group: '', kind: 'Ingress' }], to: [{ group: '', kind: 'Service' }] },
    ],
  ])('names the fault at %s', (path, spec) => {
    expect(faultPaths(grant(spec))).toEqual([path]);
  });
});

describe('Route', () => {
  test('is read whole', () => {
    const { object, diagnostics } = route({
      name: 'main',
      matches: [
        {
          path: { value: '/x' },
          methods: ['GET'],
          headers: [
            { name: 'X-A', value: 'b' },
            { name: 'X-B', type: 'Present' },
          ],
          sourceRanges: ['10.0.0.0/8', '::1'],
        },
      ],
      filters: [{ requestHeaders: { set: [] } }],
      backends: [
        { service: 's', port: 80 },
        { service: 't', port: 'http', weight: 0 },
      ],
      split: { by: 'cookie', name: 'id' },
      timeouts: { connect: '250ms', read: '1m30s', request: '0s' },
      retries: { tries: 2, retryOn: ['error', 'http_503'], timeout: '1h' },
    });
    expect(diagnostics).toEqual([]);
    expect(object).toMatchObject({
      hosts: [],
      tls: undefined,
      rules: [
        {
          matches: [
            {
              path: { type: 'Prefix', value: '/x' },
              headers: [
                { name: 'X-A', type: 'Exact', value: 'b' },
                { name: 'X-B', type: 'Present', value: '' },
              ],
              sourceRanges: ['10.0.0.0/8', '::1/128'],
            },
          ],
          filters: [{ requestHeaders: { set: [] } }],
          backends: [
            { service: 's', port: 80, weight: 1, namespace: undefined },
            { service: 't', port: 'http', weight: 0 },
          ],
          split: { by: 'cookie', name: 'id' },
          timeouts: { connectMs: 250, sendMs: undefined, readMs: 90_000, requestMs: 0 },
          retries: { tries: 2, retryOn: ['error', 'http_503'], timeoutMs: 3_600_000 },
        },
      ],
    });
  });

  test.each([
    ['timeouts', { connect: '0s' }, 'timeouts.connect'],
    ['timeouts', { read: 5 }, 'timeouts.read'],
    ['timeouts', { read: '5' }, 'timeouts.read'],
    ['timeouts', { readMs: '5s' }, 'timeouts.readMs'],
    ['retries', { retryOn: ['http_418'] }, 'retries.retryOn[0]'],
    ['retries', { tries: 0 }, 'retries.tries'],
    ['split', { by: 'header' }, 'split.name'],
    ['split', { by: 'random', name: 'x' }, 'split.name'],
    ['backends', [{ service: 's', port: 80, weight: 1_000_001 }], 'backends[0].weight'],
    ['backends', [{ service: 's', port: 80, wieght: 1 }], 'backends[0].wieght'],
    ['backends', [{ service: 's', port: 'Http' }], 'backends[0].port'],
    ['filters', [{ a: 1, b: 2 }], 'filters[0]'],
    ['matches', [{ methods: ['get'] }], 'matches[0].methods[0]'],
    ['matches', [{ path: { type: 'Exact', value: '/a//b' } }], 'matches[0].path.value'],
    ['matches', [{ path: { type: 'Regex', value: 'x'.repeat(1025) } }], 'matches[0].path.value'],
    ['matches', [{ headers: [{ name: 'a b', value: '' }] }], 'matches[0].headers[0].name'],
    ['matches', [{ headers: [{ name: 'a', type: 'Absent', value: 'x' }] }], 'matches[0].headers[0].value'],
    ['matches', [{ headers: [{ name: 'a' }] }], 'matches[0].headers[0].value'],
    ['matches', [{ sourceRanges: ['10.0.0.0/33'] }], 'matches[0].sourceRanges[0]'],
    ['unknown', 1, 'unknown'],
  ])('%s %j is refused', (field, value, path) => {
    expect(faultPaths(route({ [field]: value }))).toEqual([`spec.rules[0].${path}`]);
  });

  test('BackendPolicy is read whole', () => {
    const { object, diagnostics } = decode(sallyport, 'BackendPolicy', {
      spec: {
        service: 's',
        balance: 'LeastRequest',
        protocol: 'HTTP1',
        timeouts: { connect: '1s', request: '0s' },
        retries: { tries: 2, retryOn: ['error'], timeout: '3s' },
        connections: {
          maxRequests: 1,
          maxIdle: 0,
          idleTimeout: '10s',
          maxLifetime: '10s',
          maxRequestsPerConnection: 5,
        },
      },
    });
    expect(diagnostics).toEqual([]);
    expect(object).toMatchObject({
      service: 's',
      balance: 'LeastRequest',
      protocol: 'HTTP1',
      timeouts: { connectMs: 1000, sendMs: undefined, readMs: undefined, requestMs: 0 },
      retries: { tries: 2, retryOn: ['error'], timeoutMs: 3000 },
      connections: {
        maxRequests: 1,
        maxIdle: 0,
        idleTimeoutMs: 10_000,
        maxLifetimeMs: 10_000,
        maxRequestsPerConnection: 5,
      },
    });
  });

  test.each([
    ['spec.protocol', { protocol: 'HTTP3' }],
    ['spec.timeouts.read', { timeouts: { read: '0s' } }],
    ['spec.retries.tries', { retries: { tries: 0 } }],
    ['spec.retries.retryOn[0]', { retries: { retryOn: ['http_200'] } }],
    ['spec.connections.maxRequests', { connections: { maxRequests: 0 } }],
    ['spec.connections.maxIdle', { connections: { maxIdle: -1 } }],
    ['spec.connections.idleTimeout', { connections: { idleTimeout: '0s' } }],
    ['spec.connections.idleTimeout', { connections: { idleTimeout: '2m', maxLifetime: '1m' } }],
    ['spec.connections.perHost', { connections: { perHost: 1 } }],
  ])('BackendPolicy: the fault at %s is named', (path, fields) => {
    expect(faultPaths(decode(sallyport, 'BackendPolicy', { spec: { service: 's', ...fields } }))).toEqual([
      path,
    ]);
  });

  test('BackendPolicy refuses what it does not know', () => {
    const found = decode(sallyport, 'BackendPolicy', { spec: { service: 's', balance: 'Best', later: 1 } });
    expect(faultPaths(found)).toEqual(['spec.later', 'spec.balance']);
  });
});
