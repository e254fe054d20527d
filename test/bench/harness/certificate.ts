import { randomBytes, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createCertificate } from '../../../src/util/create-certificate.ts';

/** How every proxy of one run speaks TLS: its certificate, and the one suite for each version. */
export interface Edge {
  readonly certificate: string;
  readonly key: string;
  /** PEM files of the same, and one that holds both. */
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly bothFile: string;
  /** Offered by ALPN before HTTP/1.1. */
  readonly http2: boolean;
}

/** Requests on one connection of HTTP/2: h2load opens no other one when this is reached. */
export const HTTP2_REQUESTS = 1_000_000_000;

// Left to themselves, some proxies take the client's choice and some their own.
export const TLS13_SUITE = 'TLS_AES_128_GCM_SHA256';
export const TLS12_SUITE = 'ECDHE-ECDSA-AES128-GCM-SHA256';
/** The second is the certificate's curve, without which TLS 1.2 does not take the certificate. */
export const GROUPS = ['X25519', 'P-256'];

/** A self-signed ECDSA certificate on P-256 for these names, made anew in this folder. */
export function createEdge(folder: string, names: readonly string[], http2: boolean): Edge {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const subject = { commonName: names[0] ?? 'bench' };
  const certificate = createCertificate({
    subject,
    issuer: subject,
    publicKey: pair.publicKey,
    signingKey: pair.privateKey,
    names,
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 10 * 86_400_000),
    serial: randomBytes(16),
  });
  const key = String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const edge = {
    certificateFile: join(folder, 'certificate.pem'),
    keyFile: join(folder, 'key.pem'),
    bothFile: join(folder, 'both.pem'),
  };
  writeFileSync(edge.certificateFile, certificate);
  writeFileSync(edge.keyFile, key, { mode: 0o600 });
  writeFileSync(edge.bothFile, certificate + key, { mode: 0o600 });
  return { ...edge, certificate, key, http2 };
}
