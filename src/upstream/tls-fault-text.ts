/** Faults of TLS with an endpoint by their codes (OpenSSL's and Node's), in words that tell where to look. */
const texts: ReadonlyMap<string, string> = new Map([
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'the endpoint does not speak TLS'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'the endpoint does not speak TLS'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'no version of TLS in common'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'no version of TLS in common'],
  [
    'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    'the endpoint refuses: no cipher in common, or no certificate that it wants',
  ],
  [
    'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    'the endpoint does not offer the version of HTTP that is asked for (ALPN)',
  ],
  ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'the endpoint does not know the name in the handshake (SNI)'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'the endpoint asks for a certificate of its client'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'the endpoint does not take the certificate that it is shown'],
  [
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    'the endpoint does not know who signed the certificate that it is shown',
  ],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['CERT_REVOKED', 'its certificate is revoked'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'its certificate is signed by nobody who is believed'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate is signed by nobody who is believed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is signed by nobody who is believed'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is signed by itself, and not believed'],
]);

/** `words (CODE)`; the code alone where there are no words for it. */
export function tlsFaultText(code: string): string {
  const text = texts.get(code);
  return text === undefined ? code : `${text} (${code})`;
}
