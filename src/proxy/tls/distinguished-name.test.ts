import { X509Certificate } from 'node:crypto';

import { expect, test } from '@jest/globals';
import { TestAuthority } from '../../../test/support/test-authority.ts';
import { commonNames, rfc2253 } from './distinguished-name.ts';

const root = TestAuthority.root();

// What nginx 1.22 prints as $ssl_client_s_dn for certificates with these names.
test.each([
  ['alice', undefined, 'CN=alice'],
  ['alice', 'Ops', 'CN=alice,O=Ops'],
  ['c0', 'Ö, "x" + #y; <z>= \\b ', 'CN=c0,O=\\C3\\96\\, \\"x\\" \\+ #y\\; \\<z\\>= \\\\b\\ '],
  ['#1', ' a', 'CN=\\#1,O=\\ a'],
  ['a\nCN=b', undefined, 'CN=a\\0ACN=b'],
  ['😀', undefined, 'CN=\\F0\\9F\\98\\80'],
])('%j', (commonName, organization, expected) => {
  const client = root.client(commonName, organization === undefined ? {} : { organization });
  const { subject } = new X509Certificate(client.certificate);
  expect(rfc2253(subject)).toBe(expected);
  expect(commonNames(subject)).toEqual([expected.split(/(?<!\\),/)[0]]);
});

test('a name without parts', () => {
  const { subject } = new X509Certificate(root.client('').certificate);
  expect(rfc2253(subject)).toBe('');
  expect(commonNames(subject)).toEqual([]);
});

test('parts of several values, and several common names', () => {
  const printed = 'C=DE\nOU=x + CN=first\nCN=second\\+ + UID=7';
  expect(rfc2253(printed)).toBe('UID=7+CN=second\\+,CN=first+OU=x,C=DE');
  expect(commonNames(printed)).toEqual(['CN=first', 'CN=second\\+']);
});
