import { expect, test } from '@jest/globals';
import { diagnose } from '../diagnostics/diagnostic.ts';
import { createLog } from '../telemetry/log.ts';
import { DiagnosticReport } from './diagnostic-report.ts';

test('a finding is logged when it comes and when it goes, not in between', () => {
  const lines: Record<string, unknown>[] = [];
  const report = new DiagnosticReport({
    log: createLog({ write: (text) => lines.push(JSON.parse(text) as Record<string, unknown>) }, 'debug'),
    locate: ({ name }, path) =>
      name === 'shop' && path === 'metadata' ? { file: 'a.yaml', document: 1, line: 7 } : undefined,
  });
  const ref = { kind: 'Ingress', namespace: 'team', name: 'shop' };
  const finding = diagnose('SP4251', ref, 'metadata', 'read the annotation: "x" is wrong, want a number');
  const broken = diagnose('SP1001', { ...ref, name: 'other' }, '', 'parse: unexpected end');

  report.compiler(new Map([['Ingress/team/shop', [finding]]]));
  report.source([broken]);
  report.compiler(new Map([['Ingress/team/shop', [{ ...finding }]]]));
  expect([...report.list()]).toEqual([
    broken,
    { ...finding, location: { file: 'a.yaml', document: 1, line: 7 } },
  ]);
  report.compiler(new Map());

  expect(lines).toMatchObject([
    {
      level: 'warn',
      msg: 'finding',
      code: 'SP4251',
      object: 'Ingress team/shop',
      path: 'metadata',
      file: 'a.yaml',
      line: 7,
    },
    { level: 'error', msg: 'finding', code: 'SP1001', detail: 'parse: unexpected end' },
    { level: 'info', msg: 'finding resolved', code: 'SP4251' },
  ]);
  expect(lines).toHaveLength(3);
});

test('with the names of what changed, nothing else is looked at', () => {
  const lines: string[] = [];
  const asked: string[] = [];
  const report = new DiagnosticReport({
    log: createLog(
      { write: (text) => lines.push((JSON.parse(text) as { msg: string; object: string }).object) },
      'debug',
    ),
    locate: ({ name }) => {
      asked.push(name);
      return undefined;
    },
  });
  const ref = (name: string) => ({ kind: 'Ingress', namespace: 'team', name });
  const finding = (name: string, text: string) => diagnose('SP4251', ref(name), '', text);
  const first = new Map([
    ['Ingress/team/a', [finding('a', 'one')]],
    ['Ingress/team/b', [finding('b', 'one')]],
  ]);
  report.compiler(first);
  asked.length = 0;
  lines.length = 0;
  report.compiler(
    new Map([...first, ['Ingress/team/b', [finding('b', 'two')]]]),
    new Set(['Ingress/team/b']),
  );
  expect(asked).toEqual(['b']);
  expect(lines).toEqual(['Ingress team/b', 'Ingress team/b']);
  expect([...report.open()].map(({ message }) => message)).toEqual(['one', 'two']);
});
