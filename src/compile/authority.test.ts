import { describe, expect, test } from '@jest/globals';

import { TestAuthority } from '../../test/support/test-authority.ts';
import type { ConfigMap, Secret } from '../model/core-objects.ts';
import { readAuthority } from './authority.ts';
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
