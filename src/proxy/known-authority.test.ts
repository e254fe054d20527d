import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { KnownAuthority } from './known-authority.ts';
import { normalizeAuthority } from './normalise.ts';

const blank = () => ({ scheme: 'https' as const, host: '', port: 0, authority: '' });

const authorities = fc.constantFrom(
  'shop.example',
  'SHOP.example.',
  'shop.example:443',
  'shop.example:8443',
  '[2001:DB8::1]:80',
  '127.0.0.1',
  'bad host',
  'shop.example:0',
  '',
);

describe('KnownAuthority', () => {
  test('says what normalisation says, whatever was asked for before', () => {
    fc.assert(
      fc.property(fc.array(authorities, { minLength: 1, maxLength: 30 }), (asked) => {
        const known = new KnownAuthority('https');
        for (const text of asked) {
          const [read, wanted] = [blank(), blank()];
          expect(known.read(text, read)).toBe(normalizeAuthority(text, wanted));
          expect(read).toEqual(wanted);
        }
      }),
    );
  });

  test('keeps a host that is asked for again and again', () => {
    const known = new KnownAuthority('https');
    const read = blank();
    const head = 'GET / HTTP/1.1\r\nHost: a-host-that-is-long-enough.example\r\n';
    for (let time = 0; time < 3; time++) known.read(head.slice(22, -2), read);
    expect(read.host).toBe('a-host-that-is-long-enough.example');
    expect(read.authority).toBe(read.host);
  });
});
