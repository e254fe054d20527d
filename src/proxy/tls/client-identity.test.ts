import { X509Certificate } from 'node:crypto';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TestAuthority } from '../../../test/support/test-authority.ts';
import { readBundle } from '../../util/certificate-bundle.ts';
import { identify } from './client-identity.ts';
import type { PeerFacts } from './client-identity.ts';

const root = TestAuthority.root();
const middle = root.intermediate();
const alice = root.client('alice', { organization: 'Ops' });
const deep = middle.client('deep');
const policy = { policy: 'held', verifyDepth: 1, believed: readBundle(root.certificate) };
const now = Date.now();

function facts(certificate: string, more: Partial<PeerFacts> = {}): PeerFacts {
  const [leaf, ...sent] = readBundle(certificate);
  return { leaf, sent, resumed: false, fault: undefined, ...more };
}

test('who the client is', () => {
  const { identity, fromClient } = identify(facts(alice.certificate), policy, now);
  expect(fromClient).toBe(false);
  expect(identity).toMatchObject({
    policy: 'held',
    verdict: 'success',
    verification: 'SUCCESS',
    subject: 'CN=alice,O=Ops',
    issuer: 'CN=test authority',
    commonNames: ['CN=alice'],
  });
  expect(new X509Certificate(decodeURIComponent(identity.certificate)).toString()).toBe(alice.certificate);
});

test('nobody', () => {
  const { identity } = identify(facts(''), policy, now);
  expect(identity).toMatchObject({ policy: 'held', verdict: 'none', verification: 'NONE', certificate: '' });
});

test.each([
  ['SELF_SIGNED_CERT_IN_CHAIN', 'stranger'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'stranger'],
  ['CERT_HAS_EXPIRED', 'failed'],
  ['CERT_REVOKED', 'failed'],
  ['UNABLE_TO_GET_CRL', 'failed'],
  ['INVALID_PURPOSE', 'failed'],
  ['something new', 'failed'],
])('%s: %s', (code, verdict) => {
  const { identity } = identify(facts(alice.certificate, { fault: { code, reason: 'why' } }), policy, now);
  expect(identity).toMatchObject({
    policy: 'held',
    verdict,
    verification: 'FAILED:why',
    subject: 'CN=alice,O=Ops',
  });
});

test('a chain that is too long', () => {
  const { identity } = identify(facts(deep.certificate), { ...policy, verifyDepth: 0 }, now);
  expect(identity).toMatchObject({ verdict: 'stranger', verification: 'FAILED:certificate chain too long' });
});

test('a certificate that would not fit into a ticket', () => {
  const names = Array.from({ length: 300 }, (_, index) => `host-${index}.with-a-long-name.example`);
  const { identity } = identify(facts(root.client('x', { names }).certificate), policy, now);
  expect(identity).toMatchObject({ verdict: 'failed', verification: 'FAILED:certificate too large' });
});

test('a session that is resumed after its certificate expired', () => {
  const inElevenDays = now + 11 * 86_400_000;
  const { identity } = identify(facts(alice.certificate, { resumed: true }), policy, inElevenDays);
  expect(identity).toMatchObject({ verdict: 'failed', verification: 'FAILED:certificate has expired' });
});

test('a session that is resumed knows nothing of intermediates that the client sent', () => {
  expect(identify(facts(deep.certificate), policy, now)).toMatchObject({
    identity: { verdict: 'success', policy: 'held' },
    fromClient: true,
  });
  const resumed = facts(deep.certificate, { sent: [], resumed: true });
  expect(identify(resumed, policy, now)).toMatchObject({ identity: { policy: '' }, fromClient: true });
  const believed = readBundle(root.certificate + middle.certificate);
  expect(identify(resumed, { ...policy, believed }, now)).toMatchObject({
    identity: { verdict: 'success', policy: 'held' },
    fromClient: false,
  });
});

test('whatever a certificate says of itself, its fields are visible ASCII', () => {
  const { raw } = new X509Certificate(alice.certificate);
  let read = 0;
  const edit = fc.tuple(fc.nat(raw.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const bytes = Buffer.from(raw);
      for (const [at, byte] of edits) bytes[at] = byte;
      let leaf: X509Certificate;
      try {
        leaf = new X509Certificate(bytes);
      } catch {
        return;
      }
      read++;
      const { identity } = identify({ leaf, sent: [leaf], resumed: false, fault: undefined }, policy, now);
      const { subject, issuer, verification, certificate } = identity;
      expect([subject, issuer, verification, certificate].join('')).toMatch(/^[\x20-\x7e]*$/);
    }),
    { numRuns: 2000 },
  );
  expect(read).toBeGreaterThan(200);
});
