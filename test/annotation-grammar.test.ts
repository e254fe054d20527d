import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { compiledAnnotations } from '../src/compile/annotation-docs.ts';
import { annotationFault, maxLengthOf, patternOf, trimmed } from '../src/filters/annotation-grammar.ts';
import type { AnnotationGrammar } from '../src/filters/annotation-grammar.ts';
import { filterRegistry } from '../src/filters/registry.ts';

// The admission policy holds the patterns, the controller the checks: they must say the same.

const noise = fc.string({
  unit: fc.constantFrom(...'0123456789+-tTrueFalsefERS \t\u00a0\u2028é.:/[]?#@%$_http500offerror'.split('')),
  maxLength: 24,
});

describe.each<[string, AnnotationGrammar]>([
  ['boolean', { kind: 'boolean' }],
  ['integer', { kind: 'integer', min: -(10 ** 11), max: 10 ** 11 }],
  ...[...filterRegistry.annotations, ...compiledAnnotations]
    .filter(({ grammar }) => patternOf(grammar) !== undefined)
    .map(({ name, grammar }): [string, AnnotationGrammar] => [name, grammar]),
])('the pattern of %s', (_, grammar) => {
  const source = patternOf(grammar) ?? '';
  const pattern = RE2JS.compile(source);

  test('says in RE2 what the check says here', () => {
    const near = fc.oneof(noise, fc.stringMatching(new RegExp(`^(?:${source})$`), { maxLength: 60 }));
    const changed = fc
      .tuple(near, noise, fc.nat(20))
      .map(([text, other, at]) => text.slice(0, at) + other.slice(0, at % 3) + text.slice(at));
    fc.assert(
      fc.property(fc.oneof(near, changed), (text) => {
        const value = trimmed(text);
        fc.pre(value !== '' && text.length <= (maxLengthOf(grammar) ?? 0));
        expect(pattern.testExact(value) && isWithin(grammar, value)).toBe(
          annotationFault(grammar, text) === undefined,
        );
      }),
      { numRuns: 300 },
    );
  });
});

function isWithin(grammar: AnnotationGrammar, value: string): boolean {
  return grammar.kind !== 'integer' || (Number(value) >= grammar.min && Number(value) <= grammar.max);
}
