import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { isSelectorFault, matchesLabels, parseLabelSelector } from './label-selector.ts';
import type { LabelRequirement, LabelSelector } from './label-selector.ts';

function parse(text: string): LabelSelector {
  const parsed = parseLabelSelector(text);
  if (isSelectorFault(parsed)) throw new Error(parsed.fault);
  return parsed;
}

describe('parsing a label selector', () => {
  test('reads every notation', () => {
    expect(parse('a=b, c != d,e in (x, y),f notin (z),g , !h,example.com/i==j,k=')).toEqual([
      { key: 'a', operator: 'in', values: ['b'] },
      { key: 'c', operator: 'notIn', values: ['d'] },
      { key: 'e', operator: 'in', values: ['x', 'y'] },
      { key: 'f', operator: 'notIn', values: ['z'] },
      { key: 'g', operator: 'exists', values: [] },
      { key: 'h', operator: 'absent', values: [] },
      { key: 'example.com/i', operator: 'in', values: ['j'] },
      { key: 'k', operator: 'in', values: [''] },
    ]);
  });

  test('nothing selects everything', () => {
    expect(parse(' ')).toEqual([]);
    expect(matchesLabels([], new Map())).toBe(true);
  });

  test.each([
    ['a=b,', 'Got "", want a=b, a!=b, a in (b,c), a notin (b,c), a or !a'],
    ['a=b=c', 'Got "a=b=c", want a=b'],
    ['a in b', 'Got "a in b", want a=b'],
    ['a in (b', 'Got "a in (b", want a=b'],
    ['a in (b,c))', 'Got "a in (b,c))", want a=b'],
    ['a>5', 'Got "a>5", want a=b'],
    ['!a=b', 'Got "!a=b", want a=b'],
    ['-a=b', 'Got "-a", want the name of a label'],
    ['A.example/x', 'Got "A.example/x", want the name of a label'],
    ['a/b/c', 'Got "a/b/c", want the name of a label'],
    [`a=${'b'.repeat(64)}`, `Got "${'b'.repeat(64)}", want the value of a label`],
    ['a in (b,c d)', 'Got "c d", want the value of a label'],
    ['a=ä', 'Got "ä", want the value of a label'],
  ])('%s is refused', (text, message) => {
    const parsed = parseLabelSelector(text);
    expect(isSelectorFault(parsed) && parsed.fault).toContain(message);
  });
});

const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9_.]{0,4}[a-z0-9])?$/);
const key = fc.oneof(
  name,
  fc.tuple(fc.constantFrom('example.com', 'x'), name).map((parts) => parts.join('/')),
);
const value = fc.oneof(fc.constant(''), name);
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom('exists' as const, 'absent' as const),
    values: fc.constant([]),
  }),
  fc.record({
    key,
    operator: fc.constantFrom('in' as const, 'notIn' as const),
    values: fc.uniqueArray(value, { minLength: 1, maxLength: 3 }),
  }),
);
const spaces = fc.constantFrom('', ' ', '  ');

/** Writes a requirement in one of its notations. */
function print({ key, operator, values }: LabelRequirement, [a, b]: readonly [string, string]): string {
  if (operator === 'exists') return `${a}${key}${b}`;
  if (operator === 'absent') return `${a}!${b}${key}`;
  const isIn = operator === 'in';
  if (values.length === 1 && a !== '') return `${key}${a}${isIn ? '=' : '!='}${b}${values[0]}`;
  return `${key} ${a}${isIn ? 'in' : 'notin'}${b}(${a}${values.join(`${b},${a}`)})`;
}

describe('a label selector', () => {
  test('has a limit', () => {
    const fault = 'Got 5000 characters, want at most 4096';
    expect(parseLabelSelector('a'.repeat(5000))).toEqual({ fault });
  });

  test('reads back what was written, however it is spaced', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(requirement, fc.tuple(spaces, spaces)), { maxLength: 5 }), (entries) => {
        const text = entries.map(([entry, gaps]) => print(entry, gaps)).join(',');
        expect(parse(text)).toEqual(entries.map(([entry]) => entry));
      }),
    );
  });

  test('never throws, whatever it is given', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', 'b', '=', '!', ',', '(', ')', ' in ', ' notin ', '<') }),
    );
    fc.assert(fc.property(text, (given) => expect(parseLabelSelector(given)).toBeDefined()));
  });

  test('holds by the definition of its operators', () => {
    const keys = fc.constantFrom('a', 'b', 'c');
    const values = fc.constantFrom('', 'x', 'y');
    const labels = fc.dictionary(keys, values).map((object) => new Map(Object.entries(object)));
    fc.assert(
      fc.property(labels, keys, fc.uniqueArray(values, { minLength: 1 }), (have, asked, list) => {
        const holds = (text: string): boolean => matchesLabels(parse(text), have);
        const among = list.some((wanted) => have.has(asked) && have.get(asked) === wanted);
        expect(holds(`${asked} in (${list.join(',')})`)).toBe(among);
        expect(holds(`${asked} notin (${list.join(',')})`)).toBe(!among);
        expect(holds(asked)).toBe(have.has(asked));
        expect(holds(`!${asked}`)).toBe(!have.has(asked));
        expect(holds(`${asked},a=x`)).toBe(have.has(asked) && have.get('a') === 'x');
      }),
    );
  });
});
