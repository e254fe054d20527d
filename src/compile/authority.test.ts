import { describe, expect, test } from '@jest/globals';

import { CompileSteps, ingressOf, secretOf, serviceOf, sliceOf } from '../../test/support/compile-steps.ts';
import { TestAuthority } from '../../test/support/test-authority.ts';
import type { ConfigMap, Secret } from '../model/core-objects.ts';
import { readAuthority, validityFault } from './authority.ts';
import { listDiagnostics } from './diagnostic-index.ts';
import { isRevocationList } from './revocation-list.ts';

const [one, two] = [TestAuthority.root('one'), TestAuthority.root('two')];
const revoked = one.revoke([one.client('gone')]);

const meta = {
  name: 'ca',
  namespace: 'team',
  uid: '1',
  resourceVersion: '1',
  generation: 1,
  createdAtMs: 0,
  labels: new Map<string, string>(),
  annotations: new Map<string, string>(),
};

function secret(data: Readonly<Record<string, string>>): Secret {
  const bytes = Object.entries(data).map(([key, text]) => [key, Buffer.from(text)] as const);
  return { kind: 'Secret', meta, type: 'Opaque', data: new Map(bytes) };
}

describe('an authority', () => {
  test('is what stands in PEM, and nothing between', () => {
    const plain = readAuthority(secret({ 'ca.crt': one.certificate + two.certificate }));
    const talkative = readAuthority(
      secret({ 'ca.crt': `# first\r\n${one.certificate}\nsecond:\n${two.certificate}bye` }),
    );
    expect(plain).toMatchObject({ id: 'team/ca', ca: one.certificate + two.certificate });
    expect(talkative).toEqual(plain);
  });

  test('comes with its revoked certificates', () => {
    const whole = readAuthority(secret({ 'ca.crt': one.certificate, 'ca.crl': revoked }));
    expect(whole).toMatchObject({ crl: revoked });
    const empty = readAuthority(secret({ 'ca.crt': one.certificate, 'ca.crl': '\n' }));
    expect(empty).not.toHaveProperty('crl');
  });

  test('of a ConfigMap has an id of its own', () => {
    const map: ConfigMap = { kind: 'ConfigMap', meta, data: new Map([['ca.crt', one.certificate]]) };
    expect(readAuthority(map)).toMatchObject({ id: 'ConfigMap/team/ca', ca: one.certificate });
  });

  test('is read once for each object', () => {
    const holder = secret({ 'ca.crt': one.certificate });
    expect(readAuthority(holder)).toBe(readAuthority(holder));
  });

  const damaged = one.certificate.replace(/\nMII/, '\nXII');
  test.each([
    ['nothing', {}, 'lacks ca.crt'],
    ['white space', { 'ca.crt': ' \n' }, 'lacks ca.crt'],
    ['a certificate elsewhere', { 'tls.crt': one.certificate }, 'lacks ca.crt'],
    ['garbage', { 'ca.crt': 'garbage' }, 'no readable PEM certificate'],
    ['a damaged certificate', { 'ca.crt': damaged }, 'no readable PEM certificate'],
    ['a good and a damaged one', { 'ca.crt': two.certificate + damaged }, 'no readable PEM certificate'],
    ['one that is cut off', { 'ca.crt': one.certificate.slice(0, -30) }, 'no readable PEM certificate'],
    [
      'a good one and one that is cut off',
      { 'ca.crt': two.certificate + one.certificate.slice(0, -30) },
      'no readable PEM certificate',
    ],
    ['a key', { 'ca.crt': one.client().key }, 'no readable PEM certificate'],
    ['a list that is none', { 'ca.crt': one.certificate, 'ca.crl': one.certificate }, 'no readable PEM list'],
    [
      'a list that is cut off',
      { 'ca.crt': one.certificate, 'ca.crl': revoked.replace(/\n.*\n-----END/, '\n-----END') },
      'no readable PEM list',
    ],
  ])('cannot be read from %s', (_, data, reason) => {
    expect(readAuthority(secret(data))).toEqual(expect.stringContaining(reason));
  });
});

