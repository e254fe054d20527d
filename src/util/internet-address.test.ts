import { BlockList, SocketAddress } from 'node:net';

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { addressBytes, addressText, canonicalAddress, mappedBytes } from './internet-address.ts';

describe('addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0001:0002:0003:0004:0005:0006:0007:0008', '1:2:3:4:5:6:7:8'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::192.0.2.1', '::c000:201'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  test.each([
    '',
    'localhost',
    '192.0.2',
    '192.0.2.01',
    '192.0.2.256',
    '1:2:3',
    '::1::',
    ':::',
    '[::1]',
    '::1/128',
  ])('%j is none', (text) => {
    expect([canonicalAddress(text), addressBytes(text)]).toEqual([undefined, undefined]);
  });

  const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
  // Zeros are what makes the spelling hard.
  const v6 = fc.array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: 16, maxLength: 16 });

  test('bytes come back, and the operating system reads the text as the same address', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          v4,
          v6.map((bytes) => Uint8Array.from(bytes)),
        ),
        (bytes) => {
          const text = addressText(bytes);
          expect(mappedBytes(addressBytes(text) as Uint8Array)).toEqual(mappedBytes(bytes));
          const family = text.includes(':') ? 'ipv6' : 'ipv4';
          const list = new BlockList();
          list.addAddress(text, family);
          expect(list.check(new SocketAddress({ address: text, family }))).toBe(true);
          if (!text.startsWith('::')) expect(new SocketAddress({ address: text, family }).address).toBe(text);
        },
      ),
    );
  });
});
