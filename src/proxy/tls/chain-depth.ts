import { X509Certificate } from 'node:crypto';

/** How far it is from a client's certificate to a root that is believed. */
export interface ChainDepth {
  /** Certificates between the two; stops counting one past the limit. */
  readonly depth: number;
  /** Whether some of them came from the client: then a resumed session, which keeps its own certificate only, cannot tell. */
  readonly sent: boolean;
}

/**
 * Counts along the way that the TLS library has found good, which Node does not show: believed certificates go before those
 * that were sent. Undefined when there is no such way.
 */
export function chainDepth(
  leaf: X509Certificate,
  {
    believed,
    sent,
  }: { readonly believed: readonly X509Certificate[]; readonly sent: readonly X509Certificate[] },
  limit: number,
): ChainDepth | undefined {
  let current = leaf;
  let fromClient = false;
  for (let depth = 0; depth <= limit + 1; depth++) {
    if (believed.some(({ fingerprint256 }) => fingerprint256 === current.fingerprint256) && isRoot(current))
      return { depth: Math.max(0, depth - 1), sent: fromClient };
    const above = believed.find((candidate) => hasIssued(candidate, current));
    const next = above ?? sent.find((candidate) => hasIssued(candidate, current));
    if (next === undefined) return undefined;
    fromClient ||= above === undefined;
    current = next;
  }
  return { depth: limit + 1, sent: fromClient };
}

/** The certificates of a PEM bundle; those that cannot be read are left out, as the TLS library leaves them out. */
export function readBundle(pem: string): readonly X509Certificate[] {
  const found: X509Certificate[] = [];
  for (const [block] of pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)) {
    try {
      found.push(new X509Certificate(block));
    } catch {
      continue;
    }
  }
  return found;
}

function isRoot(certificate: X509Certificate): boolean {
  return hasIssued(certificate, certificate);
}

function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
