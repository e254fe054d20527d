import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AUTHORITY_PATTERN, HOST_PATTERN, isAuthority, isHost } from './authority.ts';

const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,5}[a-z0-9_])?$/);
const group = fc.stringMatching(/^[0-9A-Fa-f]{1,5}$/);
const ipv6 = fc.array(fc.oneof(group, fc.constant('')), { minLength: 1, maxLength: 9 });
const host = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
  fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 2, maxLength: 5 }).map((bytes) => bytes.join('.')),
  ipv6.map((groups) => `[${groups.join(':')}]`),
);
const authority = fc.tuple(
  host,
  fc.oneof(
    fc.constant(''),
    fc.integer({ min: 0, max: 70_000 }).map((port) => `:${port}`),
  ),
);

describe('hosts', () => {
  test.each([
    'a',
    'a.example',
    '_dmarc.a.example',
    '3scale',
    '192.0.2.1',
    '[::]',
    '[::1]',
    '[1::]',
    '[1:2:3:4:5:6:7::]',
    '[1::8]',
    '[2001:db8:0:0:0:0:0:1]',
  ])('%s is one', (text) => {
    expect(isHost(text)).toBe(true);
  });

  test.each([
    '',
    '.',
    'a.',
    'a..b',
    '-a',
    '1.2.3.256',
    '1.2.3',
    'a.0x1',
    '[1]',
    '[:::]',
    '[1::2::3]',
    'a:80',
    'é',
  ])('%j is none', (text) => {
    expect(isHost(text)).toBe(false);
  });

  test('every authority is one for a URL parser too', () => {
    fc.assert(
      fc.property(authority, ([name, port]) => {
        // Labels that claim to be Punycode are not decoded here.
        fc.pre(!name.includes('xn--'));
        if (isAuthority(name + port)) expect(URL.canParse(`http://${name}${port}/`)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('IPv6 addresses are those of the URL parser', () => {
    fc.assert(
      fc.property(ipv6, (groups) => {
        const text = `[${groups.join(':')}]`;
        expect([text, isHost(text)]).toEqual([text, URL.canParse(`http://${text}/`)]);
      }),
      { numRuns: 500 },
    );
  });
});

test('patterns are short enough for a message of the API server', () => {
  expect(HOST_PATTERN.length).toBeLessThan(800);
  expect(AUTHORITY_PATTERN.length).toBeLessThan(900);
});
