import { describe, expect, test } from '@jest/globals';

import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { findingsTable } from './check.ts';

const ingress = { kind: 'Ingress', namespace: 'team-a', name: 'shop' };
const located: Diagnostic = {
  ...diagnose('SP1002', ingress, 'spec.rules[0].host', 'Got "A", want a host in lower case'),
  location: { file: 'shop.yaml', document: 1, line: 12 },
};
const bare = diagnose('SP1003', { kind: 'IngressClass', namespace: '', name: 'x' }, '', 'Left out');

describe('the table of findings', () => {
  test('has columns by width, then what to do about each code, once', () => {
    const [heading, first, second, third, ...hints] = findingsTable([located, located, bare], 'dir').split(
      '\n',
    );
    expect([heading, first, second, third]).toEqual([
      'WHERE         SEVERITY  CODE    OBJECT               FINDING',
      'shop.yaml:12  error     SP1002  Ingress team-a/shop  spec.rules[0].host: Got "A", want a host in lower case',
      'shop.yaml:12  error     SP1002  Ingress team-a/shop  spec.rules[0].host: Got "A", want a host in lower case',
      'dir           info      SP1003  IngressClass x       Left out',
    ]);
    expect(hints.filter((line) => line.startsWith('SP'))).toEqual([
      `SP1002  ${located.hint}`,
      `SP1003  ${bare.hint}`,
    ]);
  });

  test('control characters neither begin a line nor reach a terminal', () => {
    const hostile = { ...bare, message: 'a\nerror SP9999 \u001b[2J\u009b' };
    const table = findingsTable([hostile], 'dir');
    expect(table).toContain('a?error SP9999 ?[2J?\n');
    expect(table.split('\n')).toHaveLength(findingsTable([bare], 'dir').split('\n').length);
  });
});
