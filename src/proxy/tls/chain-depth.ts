import type { X509Certificate } from 'node:crypto';

import { hasIssued } from '../../util/certificate-bundle.ts';

/** How far it is from a client's certificate to a root that is believed. */
export interface ChainDepth {
  /** Certificates between the two; stops counting one past the limit. */
  readonly depth: number;
  /** Whether some of them came from the client: then a resumed session, which keeps its own certificate only, cannot tell. */
  readonly sent: boolean;
}

/** Where issuers are looked for, in this order. */
export interface Issuers {
  readonly believed: readonly X509Certificate[];
  readonly sent: readonly X509Certificate[];
}

/**
 * Counts along the way that the TLS library has found good, which Node does not show. Undefined when there is no such way:
 * after a resumption, where nothing was sent.
 */
export function chainDepth(
  leaf: X509Certificate,
  { believed, sent }: Issuers,
  limit: number,
): ChainDepth | undefined {
  let current = leaf;
  let fromClient = false;
  for (let depth = 0; depth <= limit + 1; depth++) {
    if (isRootAmong(believed, current)) return { depth: Math.max(0, depth - 1), sent: fromClient };
    const above = believed.find((candidate) => hasIssued(candidate, current));
    const next = above ?? sent.find((candidate) => hasIssued(candidate, current));
    if (next === undefined) return undefined;
    fromClient ||= above === undefined;
    current = next;
  }
  return { depth: limit + 1, sent: fromClient };
}

/** What is believed needs no signature: it names itself as its issuer. */
function isRootAmong(believed: readonly X509Certificate[], certificate: X509Certificate): boolean {
  return (
    certificate.checkIssued(certificate) &&
    believed.some(({ fingerprint256 }) => fingerprint256 === certificate.fingerprint256)
  );
}
