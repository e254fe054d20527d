/** How TLS is spoken with clients. Plain data: it travels to workers. Never printed: it holds keys. */
export interface TlsSettings {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** In OpenSSL's notation, suites of TLS 1.3 among them. */
  readonly ciphers: string;
  /** Names of groups with colons between, or `auto`. */
  readonly ecdhCurve: string;
  /** From the accepted connection to the end of the handshake. */
  readonly handshakeTimeoutMs: number;
  /** How long a ticket may be used. */
  readonly ticketLifetimeSeconds: number;
  /** Served where the table has no certificate for a name, and none for every name. */
  readonly fallback: CertificatePair;
  /** Secrets that the keys of tickets are made from, the newest first; it seals, all of them open. */
  readonly ticketSecrets: readonly Uint8Array[];
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** PEM; `id` and `digest` as of a TableCertificate. */
export interface CertificatePair {
  readonly id: string;
  readonly digest: string;
  readonly certificate: string;
  readonly key: string;
}
