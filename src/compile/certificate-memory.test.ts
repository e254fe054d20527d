import { describe, expect, test } from '@jest/globals';
import { testPair } from '../../test/support/certificates.ts';
import { decodeObject } from '../model/decode-object.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import type { ModelObject } from '../model/snapshot.ts';
import { CertificateMemory } from './certificate-memory.ts';
import { defaultCompileOptions } from './compile-options.ts';
import { createCompiler } from './compiler.ts';
import { listDiagnostics } from './diagnostic-index.ts';

const options = { ...defaultCompileOptions, watchIngressWithoutClass: true };
const good = testPair(['a.example']);
const other = testPair(['b.example'], { type: 'rsa' });

function decode(raw: unknown): ModelObject {
  const { object } = decodeObject(raw, { identity: 'content' });
  if (object === undefined) throw new Error('not decoded');
  return object;
}

function secret(name: string, certificate: string, key: string): ModelObject {
  const data = { 'tls.crt': btoa(certificate), 'tls.key': btoa(key) };
  const metadata = { name, namespace: 'team' };
  return decode({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data });
}

const ingress = decode({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'site', namespace: 'team' },
  spec: {
    tls: [
      { hosts: ['a.example'], secretName: 'a' },
      { hosts: ['b.example'], secretName: 'b' },
    ],
    rules: [{ host: 'a.example' }, { host: 'b.example' }],
  },
});
const b = secret('b', other.certificate, other.key);

describe.each([
  ['a key of another certificate', good.certificate, other.key],
  ['garbage', 'garbage', good.key],
  [
    'garbage behind the certificate',
    `${good.certificate}${other.certificate.replace(/\nMII/, '\nXXX')}`,
    good.key,
  ],
  ['nothing', '', ''],
])('a Secret that comes to hold %s', (_, certificate, key) => {
  test('is served as it last was; other hosts are untouched', () => {
    const compiler = createCompiler({ ...options, certificateMemory: new CertificateMemory() });
    const first = compiler.compile(createSnapshot([ingress, secret('a', good.certificate, good.key), b]));
    const second = compiler.compile(createSnapshot([ingress, secret('a', certificate, key), b]));
    expect(second.table.certificates).toEqual(first.table.certificates);
    expect(second.table.hosts).toEqual(first.table.hosts);
    expect(listDiagnostics(second.diagnostics).map(({ code, message }) => [code, message])).toEqual([
      ['SP2202', expect.stringMatching(/; what it held before is used$/)],
    ]);
    const third = compiler.compile(createSnapshot([ingress, b]));
    expect([...third.table.certificates.keys()]).toEqual(['team/b']);
    const fourth = compiler.compile(createSnapshot([ingress, secret('a', certificate, key), b]));
    expect([...fourth.table.certificates.keys()]).toEqual(['team/b']);
  });
});

test('without a memory the default certificate takes its place', () => {
  const compiler = createCompiler(options);
  compiler.compile(createSnapshot([ingress, secret('a', good.certificate, good.key), b]));
  const { table, diagnostics } = compiler.compile(createSnapshot([ingress, secret('a', 'x', 'y'), b]));
  expect([...table.certificates.keys()]).toEqual(['team/b']);
  expect(listDiagnostics(diagnostics)[0]?.message).toMatch(/; the default certificate is used$/);
});

test('an expired certificate is served, and reported', () => {
  let now = Date.now();
  const compiler = createCompiler({ ...options, now: () => now });
  const objects = createSnapshot([ingress, secret('a', good.certificate, good.key), b]);
  expect(listDiagnostics(compiler.compile(objects).diagnostics)).toEqual([]);
  now += 11 * 86_400_000;
  const { table, diagnostics } = compiler.compile(objects, [{ kind: 'Secret', key: 'team/a' }]);
  expect(listDiagnostics(diagnostics).map(({ code }) => code)).toEqual(['SP2204', 'SP2204']);
  expect([...table.certificates.keys()].toSorted()).toEqual(['team/a', 'team/b']);
});
