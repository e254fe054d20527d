import { describe, expect, test } from '@jest/globals';
import { annotationFault, trimmed, wordsOf } from './annotation-grammar.ts';
import type { AnnotationGrammar } from './annotation-grammar.ts';

const share: AnnotationGrammar = { kind: 'integer', min: 0, max: 100 };
const words: AnnotationGrammar = { kind: 'words', words: ['error', 'http_500', 'off'] };
const choice: AnnotationGrammar = { kind: 'choice', choices: ['301', 'a.b'] };

describe('annotationFault', () => {
  test.each<[AnnotationGrammar, string]>([
    [{ kind: 'any' }, '\u0000 é'],
    [{ kind: 'boolean' }, ' true\n'],
    [{ kind: 'boolean' }, 'F'],
    [share, '0'],
    [share, '+100'],
    [share, '-0'],
    [choice, 'a.b'],
    [words, 'error\t off'],
    [{ kind: 'regex' }, '(a|b)+'],
    [share, ''],
    [share, ' \t\n\v\f\r'],
  ])('%j takes %j', (grammar, text) => {
    expect(annotationFault(grammar, text)).toBeUndefined();
  });

  test.each<[AnnotationGrammar, string, string]>([
    [{ kind: 'boolean' }, 'yes', 'true or false'],
    [{ kind: 'boolean' }, 'tRue', 'true or false'],
    [share, '101', 'an integer from 0 to 100'],
    [share, '1e2', 'an integer from 0 to 100'],
    [share, '00000000001', 'an integer from 0 to 100'],
    [share, '\u00a05', 'an integer from 0 to 100'],
    [share, `5${' '.repeat(64)}`, 'an integer from 0 to 100, in at most 64 characters'],
    [choice, 'acb', 'one of 301, a.b'],
    [words, 'error http_501', 'any of error, http_500, off'],
    [words, 'error,off', 'any of error, http_500, off'],
    [{ kind: 'regex' }, '(a', 'missing closing ): `(a`'],
  ])('%j does not take %j', (grammar, text, want) => {
    expect(annotationFault(grammar, text)).toBe(want);
  });
});

test('white space is ASCII, at both ends, in linear time', () => {
  expect(trimmed(' \t\n\v\f\ra \u00a0 ')).toBe('a \u00a0');
  expect(trimmed(`${' '.repeat(1_000_000)}x${' '.repeat(1_000_000)}x`)).toHaveLength(1_000_002);
  expect(wordsOf(' a\n\nb ')).toEqual(['a', 'b']);
});
