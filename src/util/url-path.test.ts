import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { normalizePath, normalizeRulePath } from './url-path.ts';

const refused = (reason: string) => ({ reason });

describe('normalizePath', () => {
  test.each([
    ['/', '/'],
    ['/a/b.txt', '/a/b.txt'],
    ['/.well-known/x', '/.well-known/x'],
    ['/...', '/...'],
    ['/a/../b', '/b'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/%2E./b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['/a/.', '/a/'],
    ['/.', '/'],
    ['/..', '/'],
    ['/../../etc/passwd', '/etc/passwd'],
    ['/a/..', '/'],
    ['//admin', '/admin'],
    ['/a//b', '/a/b'],
    ['/a//', '/a/'],
    ['///', '/'],
    ['/a//../b', '/b'],
    ['/api../admin', '/api../admin'],
    ['/api%2e%2e/admin', '/api../admin'],
    ['/%61%7e%2D', '/a~-'],
    ['/%c3%a9', '/%C3%A9'],
    ['/%f0%9f%98%80x', '/%F0%9F%98%80x'],
    ['/%252e%252e/x', '/%252e%252e/x'],
    ['/a%20b', '/a%20b'],
    ['/a%3fb%23', '/a%3Fb%23'],
    ['/a%21!', '/a%21!'],
    ['/admin;x', '/admin;x'],
    ['/admin/;/', '/admin/;/'],
    ['/..;/admin', '/..;/admin'],
    ['/a{b}"<>[|]^`', '/a%7Bb%7D%22%3C%3E%5B%7C%5D%5E%60'],
  ])('%s is %s', (path, normal) => {
    expect(normalizePath(path)).toBe(normal);
  });

  test.each([
    ['', 'does not start with a slash'],
    ['a/b', 'does not start with a slash'],
    ['/a%2fb', 'encoded slash'],
    ['/..%2Fb', 'encoded slash'],
    ['/a\\b', 'backslash'],
    ['/a%5cb', 'backslash'],
    ['/a%00', 'control character'],
    ['/a%0d%0ab', 'control character'],
    ['/a%1f', 'control character'],
    ['/a%7F', 'control character'],
    ['/a\nb', 'control character'],
    ['/a\x00', 'control character'],
    ['/%zz', 'bad percent triplet'],
    ['/%2', 'bad percent triplet'],
    ['/%', 'bad percent triplet'],
    ['/%2/2', 'bad percent triplet'],
    ['/a b', 'byte outside printable ASCII'],
    ['/\xe9', 'byte outside printable ASCII'],
    ['/%e9', 'invalid UTF-8'],
    ['/%c0%af', 'invalid UTF-8'],
    ['/%c1%81', 'invalid UTF-8'],
    ['/%e0%80%af', 'invalid UTF-8'],
    ['/%ed%a0%80', 'invalid UTF-8'],
    ['/%f0%80%80%af', 'invalid UTF-8'],
    ['/%f4%90%80%80', 'invalid UTF-8'],
    ['/%f8%88%80%80%80', 'invalid UTF-8'],
    ['/%80', 'invalid UTF-8'],
    ['/%c3/%a9', 'invalid UTF-8'],
    ['/%c3x', 'invalid UTF-8'],
    ['/a#b', 'query or fragment inside the path'],
  ])('%j is refused: %s', (path, reason) => {
    expect(normalizePath(path)).toEqual(refused(reason));
  });

  test('keeps encoded slashes on request, but no dots beside them', () => {
    const options = { allowEncodedSlashes: true };
    expect(normalizePath('/a%2fb%5c', options)).toBe('/a%2Fb%5C');
    expect(normalizePath('/a%2f..b', options)).toBe('/a%2F..b');
    expect(normalizePath('/a%2f../b', options)).toEqual(refused('dot segment beside an encoded slash'));
    expect(normalizePath('/%2e%5cb', options)).toEqual(refused('dot segment beside an encoded slash'));
    expect(normalizePath('/a\\b', options)).toEqual(refused('backslash'));
  });

  test('a normal form is its own normal form, and hides nothing', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '%2e',
      '%2E',
      'a',
      '%61',
      ';',
      '%',
      '%25',
      '%c3%a9',
      '{',
      '%7b',
      '~',
      'é',
      '\\',
      '%41',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const normal = normalizePath(`/${pieces.join('')}`);
        if (typeof normal !== 'string') return;
        expect(normalizePath(normal)).toBe(normal);
        expect(normal).toMatch(/^(\/(?!\/)(?!\.{1,2}(\/|$))([\w\-.~!$&'()*+,;=:@]|%[0-9A-F]{2})*)+$/);
      }),
      { numRuns: 2000 },
    );
  });

  test('resolves dot segments as the URL parser of the platform does', () => {
    const segment = fc.constantFrom('a', 'b.c', '.', '..', '%2e', '.%2E', '...', 'x;y');
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), (segments) => {
        const path = `/${segments.join('/')}`;
        expect(normalizePath(path)).toBe(new URL(`http://h${path}`).pathname);
      }),
    );
  });
});

describe('normalizeRulePath', () => {
  test.each([
    ['/café', '/caf%C3%A9'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/a b', '/a%20b'],
    ['/😀/../x', '/x'],
    ['/a{b', '/a%7Bb'],
  ])('%s is %s', (path, normal) => {
    expect(normalizeRulePath(path)).toBe(normal);
  });

  test.each([
    ['/a?b', 'query or fragment inside the path'],
    ['/a\nb', 'control character'],
    ['/\ud800', 'invalid UTF-8'],
    ['a', 'does not start with a slash'],
  ])('%j is refused: %s', (path, reason) => {
    expect(normalizeRulePath(path)).toEqual(refused(reason));
  });
});
