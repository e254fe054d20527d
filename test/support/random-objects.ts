import fc from 'fast-check';

import type { BackendPolicy } from '../../src/model/backend-policy.ts';
import type { Namespace, Secret } from '../../src/model/core-objects.ts';
import type { Ingress, IngressBackend, IngressClass } from '../../src/model/ingress.ts';
import type { ObjectMeta } from '../../src/model/object-meta.ts';
import type { ReferenceGrant } from '../../src/model/reference-grant.ts';
import type { Route, RouteMatch } from '../../src/model/route.ts';
import type { EndpointSlice, Service } from '../../src/model/service.ts';
import type { StoreChange } from '../../src/model/snapshot-store.ts';
import type { Kind, ModelObject } from '../../src/model/snapshot.ts';
import { tlsPairs } from './tls-pairs.ts';

// Random cluster objects from a small world, so that edits collide: two namespaces, three names, three hosts, few paths.

let version = 0;

const namespace = fc.constantFrom('team-a', 'team-b');
const name = fc.constantFrom('one', 'two', 'three');
const host = fc.constantFrom('', 'a.example', 'b.example', '*.example');
const port = fc.constantFrom<(number | string)[]>(80, 81, 'http');
const path = fc.constantFrom('/', '/x', '/x/y', '/y/');

const annotation = fc.constantFrom(
  ['nginx.ingress.kubernetes.io/canary', 'true'],
  ['nginx.ingress.kubernetes.io/canary-weight', '20'],
  ['sallyport.dev/canary-by-header', 'x-canary'],
  ['nginx.ingress.kubernetes.io/proxy-read-timeout', '7'],
  ['nginx.ingress.kubernetes.io/proxy-next-upstream-tries', '0'],
  ['nginx.ingress.kubernetes.io/upstream-vhost', 'inside.example'],
  ['nginx.ingress.kubernetes.io/auth-url', 'http://auth.example/'],
  ['nginx.ingress.kubernetes.io/unheard-of', '1'],
  ['kubernetes.io/ingress.class', 'sallyport'],
  ['nginx.ingress.kubernetes.io/backend-protocol', 'HTTP'],
  ['nginx.ingress.kubernetes.io/backend-protocol', 'grpcs'],
  ['sallyport.dev/backend-protocol', 'HTTPS'],
  ['nginx.ingress.kubernetes.io/proxy-ssl-secret', 'team-a/one'],
  ['sallyport.dev/proxy-ssl-secret', 'two'],
  ['nginx.ingress.kubernetes.io/proxy-ssl-verify', 'on'],
  ['nginx.ingress.kubernetes.io/auth-tls-secret', 'team-a/one'],
  ['nginx.ingress.kubernetes.io/auth-tls-secret', 'team-a/one'],
  ['sallyport.dev/auth-tls-secret', 'two'],
  ['nginx.ingress.kubernetes.io/auth-tls-verify-client', 'optional'],
  ['nginx.ingress.kubernetes.io/auth-tls-pass-certificate-to-upstream', 'true'],
);

/** Annotations that say something together only. */
const annotationFamily = fc.constantFrom(
  [
    ['nginx.ingress.kubernetes.io/backend-protocol', 'HTTPS'],
    ['nginx.ingress.kubernetes.io/proxy-ssl-secret', 'one'],
    ['nginx.ingress.kubernetes.io/proxy-ssl-verify', 'on'],
  ],
  [
    ['nginx.ingress.kubernetes.io/auth-tls-secret', 'one'],
    ['nginx.ingress.kubernetes.io/auth-tls-verify-client', 'optional'],
  ],
);

const annotations = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: annotation.map((single) => [single]) },
      { weight: 1, arbitrary: annotationFamily },
    ),
    { maxLength: 4 },
  )
  .map((families): readonly (readonly string[])[] => families.flat());

