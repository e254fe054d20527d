import { describe, expect, test } from '@jest/globals';
import { sealEntry } from '../table/entry-digest.ts';
import type { ClientAuth, TableAuthority } from '../table/route-table.ts';
import { judgeCertificate } from './client-certificate.ts';
import { linkClientAuth } from './linked-client-auth.ts';
import type { CertificateVerdict, ClientIdentity } from './tls/client-identity.ts';

const authority = sealEntry<TableAuthority>('authorities', { id: 'team/ca', ca: 'PEM' });

function link(auth: Partial<ClientAuth> = {}, authorities: readonly TableAuthority[] = [authority]) {
  const { id, digest } = authority;
  const base = { mode: 'on', verifyDepth: 1, passCertificate: false, authority: { id, digest } } as const;
  return linkClientAuth({ ...base, ...auth }, (key) => authorities.find((each) => each.id === key));
}

const { policy } = link();

function identity(verdict: CertificateVerdict, more: Partial<ClientIdentity> = {}): ClientIdentity {
  const names = verdict === 'none' ? [] : ['CN=alice'];
  return {
    policy,
    verdict,
    verification: '',
    subject: '',
    issuer: '',
    commonNames: names,
    certificate: '',
    ...more,
  };
}

describe('every mode and verdict', () => {
  const missing = 'SP_CLIENT_CERT_MISSING';
  const invalid = 'SP_CLIENT_CERT_INVALID';
  const closed = 'SP_CLIENT_AUTH_CLOSED';

  test.each([
    ['on', 'success', undefined],
    ['on', 'none', missing],
    ['on', 'stranger', invalid],
    ['on', 'failed', invalid],
    ['optional', 'success', undefined],
    ['optional', 'none', undefined],
    ['optional', 'stranger', invalid],
    ['optional', 'failed', invalid],
    ['optional-no-ca', 'success', undefined],
    ['optional-no-ca', 'none', undefined],
    ['optional-no-ca', 'stranger', undefined],
    ['optional-no-ca', 'failed', invalid],
    ['closed', 'success', closed],
    ['closed', 'none', closed],
    ['closed', 'stranger', closed],
    ['closed', 'failed', closed],
  ] as const)('%s, %s: %s', (mode, verdict, expected) => {
    const auth = link({ mode });
    expect(judgeCertificate(auth, identity(verdict))).toBe(expected);
    // Whatever was shown, it was shown to somebody else.
    const misdirected = mode === 'closed' ? closed : 'SP_MISDIRECTED';
    expect(judgeCertificate(auth, identity(verdict, { policy: 'another' }))).toBe(misdirected);
    expect(judgeCertificate(auth, identity(verdict, { policy: '' }))).toBe(misdirected);
    expect(judgeCertificate(auth, undefined)).toBe(misdirected);
  });
});

describe('linking', () => {
  test.each([
    ['an authority that is missing', link({}, [])],
    ['an authority that is another by now', link({}, [{ ...authority, digest: 'other' }])],
    ['a pattern that is none', link({ matchCommonName: '(' })],
    ['a pattern with a look-ahead', link({ matchCommonName: 'CN=(?=a)' })],
    [
      'no authority at all',
      linkClientAuth({ mode: 'on', verifyDepth: 1, passCertificate: false }, () => authority),
    ],
  ])('closes for %s', (_, auth) => {
    expect(auth).toMatchObject({ mode: 'closed', policy: '', authority: undefined });
  });

  test('gives hosts with the same authority and depth the same policy, whatever else they want', () => {
    expect(link({ mode: 'optional', matchCommonName: 'CN=a', errorPage: 'https://a/' }).policy).toBe(policy);
    expect(link({ verifyDepth: 2 }).policy).not.toBe(policy);
  });
});
