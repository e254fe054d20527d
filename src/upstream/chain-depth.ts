import type { X509Certificate } from 'node:crypto';

import { hasIssued } from '../util/certificate-bundle.ts';

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
