import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { ClientIdentity } from './tls/client-identity.ts';

const MAX_NAME_LENGTH = 256;

/** What the access log has on a refusal, so that whoever reads it can tell which certificate it was and what it lacks. */
export function clientRefusal(code: ErrorCodeName, identity: ClientIdentity | undefined): string {
  if (code === 'SP_MISDIRECTED')
    return identity === undefined
      ? 'the handshake named a host that asks for no certificate, or no host'
      : 'the handshake was held to what another host asks for, or this one did before';
  if (identity === undefined || identity.verdict === 'none') return '';
  const subject = `subject ${identity.subject.slice(0, MAX_NAME_LENGTH)}`;
  if (code === 'SP_CLIENT_CERT_FORBIDDEN') return subject;
  if (code !== 'SP_CLIENT_CERT_INVALID') return '';
  const reason = identity.verification.replace('FAILED:', '');
  // Nobody was asked where the authority cannot be used.
  if (identity.subject === '' && identity.issuer === '') return reason;
  return `${reason}: ${subject}, issuer ${identity.issuer.slice(0, MAX_NAME_LENGTH)}`;
}
