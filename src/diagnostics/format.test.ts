import { describe, expect, test } from '@jest/globals';

import { diagnose } from './diagnostic.ts';
import type { Diagnostic } from './diagnostic.ts';
import { formatCounts, formatLine, formatTable } from './format.ts';

const ingress = { kind: 'Ingress', namespace: 'team-a', name: 'shop' };
const located: Diagnostic = {
  ...diagnose('SP1002', ingress, 'spec.rules[0].host', 'Got "A", want a host in lower case'),
  location: { file: 'shop.yaml', document: 1, line: 12 },
};
const bare = diagnose('SP1003', { kind: 'IngressClass', namespace: '', name: 'x' }, '', 'Left out');

describe('diagnostics as text', () => {
  test('one line holds severity, code, object, field, message and place', () => {
    expect(formatLine(located)).toBe(
      'error SP1002 Ingress team-a/shop spec.rules[0].host  Got "A", want a host in lower case  (shop.yaml:12)',
    );
    expect(formatLine(bare)).toBe('info SP1003 IngressClass x  Left out');
  });

  test('a table has columns by width', () => {
    expect(formatTable([])).toBe('');
    expect(formatTable([located, bare]).split('\n')).toEqual([
      'SEVERITY   CODE     PLACE          OBJECT                FIELD                MESSAGE',
      'error      SP1002   shop.yaml:12   Ingress team-a/shop   spec.rules[0].host   Got "A", want a host in lower case',
      'info       SP1003   -              IngressClass x        -                    Left out',
    ]);
  });

  test('control characters neither begin a line nor reach a terminal', () => {
    const hostile = { ...bare, message: 'a\nerror SP9999 \u001b[2J\u009b' };
    expect(formatLine(hostile)).toBe('info SP1003 IngressClass x  a\\u000aerror SP9999 \\u001b[2J\\u009b');
    expect(formatTable([hostile]).split('\n')).toHaveLength(2);
  });

  test('counts go by severity', () => {
    expect(formatCounts([located, located, bare])).toBe('2 errors, 0 warnings, 1 info');
  });
});
