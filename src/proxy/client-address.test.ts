import { describe, expect, test } from '@jest/globals';

import { TrustedProxies, clientAddress, plainAddress } from './client-address.ts';

describe('trusted proxies', () => {
  const trusted = new TrustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::ffff:198.51.100.0/120']);

  test.each([
    '10.0.0.1',
    '10.255.255.255',
    '192.0.2.7',
    'fd12::1',
    'FD12:0:0:0:0:0:0:1',
    '::ffff:10.0.0.1',
    '::FFFF:a00:1',
    '0:0:0:0:0:ffff:10.0.0.1',
    '198.51.100.255',
    '::ffff:198.51.100.1',
  ])('%s is one', (address) => {
    expect(trusted.trusts(address)).toBe(true);
  });

  test.each([
    '11.0.0.1',
    '192.0.2.8',
    '::ffff:192.0.2.8',
    'fe00::1',
    '::10.0.0.1',
    '64:ff9b::10.0.0.1',
    '198.51.101.1',
    '',
    'unix:',
    '10.0.0.1:80',
    '10.0.0.1/8',
  ])('%j is none', (address) => {
    expect(trusted.trusts(address)).toBe(false);
  });

  test('a range of IPv6 that spans the mapped addresses says nothing of IPv4', () => {
    const all = new TrustedProxies(['::/0']);
    expect([all.trusts('2001:db8::1'), all.trusts('192.0.2.1'), all.trusts('::ffff:192.0.2.1')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(new TrustedProxies(['::ffff:0:0/96']).trusts('192.0.2.1')).toBe(true);
  });

  test('nobody is trusted by an empty list', () => {
    expect(new TrustedProxies([]).isEmpty).toBe(true);
    expect(new TrustedProxies([]).trusts('::1')).toBe(false);
  });

  test('what is no network throws', () => {
    expect(() => new TrustedProxies(['10.0.0.0/33'])).toThrow('"10.0.0.0/33" is not an address or CIDR');
  });
});

describe('the client behind proxies', () => {
  const trusted = new TrustedProxies(['10.0.0.0/8', '2001:db8::/32']);

  test.each<[string, string, readonly string[], string]>([
    ['is the peer that is not trusted', '192.0.2.1', ['203.0.113.1'], '192.0.2.1'],
    ['is the peer that says nothing', '10.0.0.1', [], '10.0.0.1'],
    ['is the last that is not trusted', '10.0.0.1', ['203.0.113.1, 198.51.100.1, 10.0.0.2'], '198.51.100.1'],
    ['is found over several fields', '10.0.0.1', ['203.0.113.1', '10.0.0.2'], '203.0.113.1'],
    ['is the first where all are trusted', '10.0.0.1', ['10.0.0.3, 10.0.0.2'], '10.0.0.3'],
    ['has one spelling', '10.0.0.1', ['2001:DB9:0::1'], '2001:db9::1'],
    ['is of IPv4 however it is told', '10.0.0.1', ['::FFFF:c000:0201'], '192.0.2.1'],
    [
      'is not hidden by a trusted one that is told as IPv6',
      '10.0.0.1',
      ['192.0.2.1, ::ffff:a00:2'],
      '192.0.2.1',
    ],
    ['is not looked for behind garbage', '10.0.0.1', ['192.0.2.1, unknown, 10.0.0.2'], '10.0.0.2'],
    ['is the peer behind garbage', '10.0.0.1', ['192.0.2.1,'], '10.0.0.1'],
  ])('%s', (_name, peer, forwardedFor, client) => {
    expect(clientAddress(peer, forwardedFor, trusted)).toBe(client);
  });

  test('sockets of both families tell addresses of IPv4 as such', () => {
    expect(['::ffff:192.0.2.1', '192.0.2.1', '::1', ''].map(plainAddress)).toEqual([
      '192.0.2.1',
      '192.0.2.1',
      '::1',
      '',
    ]);
  });
});
