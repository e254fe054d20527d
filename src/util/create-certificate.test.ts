import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { describe, expect, test } from '@jest/globals';
import { createCertificate } from './create-certificate.ts';
import type { CertificateFields } from './create-certificate.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function fields(pair: Pair, more: Partial<CertificateFields> = {}): CertificateFields {
  const name = { organization: 'Örg', commonName: 'a.example' };
  return {
    subject: name,
    issuer: name,
    publicKey: pair.publicKey,
    signingKey: pair.privateKey,
    names: ['a.example', '*.b.example'],
    notBefore: new Date('2026-01-02T03:04:05Z'),
    notAfter: new Date('2051-01-02T03:04:05Z'),
    serial: Buffer.from('00ff112233', 'hex'),
    ...more,
  };
}

describe.each([
  ['EC', ec],
  ['RSA', rsa],
] as const)('%s', (_, pair) => {
  test('a self-signed certificate says what it was made with', () => {
    const read = new X509Certificate(createCertificate(fields(pair)));
    expect(read.subject).toBe('O=Örg\nCN=a.example');
    expect(read.issuer).toBe(read.subject);
    expect(read.subjectAltName).toBe('DNS:a.example, DNS:*.b.example');
    expect(read.validFromDate).toEqual(new Date('2026-01-02T03:04:05Z'));
    expect(read.validToDate).toEqual(new Date('2051-01-02T03:04:05Z'));
    expect(read.serialNumber).toBe('40FF112233');
    expect(read.ca).toBe(false);
    expect(read.verify(pair.publicKey)).toBe(true);
    expect(read.checkPrivateKey(pair.privateKey)).toBe(true);
    expect(read.checkHost('x.b.example')).toBe('*.b.example');
  });

  test('an authority issues one for another key', () => {
    const authority = fields(pair, {
      subject: { commonName: 'root' },
      issuer: { commonName: 'root' },
      names: [],
      isAuthority: true,
    });
    const root = new X509Certificate(createCertificate(authority));
    const leaf = createCertificate({
      ...fields(ec),
      issuer: { commonName: 'root' },
      signingKey: pair.privateKey,
    });
    expect(root.ca).toBe(true);
    expect(new X509Certificate(leaf).checkIssued(root)).toBe(true);
    expect(new X509Certificate(leaf).verify(pair.publicKey)).toBe(true);
  });
});

test('a key that cannot sign here is refused', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  expect(() => createCertificate({ ...fields(ec), publicKey, signingKey: privateKey })).toThrow(
    'signing a certificate: got a key of type ed25519, want ec or rsa',
  );
});
