import { describe, expect, test } from '@jest/globals';
import { FieldSection } from './field-section.ts';

const limits = { maxFields: 100, maxBytes: 32_768 };

function section(...fields: readonly (readonly [string, string])[]): FieldSection {
  const made = new FieldSection();
  made.begin(limits);
  for (const [name, value] of fields) made.field(name, value);
  return made;
}

describe('lists that are given back', () => {
  test('serve another section, without what they held', () => {
    const one = section(['x', '1'], ['cookie', 'a=1'], ['cookie', 'b=2']);
    const { headers } = one;
    expect(headers.get('cookie')).toBe('a=1; b=2');
    one.recycle(headers);
    one.begin(limits);
    expect(one.headers).toBe(headers);
    one.field('y', '2');
    one.field('cookie', 'c=3');
    expect(one.headers.entries()).toEqual([
      ['y', '2'],
      ['cookie', 'c=3'],
    ]);
  });

  test('are dropped where they hold on to much', () => {
    for (const fields of [[['x', 'x'.repeat(5_000)]], Array.from({ length: 33 }, () => ['x', '1'])]) {
      const one = section(...(fields as [string, string][]));
      const { headers } = one;
      one.recycle(headers);
      one.begin(limits);
      expect(one.headers).not.toBe(headers);
    }
  });
});
