import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

// The least of X.509 v3 (RFC 5280) in DER (ITU-T X.690) that a certificate for servers needs. Values in, PEM out.

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
  /** Whether it may sign others. */
  readonly isAuthority?: boolean;
}

export interface DistinguishedName {
  readonly organization?: string;
  readonly commonName: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const NULL = 0x05;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const UTC_TIME = 0x17;
const BOOLEAN = 0x01;
const DNS_NAME = 0x82;
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

const trueValue = element(BOOLEAN, Buffer.of(0xff));

/** PEM of a certificate, signed with SHA-256. Throws for signing keys that are neither EC nor RSA. */
export function createCertificate(fields: CertificateFields): string {
  const algorithm = signatureAlgorithm(fields.signingKey);
  const body = element(
    SEQUENCE,
    element(VERSION_TAG, element(INTEGER, Buffer.of(2))),
    element(INTEGER, positive(fields.serial)),
    algorithm,
    distinguishedName(fields.issuer),
    element(SEQUENCE, time(fields.notBefore), time(fields.notAfter)),
    distinguishedName(fields.subject),
    fields.publicKey.export({ type: 'spki', format: 'der' }),
    element(EXTENSIONS_TAG, element(SEQUENCE, ...extensions(fields))),
  );
  const signature = sign('sha256', body, fields.signingKey);
  const certificate = element(SEQUENCE, body, algorithm, bitString(signature, 0));
  const lines = certificate.toString('base64').replace(/.{64}(?!$)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function signatureAlgorithm(key: KeyObject): Buffer {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return element(SEQUENCE, identifier('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256
    case 'rsa':
      return element(SEQUENCE, identifier('1.2.840.113549.1.1.11'), element(NULL)); // sha256WithRSAEncryption
    default:
      throw new Error(`signing a certificate: got a key of type ${key.asymmetricKeyType}, want ec or rsa`);
  }
}

function extensions({ names, isAuthority = false }: CertificateFields): readonly Buffer[] {
  const found = [
    extension('2.5.29.19', true, element(SEQUENCE, ...(isAuthority ? [trueValue] : []))), // basicConstraints
    // keyUsage: keyCertSign, or digitalSignature and keyEncipherment
    extension('2.5.29.15', true, isAuthority ? bitString(Buffer.of(0x04), 2) : bitString(Buffer.of(0xa0), 5)),
  ];
  if (!isAuthority) {
    const serverAuth = identifier('1.3.6.1.5.5.7.3.1');
    found.push(extension('2.5.29.37', false, element(SEQUENCE, serverAuth)));
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

function distinguishedName({ organization, commonName }: DistinguishedName): Buffer {
  const parts: (readonly [string, string])[] = [['2.5.4.3', commonName]];
  if (organization !== undefined) parts.unshift(['2.5.4.10', organization]);
  const sets = parts.map(([id, value]) =>
    element(SET, element(SEQUENCE, identifier(id), element(UTF8_STRING, Buffer.from(value, 'utf8')))),
  );
  return element(SEQUENCE, ...sets);
}

/** RFC 5280 §4.1.2.5: two digits for the year up to 2049. */
function time(moment: Date): Buffer {
  const digits = `${moment.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  return moment.getUTCFullYear() < 2050
    ? element(UTC_TIME, Buffer.from(digits.slice(2)))
    : element(GENERALIZED_TIME, Buffer.from(digits));
}

function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): readonly number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

function bitString(bits: Buffer, unusedBits: number): Buffer {
  return element(BIT_STRING, Buffer.of(unusedBits), bits);
}

/** Without leading zeros, and with its top bit clear. */
function positive(serial: Uint8Array): Buffer {
  const bytes = Buffer.from(serial);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function element(tag: number, ...content: readonly Buffer[]): Buffer {
  const value = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(value.length)]), value]);
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff];
}
