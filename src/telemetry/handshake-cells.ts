import { tls12Suites, tls13Suites } from '../util/cipher-suites.ts';

/** Suites by name; what else is settable counts as `other`. */
const ciphersByVersion = {
  'TLSv1.2': [...tls12Suites, 'other'],
  'TLSv1.3': [...tls13Suites, 'other'],
} as const;

export interface HandshakeKind {
  readonly version: string;
  readonly cipher: string;
  readonly resumed: boolean;
}

/** Every kind of handshake that is counted apart, in the order of its cells. */
export const handshakeKinds: readonly HandshakeKind[] = Object.entries(ciphersByVersion).flatMap(
  ([version, ciphers]) =>
    ciphers.flatMap((cipher) => [false, true].map((resumed) => ({ version, cipher, resumed }))),
);

/**
 * Why handshakes fail. `closed`: the client left. `timeout`: it took too long. `garbage`: not TLS. `plain-http`: a request
 * without TLS. `version`, `cipher`, `alpn`: nothing that both sides take. `alert`: the client refused.
 */
export const handshakeFailures = [
  'closed',
  'timeout',
  'garbage',
  'plain-http',
  'version',
  'cipher',
  'alpn',
  'alert',
  'other',
] as const;

export type HandshakeFailure = (typeof handshakeFailures)[number];

/** Upper bounds in seconds. */
export const handshakeBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;

const places = new Map(
  handshakeKinds.map(({ version, cipher, resumed }, place) => [`${version} ${cipher} ${resumed}`, place]),
);

/** Place among `handshakeKinds`. */
export function handshakePlace({ version, cipher, resumed }: HandshakeKind): number {
  return (
    places.get(`${version} ${cipher} ${resumed}`) ??
    places.get(`${version} other ${resumed}`) ??
    (places.get(`TLSv1.3 other ${resumed}`) as number)
  );
}