describe('the shape of a list of revoked certificates', () => {
  const [, base64 = ''] = /-----BEGIN X509 CRL-----([\s\S]*)-----END/.exec(revoked) ?? [];
  const der = Buffer.from(base64, 'base64');

  test('is known', () => {
    expect(isRevocationList(der)).toBe(true);
  });

  test('is not that of any part of it, of more, or of a certificate', () => {
    const cuts = Array.from(der, (_, length) => der.subarray(0, length));
    expect(cuts.filter(isRevocationList)).toEqual([]);
    expect(isRevocationList(Buffer.concat([der, Buffer.of(0)]))).toBe(false);
    expect(isRevocationList(Buffer.from(one.client().key))).toBe(false);
  });

  test.each([
    ['an open end', [0x30, 0x80, 0x30, 0x00, 0x30, 0x00, 0x03, 0x00, 0x00, 0x00]],
    ['a length of five octets', [0x30, 0x85, 0, 0, 0, 0, 6, 0x30, 0x00, 0x30, 0x00, 0x03, 0x00]],
    ['a length that is not there', [0x30, 0x84, 0, 0]],
    ['two parts', [0x30, 0x04, 0x30, 0x00, 0x30, 0x00]],
    ['another part', [0x30, 0x06, 0x30, 0x00, 0x30, 0x00, 0x04, 0x00]],
  ])('is not that of one with %s', (_, bytes) => {
    expect(isRevocationList(Buffer.from(bytes))).toBe(false);
  });
});

describe('an authority in time', () => {
  const dayMs = 86_400_000;
  const at = (day: number): Date => new Date(day * dayMs);
  const old = TestAuthority.root('old', { validFrom: at(10), validTo: at(20) });
  const renewed = TestAuthority.root('new', { validFrom: at(30), validTo: at(40) });

  function faultAt(day: number, ...authorities: readonly TestAuthority[]): string | undefined {
    const text = authorities.map(({ certificate }) => certificate).join('');
    const authority = readAuthority(secret({ 'ca.crt': text }));
    if (typeof authority === 'string') throw new Error(authority);
    return validityFault(authority, day * dayMs);
  }

  test.each([
    [9, 'is not valid before 1970-01-11T00:00:00.000Z'],
    [10, undefined],
    [20, undefined],
    [21, 'has expired at 1970-01-21T00:00:00.000Z'],
  ])('on day %s of one that is valid from day 10 to 20', (day, fault) => {
    expect(faultAt(day, old)).toBe(fault);
  });

  test.each([
    [15, undefined],
    [25, 'is not valid before 1970-01-31T00:00:00.000Z'],
    [35, undefined],
    [45, 'has expired at 1970-02-10T00:00:00.000Z'],
  ])('on day %s of two, valid from day 10 to 20 and 30 to 40', (day, fault) => {
    expect([faultAt(day, old, renewed), faultAt(day, renewed, old)]).toEqual([fault, fault]);
  });

  test('is used all the same, and whoever refers to it is told', () => {
    const objects = [
      serviceOf('web'),
      sliceOf('web', '10.0.0.1'),
      secretOf('ca', { 'ca.crt': old.certificate }),
      ingressOf('web', { annotations: { 'auth-tls-secret': 'ca' } }),
    ];
    const told = (day: number): unknown => {
      const { table, diagnostics } = new CompileSteps({ now: () => day * dayMs }).set(...objects);
      const codes = listDiagnostics(diagnostics).map(({ code, message }) => `${code} ${message}`);
      return [table.hosts.get('web.example')?.clientAuth?.mode, ...codes];
    };
    expect(told(15)).toEqual(['on']);
    expect(told(25)).toEqual([
      'on',
      'SP2209 The authority of Secret "default/ca" has expired at 1970-01-21T00:00:00.000Z; certificates that it signed are refused',
    ]);
  });
});
