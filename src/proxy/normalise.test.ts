import { describe, expect, test } from '@jest/globals';
import { normalizeAuthority, normalizeTarget } from './normalise.ts';

function authority(text: string, scheme: 'http' | 'https' = 'http') {
  const into = { scheme, host: 'before', port: 1, authority: 'before' };
  return normalizeAuthority(text, into) ? [into.host, into.port, into.authority] : into.host;
}

function target(text: string, allowEncodedSlashes = false) {
  const into = { path: 'before', query: 'before' };
  return normalizeTarget(text, into, allowEncodedSlashes) ? [into.path, into.query] : into.path;
}

describe('normalizeAuthority', () => {
  const long = `${'a'.repeat(63)}.`.repeat(3);
  test.each([
    ['a.example', ['a.example', 80, 'a.example']],
    ['a.example:8080', ['a.example', 8080, 'a.example:8080']],
    ['A.Example', ['a.example', 80, 'a.example']],
    ['A.EXAMPLE.:80', ['a.example', 80, 'a.example:80']],
    ['a.example.', ['a.example', 80, 'a.example']],
    ['localhost', ['localhost', 80, 'localhost']],
    ['my_svc.example', ['my_svc.example', 80, 'my_svc.example']],
    ['xn--caf-dma.example', ['xn--caf-dma.example', 80, 'xn--caf-dma.example']],
    ['192.0.2.1:65535', ['192.0.2.1', 65_535, '192.0.2.1:65535']],
    ['[::1]', ['[::1]', 80, '[::1]']],
    ['[2001:DB8::1]:8443', ['[2001:db8::1]', 8443, '[2001:db8::1]:8443']],
    [`${long}${'b'.repeat(61)}`, [`${long}${'b'.repeat(61)}`, 80, `${long}${'b'.repeat(61)}`]],
  ])('%s', (text, result) => {
    expect(authority(text)).toEqual(result);
  });

  test('takes the default port of the scheme', () => {
    expect(authority('a.example', 'https')).toEqual(['a.example', 443, 'a.example']);
  });

  test.each([
    '',
    '.',
    ':80',
    'a,b',
    'u@a',
    'u:p@a',
    'a/b',
    'a b',
    ' a',
    'a\x00',
    'a\tb',
    'a..b',
    '.a',
    'a..',
    'a:',
    'a:0',
    'a:65536',
    'a:000080',
    'a:+80',
    'a:8x',
    'a:80:80',
    '::1',
    '[::1',
    '[::1]x',
    '[::1]:',
    '[1.2.3.4]',
    '[fe80::1%25eth0]',
    '[fe80::1%eth0]',
    '[::1]]',
    '[]',
    '*.example',
    'a%2eb',
    'b\xfccher.example',
    'a\u3002example',
    '\u212a.example',
    '{a}',
    `${long}${'b'.repeat(62)}`,
    `${'a'.repeat(64)}.example`,
  ])('refuses %j and leaves the request alone', (text) => {
    expect(authority(text)).toBe('before');
  });
});

describe('normalizeTarget', () => {
  test.each([
    ['/', ['/', '']],
    ['/a/b', ['/a/b', '']],
    ['/a?x=1?y', ['/a', '?x=1?y']],
    ['/a/../b?../c', ['/b', '?../c']],
    ['/a?', ['/a', '']],
    ['', ['/', '']],
    ['?x', ['/', '?x']],
    ['//a//b?//', ['/a/b', '?//']],
  ])('%s', (text, result) => {
    expect(target(text)).toEqual(result);
  });

  test.each(['/a%2fb', '/a\\b', '/%00', 'a', '/a b?x', '*'])(
    'refuses %j and leaves the request alone',
    (text) => {
      expect(target(text)).toBe('before');
    },
  );

  test('keeps encoded slashes when asked to', () => {
    expect(target('/a%2fb?x', true)).toEqual(['/a%2Fb', '?x']);
  });
});
