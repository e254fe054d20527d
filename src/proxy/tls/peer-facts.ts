import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

import type { PeerFacts, PeerFault } from './client-identity.ts';

/** What a client may send as its certificates, all together. */
const MAX_CHAIN_BYTES = 64 * 1024;

/** Where tls.Server reads the outcome of verification, which a TLSSocket by itself does not tell. */
interface Verified {
  readonly _handle?: { verifyError?(): (Error & { readonly code?: string }) | null | undefined } | null;
}

const unread: PeerFault = { code: 'UNSPECIFIED', reason: 'verification not told' };

/** Reads what a handshake with `requestCert` left behind; 'too-large' for a chain that nobody needs. */
export function readPeer(secure: TLSSocket): PeerFacts | 'too-large' {
  const resumed = secure.isSessionReused();
  const leaf = secure.getPeerX509Certificate();
  if (leaf === undefined) return { leaf, sent: [], resumed, fault: undefined };
  const sent: X509Certificate[] = [];
  let bytes = leaf.raw.length;
  // Not by issuer: one after the other as they were sent, so that this ends.
  for (let above = leaf.issuerCertificate; above !== undefined; above = above.issuerCertificate) {
    sent.push(above);
    bytes += above.raw.length;
    if (bytes > MAX_CHAIN_BYTES) return 'too-large';
  }
  return { leaf, sent, resumed, fault: verificationFault(secure) };
}

function verificationFault(secure: TLSSocket): PeerFault | undefined {
  const { _handle: handle } = secure as TLSSocket & Verified;
  // Should the library cease to tell, nobody passes.
  if (typeof handle?.verifyError !== 'function') return unread;
  const error = handle.verifyError();
  if (error === null || error === undefined) return undefined;
  return { code: error.code ?? unread.code, reason: printable(error.message) };
}

/** It goes into a header field, without Node's advice to operators. */
function printable(text: string): string {
  return text.replace(/;.*$/s, '').replace(/[^\x20-\x7e]/g, '?');
}
