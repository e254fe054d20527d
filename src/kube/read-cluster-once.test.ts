import { beforeEach, describe, expect, test } from '@jest/globals';

import { readClusterOnce } from './read-cluster-once.ts';
import type { ClusterContents, ReadClusterOptions } from './read-cluster-once.ts';
import { TransportError } from './transport.ts';
import type { ApiRequest, ApiResponse, Transport } from './transport.ts';
import type { WatchSettings } from './watch-plan.ts';

type Answer = (request: ApiRequest) => Partial<ApiResponse>;

const everything: WatchSettings = {
  watchNamespaces: undefined,
  namespaceSelector: false,
  ingressClassByName: false,
  defaultBackendService: undefined,
  defaultCertificate: undefined,
};

const service = (name: string) => ({
  metadata: { name, namespace: 'a', uid: name, resourceVersion: '1' },
  spec: { ports: [{ port: 80 }] },
});
const secret = (name: string, next = '') => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'a', uid: name, resourceVersion: '1', annotations: { next } },
});
const list = (items: readonly unknown[], next = ''): Partial<ApiResponse> => ({
  body: { metadata: { resourceVersion: '7', continue: next }, items },
});

let answers: Map<string, Answer>;
let calls: string[];
let pausesMs: number[];

beforeEach(() => {
  answers = new Map();
  calls = [];
  pausesMs = [];
});

/** Empty lists for everything that a test does not answer, and no object by name. */
const transport: Transport = {
  request: async (request) => {
    calls.push(request.path);
    const collection = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(\/namespaces\/[^/]+)?\/[^/]+$/.test(request.path);
    const answer = answers.get(request.path) ?? (() => (collection ? list([]) : { status: 404 }));
    return { status: 200, body: undefined, retryAfterMs: undefined, ...answer(request) };
  },
  stream: () => Promise.reject(new Error('nothing is watched here')),
  close: () => Promise.resolve(),
};

const read = (options: Partial<ReadClusterOptions> = {}): Promise<ClusterContents> =>
  readClusterOnce({
    transport,
    watch: everything,
    references: () => new Set(),
    clock: {
      now: () => 0,
      random: () => 0,
      after: (ms, run) => {
        pausesMs.push(ms);
        setImmediate(run);
        return () => undefined;
      },
    },
    ...options,
  });

