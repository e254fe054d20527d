import { describe, expect, test } from '@jest/globals';
import { compileLinear, isRegexFault } from './linear-regex.ts';
import type { LinearRegex } from './linear-regex.ts';

function compiled(pattern: string): LinearRegex {
  const regex = compileLinear(pattern);
  if (isRegexFault(regex)) throw new Error(regex.reason);
  return regex;
}

describe('compileLinear', () => {
  test('matches the whole text, or finds it inside', () => {
    const regex = compiled('/v[0-9]+');
    expect([regex.matches('/v1'), regex.matches('/v1/x'), regex.matches('x/v1')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([regex.occursIn('x/v1/x'), regex.occursIn('/v')]).toEqual([true, false]);
  });

  test('gives groups', () => {
    const regex = compiled('/(a)(b)?/(.*)');
    expect(regex.groupCount).toBe(3);
    expect(regex.matchWhole('/a/x/y')).toEqual({
      start: 0,
      end: 6,
      groups: ['/a/x/y', 'a', undefined, 'x/y'],
    });
    expect(regex.matchWhole('!/a/x')).toBeUndefined();
    expect(regex.find('!/ab/')).toEqual({ start: 1, end: 5, groups: ['/ab/', 'a', 'b', ''] });
    expect(regex.find('none')).toBeUndefined();
  });

  test.each([
    ['(', 'missing closing ): `(`'],
    ['(?=a)b', 'invalid or unsupported Perl syntax: `(?=`'],
    ['(a)\\1', 'invalid escape sequence: `\\1`'],
    ['a'.repeat(1025), 'want at most 1024 bytes'],
    ['é'.repeat(513), 'want at most 1024 bytes'],
    ['(a{1000})'.repeat(100), 'repetitions make it too large; want smaller counts'],
    [`(${'a'.repeat(900)}){1000}`, 'repetitions make it too large; want smaller counts'],
    [`(?:(?:${'[ab]'.repeat(100)}){10}){50,}`, 'repetitions make it too large; want smaller counts'],
    ['(?:\\w?x?){800}', 'repetitions make it too large; want smaller counts'],
  ])('refuses %.40s', (pattern, reason) => {
    expect(compileLinear(pattern)).toEqual({ reason });
  });

  test.each([
    '',
    'a{0}b',
    '[]{2}]{3}',
    '\\{5\\}',
    '[[:alpha:]]{64}',
    '^/api/(?:v[0-9]{1,3}/)?[a-z-]{1,63}$',
    'a{,5}',
  ])('takes %s', (pattern) => {
    expect(isRegexFault(compileLinear(pattern))).toBe(false);
  });

  test('nested quantifiers do not blow up', () => {
    const regex = compiled('(a+)+b'.repeat(20));
    expect(regex.matches('a'.repeat(8000))).toBe(false);
    expect(regex.matchWhole('a'.repeat(2000))).toBeUndefined();
  });
});