function meta(options: {
  readonly namespace?: fc.Arbitrary<string>;
  readonly name?: fc.Arbitrary<string>;
  readonly annotated?: boolean;
  readonly labels?: fc.Arbitrary<ReadonlyMap<string, string>>;
}): fc.Arbitrary<ObjectMeta> {
  return fc
    .record({
      name: options.name ?? name,
      namespace: options.namespace ?? namespace,
      createdAtMs: fc.constantFrom(0, 1_000, 2_000),
      labels: options.labels ?? fc.constant(new Map<string, string>()),
      pairs: options.annotated === true ? annotations : fc.constant<readonly (readonly string[])[]>([]),
    })
    .map(({ pairs, ...rest }) => ({
      ...rest,
      uid: `${rest.namespace}/${rest.name}`,
      // A new object is a new version, as from an API server.
      resourceVersion: String(++version),
      generation: 1,
      annotations: new Map(pairs.map(([key = '', value = '']) => [key, value])),
    }));
}

const className = fc.constantFrom(undefined, 'sallyport', 'sallyport', 'sallyport', 'other');

const backend: fc.Arbitrary<IngressBackend> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('service' as const), service: name, port }) },
  {
    weight: 1,
    arbitrary: fc.constant({ kind: 'resource' as const, apiGroup: '', resourceKind: 'Bucket', name: 'b' }),
  },
);

const ingress: fc.Arbitrary<Ingress> = fc.record({
  kind: fc.constant('Ingress' as const),
  meta: meta({ annotated: true }),
  ingressClassName: className,
  defaultBackend: fc.option(backend, { nil: undefined, freq: 4 }),
  rules: fc.array(
    fc.record({
      host,
      paths: fc.array(
        fc.record({ path, pathType: fc.constantFrom('Exact' as const, 'Prefix' as const), backend }),
        { maxLength: 2 },
      ),
    }),
    { maxLength: 2 },
  ),
  tls: fc.array(
    fc.record({ hosts: fc.array(host, { maxLength: 1 }), secretName: fc.option(name, { nil: undefined }) }),
    { maxLength: 1 },
  ),
});

const match: fc.Arbitrary<RouteMatch> = fc.record({
  path: fc.option(
    fc.record({ type: fc.constantFrom('Exact' as const, 'Prefix' as const, 'Regex' as const), value: path }),
    { nil: undefined },
  ),
  grpc: fc.constantFrom(undefined, undefined, { service: undefined, method: 'Add' }),
  methods: fc.constantFrom([], ['GET'], ['POST', 'GET']),
  headers: fc.constantFrom([], [{ name: 'X-Kind', type: 'Exact' as const, value: 'a' }]),
  query: fc.constantFrom([], [{ name: 'q', type: 'Regex' as const, value: '[' }]),
  cookies: fc.constant([]),
  sourceRanges: fc.constantFrom([], ['10.0.0.0/8']),
});

const timeouts = fc.record({
  connectMs: fc.constantFrom(undefined, 100),
  sendMs: fc.constant(undefined),
  readMs: fc.constantFrom(undefined, 200),
  requestMs: fc.constantFrom(undefined, 0),
});

const retries = fc.record({
  tries: fc.constantFrom(undefined, 1, 2),
  retryOn: fc.constantFrom<(readonly string[] | undefined)[]>(undefined, [], ['error', 'http_503']),
  timeoutMs: fc.constantFrom(undefined, 300),
});

