import { describe, expect, test } from '@jest/globals';

import { listValues, withValuesTable } from './chart-values.ts';

const yaml = `
# -- One of them
kind: Deployment
# No documentation
image:
  # -- Host and path
  repository: ''
  tag: a|b
# -- As a whole
resources:
  requests:
    cpu: 1
list: [1, 2]
empty: {}
`;

describe('the values of a chart', () => {
  test('are listed in their order; what is documented is one value', () => {
    expect(listValues(yaml)).toEqual([
      { path: 'kind', default: 'Deployment', doc: 'One of them' },
      { path: 'image.repository', default: '', doc: 'Host and path' },
      { path: 'image.tag', default: 'a|b', doc: '' },
      { path: 'resources', default: { requests: { cpu: 1 } }, doc: 'As a whole' },
      { path: 'list', default: [1, 2], doc: '' },
      { path: 'empty', default: {}, doc: '' },
    ]);
  });

  const marks = ['<!-- values: written by tools/generate.ts -->', '<!-- /values -->'];

  test('take the place of the table that was there', () => {
    const once = withValuesTable(`before\n${marks.join('\nold\n')}\nafter\n`, 'a: 1\n');
    expect(once).toContain('| `a` | `1` |  |');
    expect(once).not.toContain('old');
    expect(once).toMatch(/^before\n[^]*\nafter\n$/);
    expect(withValuesTable(once, 'a: 1\n')).toBe(once);
  });

  test('need their marks', () => {
    expect(() => withValuesTable('no marks', 'a: 1\n')).toThrow(/want <!-- values/);
  });
});
