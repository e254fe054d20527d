import type { X509Certificate } from 'node:crypto';

import { chainDepth } from './chain-depth.ts';
import { commonNames, rfc2253 } from './distinguished-name.ts';

/**
 * What came of asking a client for its certificate. `stranger`: whoever signed it is not believed, or not at that depth, and
 * nothing else is known to be wrong. `failed`: it is expired, revoked, for another purpose, or too large.
 */
export type CertificateVerdict = 'success' | 'none' | 'stranger' | 'failed';

/** What a client proved in one handshake. Kept as long as the connection. */
export interface ClientIdentity {
  /**
   * What the handshake was held to (LinkedClientAuth): authority and depth. A request whose host wants another policy is
   * misdirected (421), whatever certificate there is. '' when the handshake cannot say enough for any policy.
   */
  readonly policy: string;
  readonly verdict: CertificateVerdict;
  /** `SUCCESS`, `NONE` or `FAILED:reason`: nginx's $ssl_client_verify. */
  readonly verification: string;
  /** RFC 2253 text; '' without a certificate. */
  readonly subject: string;
  readonly issuer: string;
  /** The `CN=…` of the subject. */
  readonly commonNames: readonly string[];
  /** URL-encoded PEM; '' without a certificate. */
  readonly certificate: string;
}

/** What a handshake left behind. */
export interface PeerFacts {
  readonly leaf: X509Certificate | undefined;
  /** What the client sent behind it; nothing in a resumed session. */
  readonly sent: readonly X509Certificate[];
  readonly resumed: boolean;
  /** What the TLS library found wrong. */
  readonly fault: PeerFault | undefined;
}

export interface PeerFault {
  /** OpenSSL's name without `X509_V_ERR_`. */
  readonly code: string;
  readonly reason: string;
}

export interface IdentityPolicy {
  readonly policy: string;
  readonly verifyDepth: number;
  readonly believed: readonly X509Certificate[];
}

/** A certificate is part of the session ticket, which must come back in one ClientHello. */
const MAX_CERTIFICATE_BYTES = 8 * 1024;

/** Those that nginx lets pass where any authority will do. */
const strangerFaults: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
  'CERT_CHAIN_TOO_LONG',
]);
const tooLong: PeerFault = { code: 'CERT_CHAIN_TOO_LONG', reason: 'certificate chain too long' };
const tooLarge: PeerFault = { code: 'CERT_TOO_LARGE', reason: 'certificate too large' };
const expired: PeerFault = { code: 'CERT_HAS_EXPIRED', reason: 'certificate has expired' };

/**
 * Who the client is. `fromClient`: intermediates of its chain are known from this handshake only, so that sessions under
 * this authority should not be resumed: what is left of them cannot tell how long the chain was.
 */
export function identify(
  facts: PeerFacts,
  policy: IdentityPolicy,
  nowMs: number,
): { readonly identity: ClientIdentity; readonly fromClient: boolean } {
  const { leaf, sent, resumed } = facts;
  if (leaf === undefined) return { identity: anonymous(policy.policy), fromClient: false };
  let fault = facts.fault ?? faultOf(leaf, nowMs);
  let held = policy.policy;
  let fromClient = false;
  if (fault === undefined) {
    const chain = chainDepth(leaf, { believed: policy.believed, sent }, policy.verifyDepth);
    fromClient = chain === undefined || chain.sent;
    if (chain === undefined && resumed) held = '';
    else if (chain === undefined || chain.depth > policy.verifyDepth) fault = tooLong;
  }
  return { identity: new PeerIdentity(held, leaf, fault), fromClient };
}

/** Beyond what the library looks at: it does not look at the time again when it resumes a session. */
function faultOf(leaf: X509Certificate, nowMs: number): PeerFault | undefined {
  if (leaf.raw.length > MAX_CERTIFICATE_BYTES) return tooLarge;
  return leaf.validToDate.getTime() < nowMs ? expired : undefined;
}

/** Where the TLS library does not take what clients would be held to: nobody is asked, and nobody passes. */
export function unjudged(policy: string): ClientIdentity {
  return { ...anonymous(policy), verdict: 'failed', verification: 'FAILED:authority not usable' };
}

function anonymous(policy: string): ClientIdentity {
  return {
    policy,
    verdict: 'none',
    verification: 'NONE',
    subject: '',
    issuer: '',
    commonNames: [],
    certificate: '',
  };
}

class PeerIdentity implements ClientIdentity {
  readonly policy: string;
  readonly verdict: CertificateVerdict;
  readonly verification: string;
  readonly subject: string;
  readonly issuer: string;
  readonly commonNames: readonly string[];
  readonly #leaf: X509Certificate;
  #certificate = '';

  constructor(policy: string, leaf: X509Certificate, fault: PeerFault | undefined) {
    this.policy = policy;
    this.verdict = fault === undefined ? 'success' : strangerFaults.has(fault.code) ? 'stranger' : 'failed';
    this.verification = fault === undefined ? 'SUCCESS' : `FAILED:${fault.reason}`;
    this.subject = rfc2253(leaf.subject);
    this.issuer = rfc2253(leaf.issuer);
    this.commonNames = commonNames(leaf.subject);
    this.#leaf = leaf;
  }

  /** Few hosts pass it on, so it is written when the first one does. */
  get certificate(): string {
    if (this.#certificate === '') this.#certificate = encodeURIComponent(this.#leaf.toString());
    return this.#certificate;
  }
}
