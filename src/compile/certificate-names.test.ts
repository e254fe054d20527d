import { expect, test } from '@jest/globals';

import { TestAuthority } from '../../test/support/test-authority.ts';
import { decodeObject } from '../model/decode-object.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import type { ModelObject } from '../model/snapshot.ts';
import { defaultCompileOptions } from './compile-options.ts';
import { createCompiler } from './compiler.ts';
import { listDiagnostics } from './diagnostic-index.ts';

function decode(raw: unknown): ModelObject {
  const { object } = decodeObject(raw, { identity: 'content' });
  if (object === undefined) throw new Error('not decoded');
  return object;
}

/** What is said of an Ingress with these TLS hosts and a certificate for these names. */
function said(names: readonly string[], hosts: readonly string[]): readonly string[] {
  const { certificate, key } = TestAuthority.root('edge').client('server', { names, purposes: ['server'] });
  const paths = [
    { path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } },
  ];
  const objects = [
    decode({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'cert', namespace: 'team' },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': btoa(certificate), 'tls.key': btoa(key) },
    }),
    decode({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'shop', namespace: 'team' },
      spec: { tls: [{ hosts, secretName: 'cert' }], rules: hosts.map((host) => ({ host, http: { paths } })) },
    }),
  ];
  const options = { ...defaultCompileOptions, watchIngressWithoutClass: true };
  const { diagnostics } = createCompiler(options).compile(createSnapshot(objects));
  return listDiagnostics(diagnostics)
    .filter(({ code }) => code === 'SP2210')
    .map(({ message }) => message);
}

test.each([
  [['a.example'], ['a.example'], []],
  [['*.example'], ['a.example', '*.example'], []],
  [['A.Example'], ['a.example'], []],
  [['*.example'], ['a.b.example'], ['"*.example", not for "a.b.example"']],
  [['a.example'], ['*.example'], ['"a.example", not for "*.example"']],
  [
    ['a.example', 'b.example', 'c.example', 'd.example'],
    ['d.example', 'e.example'],
    ['"a.example", "b.example", "c.example" and 1 more, not for "e.example"'],
  ],
])('a certificate for %j, served for %j', (names, hosts, expected) => {
  expect(said(names, hosts)).toEqual(
    expected.map((text) => `Secret "team/cert" holds a certificate for ${text}`),
  );
});
