import { expect, test } from '@jest/globals';

import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import { clientRefusal } from './client-refusal.ts';
import { unjudged } from './tls/client-identity.ts';
import type { ClientIdentity } from './tls/client-identity.ts';

const alice: ClientIdentity = {
  ...unjudged('policy'),
  verdict: 'stranger',
  verification: 'FAILED:self-signed certificate',
  subject: 'CN=alice,O=Acme',
  issuer: 'CN=elsewhere',
};
const nobody: ClientIdentity = { ...unjudged('policy'), verdict: 'none', verification: 'NONE' };

test.each<[ErrorCodeName, ClientIdentity | undefined, string]>([
  ['SP_CLIENT_CERT_INVALID', alice, 'self-signed certificate: subject CN=alice,O=Acme, issuer CN=elsewhere'],
  ['SP_CLIENT_CERT_INVALID', unjudged('policy'), 'authority not usable'],
  ['SP_CLIENT_CERT_FORBIDDEN', alice, 'subject CN=alice,O=Acme'],
  ['SP_CLIENT_CERT_FORBIDDEN', nobody, ''],
  ['SP_CLIENT_CERT_MISSING', nobody, ''],
  ['SP_CLIENT_AUTH_CLOSED', alice, ''],
  ['SP_MISDIRECTED', undefined, 'the handshake named a host that asks for no certificate, or no host'],
  ['SP_MISDIRECTED', nobody, 'the handshake was held to what another host asks for, or this one did before'],
])('%s', (code, identity, detail) => {
  expect(clientRefusal(code, identity)).toBe(detail);
});

test('a name without end does not fill the log', () => {
  const long = { ...alice, subject: 'C'.repeat(9000), issuer: 'C'.repeat(9000) };
  expect(clientRefusal('SP_CLIENT_CERT_INVALID', long).length).toBeLessThan(700);
});