describe('readClusterOnce', () => {
  test('lists every kind to its last page, and reports what cannot be used', async () => {
    answers.set('/api/v1/services', ({ query }) =>
      query?.get('continue') === 'more'
        ? list([service('two'), { ...service('three'), spec: { ports: 'none' } }])
        : list([service('one')], 'more'),
    );
    const { snapshot, diagnostics, skipped } = await read();
    expect([...snapshot.objects.Service.keys()].sort()).toEqual(['a/one', 'a/two']);
    expect(diagnostics.map(({ code, object }) => [code, object.name])).toEqual([['SP1002', 'three']]);
    expect(skipped).toEqual([]);
    expect(new Set(calls)).toEqual(
      new Set([
        '/api/v1/services',
        '/apis/discovery.k8s.io/v1/endpointslices',
        '/apis/gateway.networking.k8s.io/v1beta1/referencegrants',
        '/apis/networking.k8s.io/v1/ingresses',
        '/apis/networking.k8s.io/v1/ingressclasses',
        '/apis/sallyport.dev/v1alpha1/backendpolicies',
        '/apis/sallyport.dev/v1alpha1/routes',
      ]),
    );
  });

  test('fetches what is referred to, and what that refers to, each once', async () => {
    answers.set('/api/v1/namespaces/a/secrets/one', () => ({ body: secret('one', 'Secret/a/two') }));
    answers.set('/api/v1/namespaces/a/secrets/two', () => ({ body: secret('two', 'Secret/a/one') }));
    answers.set('/api/v1/namespaces/a/configmaps/ca', () => ({ status: 403 }));
    answers.set('/api/v1/namespaces/a/configmaps', () => ({ status: 403 }));
    const { snapshot, skipped } = await read({
      references: ({ objects }) =>
        new Set([
          'Secret/a/one',
          'Secret/a/gone',
          'ConfigMap/a/ca',
          ...[...objects.Secret.values()].map(({ meta }) => meta.annotations.get('next') ?? ''),
        ]),
    });
    expect([...snapshot.objects.Secret.keys()].sort()).toEqual(['a/one', 'a/two']);
    expect(skipped.map(({ what, reason }) => [what, reason.kind])).toEqual([
      ['configmaps "ca" in namespace "a"', 'forbidden'],
    ]);
    expect(calls.filter((path) => path.includes('/a/'))).toHaveLength(5);
  });

  test('lists by name what may be listed and not fetched', async () => {
    const path = '/api/v1/namespaces/a/secrets';
    answers.set(`${path}/one`, () => ({ status: 403, body: { message: 'not get' } }));
    answers.set(`${path}/two`, () => ({ status: 403, body: { message: 'not get' } }));
    answers.set(path, ({ query }) =>
      query?.get('fieldSelector') === 'metadata.name=one'
        ? list([secret('one')])
        : { status: 403, body: { message: 'not list' } },
    );
    const { snapshot, skipped } = await read({
      references: () => new Set(['Secret/a/one', 'Secret/a/two']),
    });
    expect([...snapshot.objects.Secret.keys()]).toEqual(['a/one']);
    expect(skipped).toMatchObject([
      {
        what: 'secrets "two" in namespace "a"',
        reason: { kind: 'forbidden', message: expect.stringContaining('not get') },
      },
    ]);
  });

  test('does without kinds that are not installed', async () => {
    answers.set('/apis/sallyport.dev/v1alpha1/routes', () => ({ status: 404 }));
    expect((await read()).skipped).toEqual([]);
  });

  test('asks for -n when the whole cluster may not be listed', async () => {
    answers.set('/apis/networking.k8s.io/v1/ingresses', () => ({
      status: 403,
      body: { message: 'ingresses is forbidden' },
    }));
    await expect(read()).rejects.toThrow(
      /^Cannot read ingresses\.networking\.k8s\.io in every namespace: .*ingresses is forbidden\); choose a namespace with -n$/,
    );
  });

  test('in one namespace leaves out what may not be read and says so, unless that is everything', async () => {
    const watch = { ...everything, watchNamespaces: ['a'] };
    const forbidden: Answer = () => ({ status: 403 });
    answers.set('/apis/networking.k8s.io/v1/ingressclasses', forbidden);
    answers.set('/apis/sallyport.dev/v1alpha1/namespaces/a/routes', forbidden);
    const { skipped } = await read({ watch });
    expect(skipped.map(({ scope }) => scope.resource.kind)).toEqual(['IngressClass', 'Route']);
    for (const path of [
      '/api/v1/namespaces/a/services',
      '/apis/discovery.k8s.io/v1/namespaces/a/endpointslices',
      '/apis/networking.k8s.io/v1/namespaces/a/ingresses',
    ]) {
      answers.set(path, forbidden);
    }
    await expect(read({ watch })).rejects.toThrow(/the API server refuses/);
  });

  test('tries again what may pass, as the API server asks', async () => {
    let left = 2;
    answers.set('/api/v1/services', () =>
      left-- > 0 ? { status: 429, retryAfterMs: left === 1 ? 60_000 : undefined } : list([service('one')]),
    );
    expect((await read()).snapshot.objects.Service.size).toBe(1);
    expect(pausesMs).toEqual([5000, 500]);
  });

  test.each([
    ['a failure that stays', () => ({ status: 500, body: { message: 'etcd is down' } }), /etcd is down/],
    ['refused credentials', () => ({ status: 401 }), /answered 401/],
    [
      'silence',
      () => {
        throw new TransportError('UNREACHABLE', 'no route to host');
      },
      /no route to host/,
    ],
  ] as const)('rejects with what happened: %s', async (_, answer, message) => {
    answers.set('/api/v1/services', answer);
    await expect(read()).rejects.toThrow(message);
  });
});
