/** What came of asking a client for its certificate, in one handshake. Kept as long as the connection. */
export interface ClientIdentity {
  /**
   * Digest of what the handshake was held to: authority, mode and depth. A request whose host wants another policy is
   * misdirected (421), whatever certificate there is.
   */
  readonly policy: string;
  /** `SUCCESS`, `NONE` or `FAILED:reason`: nginx's $ssl_client_verify. */
  readonly verification: string;
  /** RFC 2253 text; '' without a certificate. */
  readonly subject: string;
  readonly issuer: string;
  /** URL-encoded PEM; '' without a certificate. */
  readonly certificate: string;
}
