import { expect, test } from '@jest/globals';
import { TestAuthority } from '../../../test/support/test-authority.ts';
import { readBundle } from '../../util/certificate-bundle.ts';
import { chainDepth } from './chain-depth.ts';

const root = TestAuthority.root();
const upper = root.intermediate('upper');
const lower = upper.intermediate('lower');
const byRoot = root.client('x');
const byLower = lower.client('x');

const rows = [
  ['the root itself', byRoot, root.certificate, 0, { depth: 0, sent: false }],
  ['two that the client sent', byLower, root.certificate, 5, { depth: 2, sent: true }],
  [
    'two that are believed',
    byLower,
    root.certificate + upper.certificate + lower.certificate,
    5,
    { depth: 2, sent: false },
  ],
  ['one that is believed', byLower, root.certificate + upper.certificate, 5, { depth: 2, sent: true }],
  ['more than the limit', byLower, root.certificate, 1, { depth: 2, sent: true }],
  ['far more than the limit', byLower, root.certificate, 0, { depth: 1, sent: true }],
  ['no root', byLower, upper.certificate, 5, undefined],
  ['another root of the same name', byRoot, TestAuthority.root().certificate, 5, undefined],
  [
    'a certificate that is believed itself',
    { certificate: root.certificate },
    root.certificate,
    0,
    { depth: 0, sent: false },
  ],
] as const;

test.each(rows)('%s', (...[, { certificate }, bundle, limit, expected]) => {
  const [leaf, ...sent] = readBundle(certificate);
  expect(chainDepth(leaf!, { believed: readBundle(bundle), sent }, limit)).toEqual(expected);
  // In whatever order they came, and with some that have nothing to do with it.
  const shuffled = [...readBundle(TestAuthority.root().certificate), ...sent.toReversed()];
  expect(chainDepth(leaf!, { believed: readBundle(bundle), sent: shuffled }, limit)).toEqual(expected);
});

test('a certificate that only bears the name of an issuer is none', () => {
  const [leaf] = readBundle(byLower.certificate);
  const impostor = root.intermediate('lower');
  const sent = readBundle(impostor.certificate + lower.certificate + upper.certificate);
  const believed = readBundle(root.certificate);
  expect(chainDepth(leaf!, { believed, sent }, 5)).toEqual({ depth: 2, sent: true });
  expect(chainDepth(leaf!, { believed, sent: sent.slice(0, 1) }, 5)).toBeUndefined();
});
