import type { KeyObject } from 'node:crypto';

import {
  OCTET_STRING,
  SEQUENCE,
  bitString,
  element,
  identifier,
  integer,
  serialNumber,
  time,
  trueValue,
} from './der.ts';
import { distinguishedName, signatureAlgorithm, signedPem } from './signed-pem.ts';
import type { DistinguishedName } from './signed-pem.ts';

// The least of X.509 v3 (RFC 5280) that certificates of servers and clients need. Values in, PEM out.

export interface CertificateFields {
  readonly subject: DistinguishedName;
  /** The subject itself for a self-signed certificate. */
  readonly issuer: DistinguishedName;
  readonly publicKey: KeyObject;
  /** The issuer's, EC or RSA. */
  readonly signingKey: KeyObject;
  /** DNS names of the subject; empty for none. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Up to 20 bytes; made a positive number. */
  readonly serial: Uint8Array;
  /** Whether it may sign others, and lists of revoked ones. */
  readonly isAuthority?: boolean;
  /** What it may be used for; empty: anything. Left out: servers, and anything for an authority. */
  readonly purposes?: readonly CertificatePurpose[];
}

export type CertificatePurpose = 'server' | 'client';

const DNS_NAME = 0x82;
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

const purposeIds: Readonly<Record<CertificatePurpose, string>> = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
};

/** PEM of a certificate, signed with SHA-256. Throws for signing keys that are neither EC nor RSA. */
export function createCertificate(fields: CertificateFields): string {
  const body = element(
    SEQUENCE,
    element(VERSION_TAG, integer(2)),
    serialNumber(fields.serial),
    signatureAlgorithm(fields.signingKey),
    distinguishedName(fields.issuer),
    element(SEQUENCE, time(fields.notBefore), time(fields.notAfter)),
    distinguishedName(fields.subject),
    fields.publicKey.export({ type: 'spki', format: 'der' }),
    element(EXTENSIONS_TAG, element(SEQUENCE, ...extensions(fields))),
  );
  return signedPem('CERTIFICATE', body, fields.signingKey);
}

function extensions(fields: CertificateFields): readonly Buffer[] {
  const { names, isAuthority = false, purposes = isAuthority ? [] : ['server'] } = fields;
  const found = [
    extension('2.5.29.19', true, element(SEQUENCE, ...(isAuthority ? [trueValue] : []))), // basicConstraints
    // keyUsage: keyCertSign and cRLSign, or digitalSignature and keyEncipherment
    extension('2.5.29.15', true, isAuthority ? bitString(Buffer.of(0x06), 1) : bitString(Buffer.of(0xa0), 5)),
  ];
  if (purposes.length > 0) {
    const ids = purposes.map((purpose) => identifier(purposeIds[purpose]));
    found.push(extension('2.5.29.37', false, element(SEQUENCE, ...ids))); // extKeyUsage
  }
  if (names.length > 0) {
    const list = names.map((name) => element(DNS_NAME, Buffer.from(name, 'latin1')));
    found.push(extension('2.5.29.17', false, element(SEQUENCE, ...list)));
  }
  return found;
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return element(SEQUENCE, identifier(id), ...(critical ? [trueValue] : []), element(OCTET_STRING, value));
}
