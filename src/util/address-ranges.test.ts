import { BlockList, isIPv6 } from 'node:net';

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileRanges } from './address-ranges.ts';

function ranges(...cidrs: string[]) {
  const compiled = compileRanges(cidrs);
  if ('fault' in compiled) throw new Error(compiled.fault);
  return compiled;
}

describe('address ranges', () => {
  test.each([
    [['10.0.0.0/8'], '10.255.255.255', true],
    [['10.0.0.0/8'], '11.0.0.0', false],
    [['10.9.9.9/8'], '10.0.0.0', true],
    [['192.0.2.1'], '192.0.2.1', true],
    [['192.0.2.1'], '192.0.2.2', false],
    [['0.0.0.0/0'], '255.255.255.255', true],
    [['0.0.0.0/0'], '::1', false],
    [['2001:db8::/32'], '2001:db8:ffff::1', true],
    [['2001:db8::/32'], '2001:db9::', false],
    [['::1'], '0:0:0:0:0:0:0:1', true],
    [['::/0'], 'fe80::1', true],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['10.0.0.0/8'], '::ffff:a01:203', true],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['10.0.0.0/8'], '', false],
    [['10.0.0.0/8'], 'a.example', false],
    [[], '10.0.0.1', false],
  ])('%j has %s: %s', (cidrs, address, has) => {
    expect(ranges(...cidrs).has(address)).toBe(has);
  });

  test.each([
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '10.0.0.0/-1',
    'fe80::1%eth0',
    'x',
  ])('refuses %j', (cidr) => {
    expect(compileRanges(['10.0.0.0/8', cidr])).toEqual({ fault: cidr });
  });

  test('an IPv4-mapped range is an IPv4 range', () => {
    expect(ranges('::ffff:10.0.0.0/104').has('10.1.2.3')).toBe(true);
    expect(ranges('::ffff:0:0/96').has('::ffff:11.1.2.3')).toBe(true);
    expect(ranges('::ffff:10.0.0.0/104').has('11.1.2.3')).toBe(false);
  });

  test('agrees, within a family, with the block list of the platform', () => {
    const v4 = fc
      .array(fc.constantFrom(0, 1, 10, 127, 128, 255), { minLength: 4, maxLength: 4 })
      .map((parts) => parts.join('.'));
    const group = fc.constantFrom('0', '1', '8000', 'ffff', 'db8');
    const first = fc.constantFrom('1', '2001', '8000', 'ffff');
    const v6 = fc
      .tuple(first, fc.array(group, { minLength: 7, maxLength: 7 }))
      .map(([head, rest]) => [head, ...rest].join(':'));
    const cidr = fc.oneof(
      fc.tuple(v4, fc.integer({ min: 0, max: 32 })),
      fc.tuple(v6, fc.integer({ min: 1, max: 128 })),
    );
    fc.assert(
      fc.property(
        fc.array(cidr, { maxLength: 6 }),
        fc.array(fc.oneof(v4, v6), { minLength: 8 }),
        (cidrs, addresses) => {
          // One list a family: the platform's lets `::/0` hold IPv4 addresses too.
          const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
          const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');
          for (const [address, prefix] of cidrs)
            lists[familyOf(address)].addSubnet(address, prefix, familyOf(address));
          const compiled = ranges(...cidrs.map((parts) => parts.join('/')));
          for (const address of addresses) {
            const expected = lists[familyOf(address)].check(address, familyOf(address));
            expect([address, compiled.has(address)]).toEqual([address, expected]);
          }
        },
      ),
    );
  });
});
