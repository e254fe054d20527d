import { expect, test } from '@jest/globals';
import { decodeObject } from '../model/decode-object.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import type { ModelObject } from '../model/snapshot.ts';
import { defaultCompileOptions } from './compile-options.ts';
import { createCompiler } from './compiler.ts';

const options = { ...defaultCompileOptions, watchIngressWithoutClass: true };

function decode(raw: unknown): ModelObject {
  const { object } = decodeObject(raw, { identity: 'content' });
  if (object === undefined) throw new Error('not decoded');
  return object;
}

const service = decode({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'team' },
  spec: { ports: [{ port: 80 }] },
});

function ingress(name: string, host: string, tlsHosts: readonly string[]): ModelObject {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const rules = [
    { host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } },
    ...tlsHosts.map((tlsHost) => ({ host: tlsHost })),
  ];
  return decode({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'team' },
    spec: { rules, tls: tlsHosts.length === 0 ? [] : [{ hosts: tlsHosts }] },
  });
}

const site = [service, ingress('a', 'a.example', []), ingress('b', 'b.example', [])];

test.each([
  [['a.example'], ['a']],
  [['*.example'], ['a', 'b']],
  [['c.example'], []],
  [
    ['a.example', '*.example'],
    ['a', 'b'],
  ],
])('hosts that gain or lose TLS by another object (%j) gain or lose the redirect', (tlsHosts, expected) => {
  const compiler = createCompiler(options);
  const redirecting = (objects: readonly ModelObject[]): readonly string[] => {
    const { table } = compiler.compile(createSnapshot(objects));
    expect(table).toEqual(createCompiler(options).compile(createSnapshot(objects)).table);
    const routes = [...table.routes.values()].filter(({ filters }) => filters.length > 0);
    return routes.map(({ origin }) => origin.name).toSorted();
  };
  expect(redirecting(site)).toEqual([]);
  expect(redirecting([...site, ingress('tls', 'one.other', tlsHosts)])).toEqual(expected);
  expect(
    redirecting([...site, ingress('tls', 'one.other', tlsHosts), ingress('more', 'two.other', tlsHosts)]),
  ).toEqual(expected);
  expect(redirecting([...site, ingress('more', 'two.other', tlsHosts)])).toEqual(expected);
  expect(redirecting(site)).toEqual([]);
});
