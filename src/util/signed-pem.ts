import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { SEQUENCE, SET, UTF8_STRING, bitString, element, identifier, nullValue } from './der.ts';

/** What certificates and lists of revoked ones have in common (RFC 5280 §4.1, §5.1). */
export interface DistinguishedName {
  readonly organization?: string;
  /** '' for none. */
  readonly commonName: string;
}

export function distinguishedName({ organization, commonName }: DistinguishedName): Buffer {
  const parts: (readonly [string, string])[] = [];
  if (organization !== undefined) parts.push(['2.5.4.10', organization]);
  if (commonName !== '') parts.push(['2.5.4.3', commonName]);
  const sets = parts.map(([id, value]) =>
    element(SET, element(SEQUENCE, identifier(id), element(UTF8_STRING, Buffer.from(value, 'utf8')))),
  );
  return element(SEQUENCE, ...sets);
}

/** Of signatures with SHA-256. Throws for keys that are neither EC nor RSA. */
export function signatureAlgorithm(key: KeyObject): Buffer {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return element(SEQUENCE, identifier('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256
    case 'rsa':
      return element(SEQUENCE, identifier('1.2.840.113549.1.1.11'), nullValue); // sha256WithRSAEncryption
    default:
      throw new Error(`signing a certificate: got a key of type ${key.asymmetricKeyType}, want ec or rsa`);
  }
}

/** PEM of what is signed, with its signature. */
export function signedPem(label: 'CERTIFICATE' | 'X509 CRL', body: Buffer, key: KeyObject): string {
  const signature = sign('sha256', body, key);
  const whole = element(SEQUENCE, body, signatureAlgorithm(key), bitString(signature, 0));
  const lines = whole.toString('base64').replace(/.{64}(?!$)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