const route: fc.Arbitrary<Route> = fc.record({
  kind: fc.constant('Route' as const),
  meta: meta({}),
  ingressClassName: className,
  hosts: fc.array(fc.constantFrom('a.example', 'b.example', '*.example'), { maxLength: 2 }),
  tls: fc.option(
    fc.record({
      secretName: fc.option(name, { nil: undefined, freq: 4 }),
      namespace: fc.option(namespace, { nil: undefined, freq: 2 }),
      clientCertificate: fc.option(
        fc.record({
          caSecretName: name,
          namespace: fc.option(namespace, { nil: undefined, freq: 2 }),
          mode: fc.constantFrom('Required' as const, 'Optional' as const),
          verifyDepth: fc.constant(1),
          matchCommonName: fc.constantFrom(undefined, undefined, 'CN=a', 'CN=['),
          errorPage: fc.constant(undefined),
          passToUpstream: fc.boolean(),
        }),
        { nil: undefined },
      ),
    }),
    { nil: undefined },
  ),
  rules: fc.array(
    fc.record({
      name: fc.constant(undefined),
      matches: fc.array(match, { maxLength: 2 }),
      filters: fc.constantFrom([], [{ rewriteHost: { host: 'x.example' } }], [{ nonsense: {} }]),
      backends: fc.array(
        fc.record({
          service: name,
          namespace: fc.option(namespace, { nil: undefined, freq: 4 }),
          port,
          weight: fc.constantFrom(0, 1, 3),
        }),
        { maxLength: 2 },
      ),
      split: fc.constant(undefined),
      timeouts: fc.option(timeouts, { nil: undefined }),
      retries: fc.option(retries, { nil: undefined }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});

const ingressClass: fc.Arbitrary<IngressClass> = fc.record({
  kind: fc.constant('IngressClass' as const),
  meta: meta({ namespace: fc.constant(''), name: fc.constantFrom('sallyport', 'other') }),
  controller: fc.constantFrom('sallyport.dev/ingress-controller', 'other.example/controller'),
  isDefault: fc.boolean(),
});

const service: fc.Arbitrary<Service> = fc.record({
  kind: fc.constant('Service' as const),
  meta: meta({}),
  type: fc.constantFrom('ClusterIP' as const, 'ClusterIP' as const, 'ExternalName' as const),
  clusterIP: fc.constant('10.96.0.1'),
  externalName: fc.constantFrom('', 'out.example', 'localhost'),
  ports: fc.subarray([
    { name: 'http', port: 80, protocol: 'TCP' as const, appProtocol: undefined, targetPort: 8080 },
    { name: 'more', port: 81, protocol: 'TCP' as const, appProtocol: undefined, targetPort: undefined },
  ]),
});

const slice: fc.Arbitrary<EndpointSlice> = fc.record({
  kind: fc.constant('EndpointSlice' as const),
  meta: meta({ name: fc.constantFrom('one-1', 'one-2', 'two-1') }),
  service: name,
  addressType: fc.constantFrom('IPv4' as const, 'FQDN' as const),
  endpoints: fc.array(
    fc.record({
      addresses: fc.constantFrom(['10.0.0.1'], ['10.0.0.2'], ['10.0.0.10']),
      ready: fc.boolean(),
      serving: fc.boolean(),
      terminating: fc.boolean(),
      zone: fc.constant(undefined),
      nodeName: fc.constant(undefined),
    }),
    { maxLength: 3 },
  ),
  ports: fc.subarray([
    { name: 'http', port: 8080, protocol: 'TCP' as const },
    { name: 'more', port: undefined, protocol: 'TCP' as const },
  ]),
});

const secret: fc.Arbitrary<Secret> = fc.record({
  kind: fc.constant('Secret' as const),
  meta: meta({}),
  type: fc.constantFrom('kubernetes.io/tls', 'kubernetes.io/dockercfg'),
  data: fc
    .constantFrom<[string, string][]>(
      [tlsPairs.a.certificate, tlsPairs.a.key],
      [tlsPairs.b.certificate, tlsPairs.b.key],
      [tlsPairs.a.certificate, tlsPairs.b.key],
    )
    .map(
      ([certificate, key]) =>
        new Map([
          ['tls.crt', Buffer.from(certificate)],
          ['tls.key', Buffer.from(key)],
        ]),
    )
    .chain((pair) =>
      fc
        .constantFrom(
          'garbage',
          ...Array.from({ length: 4 }, () => [tlsPairs.a.certificate, tlsPairs.b.certificate]).flat(),
        )
        .map((ca) => new Map([...pair, ['ca.crt', Buffer.from(ca)]])),
    ),
});

const policy: fc.Arbitrary<BackendPolicy> = fc.record({
  kind: fc.constant('BackendPolicy' as const),
  meta: meta({}),
  service: name,
  balance: fc.constantFrom(undefined, 'RoundRobin' as const, 'LeastRequest' as const),
  protocol: fc.constantFrom(undefined, 'HTTP1' as const, 'GRPC' as const),
  tls: fc.option(
    fc.record({
      hostname: fc.constantFrom(undefined, 'inside.example'),
      sni: fc.constant(undefined),
      verify: fc.constantFrom(undefined, false),
      verifyDepth: fc.constantFrom(undefined, 2),
      caSecretName: fc.option(name, { nil: undefined, freq: 2 }),
      caConfigMapName: fc.constant(undefined),
      clientSecretName: fc.option(name, { nil: undefined, freq: 2 }),
      minVersion: fc.constant(undefined),
      maxVersion: fc.constant(undefined),
      ciphers: fc.constant(undefined),
    }),
    { nil: undefined },
  ),
  proxyProtocol: fc.constantFrom(undefined, 'V2' as const),
  timeouts: fc.option(timeouts, { nil: undefined }),
  retries: fc.option(retries, { nil: undefined }),
  connections: fc.option(
    fc.record({
      maxRequests: fc.constantFrom(undefined, 1, 2),
      maxIdle: fc.constantFrom(undefined, 0),
      idleTimeoutMs: fc.constant(undefined),
      maxLifetimeMs: fc.constant(undefined),
      maxRequestsPerConnection: fc.constant(undefined),
    }),
    { nil: undefined },
  ),
});

const plainNamespace: fc.Arbitrary<Namespace> = fc.record({
  kind: fc.constant('Namespace' as const),
  meta: meta({
    namespace: fc.constant(''),
    name: namespace,
    labels: fc.constantFrom(new Map(), new Map([['tier', 'test']]), new Map([['tier', 'live']])),
  }),
});

const grant: fc.Arbitrary<ReferenceGrant> = fc.record({
  kind: fc.constant('ReferenceGrant' as const),
  meta: meta({}),
  from: fc.array(
    fc.record({
      group: fc.constantFrom('sallyport.dev', 'sallyport.dev', 'networking.k8s.io'),
      kind: fc.constantFrom('Route', 'Route', 'Ingress'),
      namespace,
    }),
    { minLength: 1, maxLength: 2 },
  ),
  to: fc.array(
    fc.record({
      group: fc.constantFrom('', '', 'apps'),
      kind: fc.constantFrom('Service', 'Secret'),
      name: fc.option(name, { nil: undefined, freq: 2 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});

const object: fc.Arbitrary<ModelObject> = fc.oneof(
  { weight: 8, arbitrary: ingress },
  { weight: 4, arbitrary: route },
  { weight: 2, arbitrary: ingressClass },
  { weight: 5, arbitrary: service },
  { weight: 4, arbitrary: slice },
  { weight: 2, arbitrary: secret },
  { weight: 2, arbitrary: policy },
  { weight: 2, arbitrary: plainNamespace },
  { weight: 3, arbitrary: grant },
);

/** An object set; every fifth time an object of that kind and key removed. */
export const storeChange: fc.Arbitrary<StoreChange> = fc
  .tuple(object, fc.nat({ max: 4 }))
  .map(([made, choice]) =>
    choice === 0
      ? { type: 'delete' as const, kind: made.kind satisfies Kind, key: keyOf(made) }
      : { type: 'set' as const, object: made },
  );

/** An Ingress on a host that another namespace uses too, and maybe with a word about its clients. */
function sharedHost(team: string): fc.Arbitrary<Ingress> {
  const authority = fc.constantFrom('', 'one', 'team-a/one', 'none');
  return fc.tuple(ingress, authority, path, port).map(([made, secretName, shared, number]) => ({
    ...made,
    meta: {
      ...made.meta,
      namespace: team,
      name: 'one',
      annotations: new Map([['sallyport.dev/auth-tls-secret', secretName]]),
    },
    ingressClassName: 'sallyport',
    rules: [...made.rules, { host: 'a.example', paths: [pathTo('one', shared, number)] }],
  }));
}

function pathTo(
  target: string,
  shared: string,
  number: number | string,
): Ingress['rules'][number]['paths'][number] {
  return { path: shared, pathType: 'Prefix', backend: { kind: 'service', service: target, port: number } };
}

/** What a cluster starts with, so that most references lead somewhere. */
export const startObjects: fc.Arbitrary<readonly ModelObject[]> = fc.tuple(
  ingressClass.map((made) => ({
    ...made,
    meta: { ...made.meta, name: 'sallyport' },
    controller: 'sallyport.dev/ingress-controller',
  })),
  service,
  service,
  slice,
  secret.map((made) => ({ ...made, meta: { ...made.meta, namespace: 'team-a', name: 'one' } })),
  secret.map((made) => ({ ...made, meta: { ...made.meta, namespace: 'team-b', name: 'one' } })),
  sharedHost('team-a'),
  sharedHost('team-b'),
  ingress,
  ingress,
  ingress,
  route,
);

function keyOf({ meta: { namespace: space, name: own } }: ModelObject): string {
  return space === '' ? own : `${space}/${own}`;
}
