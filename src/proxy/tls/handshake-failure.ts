import type { HandshakeFailure } from '../../telemetry/handshake-cells.ts';

const byCode: ReadonlyMap<string, HandshakeFailure> = new Map([
  ['ERR_SSL_NO_SHARED_CIPHER', 'cipher'],
  ['ERR_SSL_NO_SUITABLE_KEY_SHARE', 'cipher'],
  ['ERR_SSL_NO_SUITABLE_GROUPS', 'cipher'],
  ['ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM', 'cipher'],
  ['ERR_SSL_NO_APPLICATION_PROTOCOL', 'alpn'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'version'],
  ['ERR_SSL_VERSION_TOO_LOW', 'version'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'version'],
  ['ECONNRESET', 'closed'],
  ['EPIPE', 'closed'],
]);

/** What a handshake failed for, from the code of the library's or the system's error. */
export function handshakeFailure(code: string | undefined): HandshakeFailure {
  if (code === undefined) return 'other';
  const known = byCode.get(code);
  if (known !== undefined) return known;
  // The client's word: it does not like the certificate, most often.
  return code.includes('_ALERT_') ? 'alert' : 'other';
}
