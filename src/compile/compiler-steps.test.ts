import { describe, expect, test } from '@jest/globals';

import { decodeObject } from '../model/decode-object.ts';
import { SnapshotStore } from '../model/snapshot-store.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { defaultCompileOptions } from './compile-options.ts';
import { createCompiler } from './compiler.ts';

// That a change does the work that it asks for and no more.

const options = { ...defaultCompileOptions, watchIngressWithoutClass: true };

function ingress(name: string, service: string, timeout = '60'): object {
  const backend = { service: { name: service, port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, annotations: { 'sallyport.dev/proxy-read-timeout': timeout } },
    spec: {
      rules: [{ host: `${name}.example`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  };
}

function service(name: string, port = 80): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port }] } };
}

function slice(name: string, address: string): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ port: 8080 }],
    endpoints: [{ addresses: [address] }],
  };
}

function start() {
  const store = new SnapshotStore();
  const compiler = createCompiler(options);
  const apply = (...objects: readonly object[]) => {
    const decoded = objects.map((raw) => decodeObject(raw, { identity: 'content' }).object);
    const known = decoded.filter((object) => object !== undefined);
    expect(known.length).toBe(objects.length);
    const { snapshot, changed } = store.apply(known.map((object) => ({ type: 'set', object })));
    return compiler.compile(snapshot, changed);
  };
  const first = apply(
    ingress('one', 'web'),
    ingress('two', 'web'),
    ingress('three', 'api'),
    service('web'),
    service('api'),
    slice('web', '10.0.0.1'),
  );
  return { compiler, apply, first };
}

describe('what a change costs', () => {
  test('one Ingress: one object compiled, one route changed, all other parts shared', () => {
    const { apply, first } = start();
    const second = apply(ingress('two', 'web', '7'));
    expect(second.compiledObjects).toBe(1);
    expect(second.changes.routes.set.map(({ id }) => id)).toEqual(['Ingress/default/two/0.0']);
    expect(second.table.endpoints).toBe(first.table.endpoints);
    expect(second.table.upstreams).toBe(first.table.upstreams);
    expect(second.table.routes.get('Ingress/default/one/0.0')).toBe(
      first.table.routes.get('Ingress/default/one/0.0'),
    );
  });

  test('one EndpointSlice: nothing compiled, only endpoints changed', () => {
    const { apply, first } = start();
    const second = apply(slice('web', '10.0.0.2'));
    expect(second.compiledObjects).toBe(0);
    expect(second.table.routes).toBe(first.table.routes);
    expect(second.table.upstreams).toBe(first.table.upstreams);
    expect(second.changes.endpoints.set.map(({ id }) => id)).toEqual(['default/web:80']);
    expect(second.table.digest).not.toBe(first.table.digest);
  });

  test('one Service: the objects that refer to it, and no others', () => {
    const { apply } = start();
    expect(apply(service('web', 81)).compiledObjects).toBe(2);
    expect(apply(service('nobody')).compiledObjects).toBe(0);
  });

  test('an object that no longer refers to a Service is not compiled for it again', () => {
    const { apply } = start();
    apply(ingress('two', 'api'));
    expect(apply(service('web', 81)).compiledObjects).toBe(1);
  });

  test('tells whose diagnostics changed', () => {
    const { apply } = start();
    const missing = apply(ingress('one', 'gone'));
    expect([...missing.diagnosticsChanged]).toEqual(['Ingress/default/one']);
    expect(missing.diagnostics.get('Ingress/default/one')?.map(({ code }) => code)).toEqual(['SP2101']);
    const found = apply(service('gone'));
    expect([...found.diagnosticsChanged]).toEqual(['Ingress/default/one']);
    expect(found.diagnostics.has('Ingress/default/one')).toBe(false);
  });

  test('an upstream goes when its last route does', () => {
    const { apply } = start();
    expect(apply(ingress('three', 'web')).changes.upstreams.removed).toEqual(['default/api:80']);
  });
});

describe('failure', () => {
  test('a compile that throws leaves nothing half done: the next one starts from nothing', () => {
    const { compiler, first } = start();
    const broken = { objects: {}, slicesByService: new Map() } as unknown as Snapshot;
    expect(() => compiler.compile(broken, [{ kind: 'Ingress', key: 'default/one' }])).toThrow(TypeError);
    const store = new SnapshotStore();
    const object = decodeObject(ingress('one', 'web'), { identity: 'content' }).object;
    if (object === undefined) throw new Error('not decoded');
    const result = compiler.compile(store.apply([{ type: 'set', object }]).snapshot, []);
    expect([...result.table.routes.keys()]).toEqual(['Ingress/default/one/0.0']);
    expect(result.changes.routes.set.length).toBe(1);
    expect(first.table.routes.size).toBe(3);
  });
});
