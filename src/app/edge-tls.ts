import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createSecureContext } from 'node:tls';

import type { CertificatePair, TlsSettings } from '../proxy/tls/tls-settings.ts';
import type { Log } from '../telemetry/log.ts';
import { tls13Suites } from '../util/cipher-suites.ts';
import { createCertificate } from '../util/create-certificate.ts';
import { BindError, ListeningSockets } from '../workers/listening-sockets.ts';
import type { Settings } from './settings.ts';

const DEFAULT_PORT = 8443;
const SECRET_BYTES = 32;
const DAY_MS = 86_400_000;

/**
 * The sockets for HTTPS. A port that was asked for must be had: throws BindError. When none was, another process that has
 * the usual one (a second Sallyport on a developer's machine) is a reason to warn and to serve HTTP only.
 */
export function reserveHttps(settings: Settings, log: Log): ListeningSockets | undefined {
  const { address, httpsPort } = settings;
  if (httpsPort !== '') return ListeningSockets.reserve(address, httpsPort, '--https-port');
  try {
    return ListeningSockets.reserve(address, DEFAULT_PORT, '--https-port');
  } catch (error) {
    if (!(error instanceof BindError)) throw error;
    log.warn('no HTTPS: its port cannot be had', { reason: error.message });
    return undefined;
  }
}

/** How TLS is spoken. Throws an Error for the operator when the library does not take ciphers or curves. */
export function edgeTls(settings: Settings): TlsSettings {
  const { sslProtocols, sslCiphers, sslCurve } = settings;
  // Without one of them named, the library would leave TLS 1.3 out.
  const ciphers = sslCiphers.includes('TLS_') ? sslCiphers : [...tls13Suites, sslCiphers].join(':');
  const tls: TlsSettings = {
    minVersion: sslProtocols[0] ?? 'TLSv1.2',
    maxVersion: sslProtocols.at(-1) ?? 'TLSv1.3',
    ciphers,
    ecdhCurve: sslCurve,
    handshakeTimeoutMs: settings.handshakeTimeoutMs,
    ticketLifetimeSeconds: Math.max(1, Math.round(settings.sslSessionTimeoutMs / 1000)),
    fallback: selfSigned(new Date()),
    ticketSecrets: [randomBytes(SECRET_BYTES)],
  };
  const { minVersion, maxVersion, fallback } = tls;
  const pair = { cert: fallback.certificate, key: fallback.key, ca: [] };
  check('ssl-ciphers', sslCiphers, () => createSecureContext({ ...pair, minVersion, maxVersion, ciphers }));
  check('ssl-ecdh-curve', sslCurve, () => createSecureContext({ ca: [], ecdhCurve: sslCurve }));
  return tls;
}

/** What clients see that ask for a name without a certificate. Its names are ingress-nginx's, which tools look for. */
export function selfSigned(now: Date): CertificatePair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const name = { organization: 'Acme Co', commonName: 'Kubernetes Ingress Controller Fake Certificate' };
  const certificate = createCertificate({
    subject: name,
    issuer: name,
    publicKey,
    signingKey: privateKey,
    names: ['ingress.local'],
    notBefore: now,
    notAfter: new Date(now.getTime() + 365 * DAY_MS),
    serial: randomBytes(16),
  });
  const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { id: 'self-signed', digest: randomBytes(8).toString('hex'), certificate, key };
}

function check(flag: string, value: string, attempt: () => unknown): void {
  try {
    attempt();
  } catch (cause) {
    throw new Error(`Read --${flag}: ${JSON.stringify(value)} is not what the TLS library takes`, { cause });
  }
}
