import { X509Certificate } from 'node:crypto';

/**
 * Certificates between an endpoint's and the root of the way that the TLS library found good, which Node does not show;
 * believed certificates go before those that were sent. Stops counting one past `limit`.
 */
export function chainDepth(
  leaf: X509Certificate,
  believed: readonly X509Certificate[],
  limit: number,
): number {
  let current = leaf;
  for (let depth = 0; depth <= limit; depth++) {
    const issuer = believed.find((candidate) => hasIssued(candidate, current)) ?? current.issuerCertificate;
    // What was sent ends below a public root.
    if (issuer === undefined || hasIssued(current, current) || hasIssued(issuer, issuer)) return depth;
    current = issuer;
  }
  return limit + 1;
}

/** The certificates of a PEM bundle; those that cannot be read are left out, as the TLS library leaves them out. */
export function readBundle(pem = ''): readonly X509Certificate[] {
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

function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
