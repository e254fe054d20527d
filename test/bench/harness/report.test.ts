import { describe, expect, test } from '@jest/globals';

import { cpuSeconds, processTree, residentBytes } from './process.ts';
import { section, verdictLine } from './report.ts';

const verdict = { text: 'CPU, sallyport to nginx', limit: 1.25, sense: 'at most' as const };

describe('report', () => {
  test('a verdict names figure, limit and outcome', () => {
    expect(verdictLine({ ...verdict, value: 1.2 })).toBe('CPU, sallyport to nginx: 1.20, at most 1.25: met');
    expect(verdictLine({ ...verdict, value: 1.3 })).toBe(
      'CPU, sallyport to nginx: 1.30, at most 1.25: missed',
    );
    expect(verdictLine({ ...verdict, value: null })).toBe(
      'CPU, sallyport to nginx: –, at most 1.25: not measured',
    );
  });

  const report = {
    id: 'x',
    title: 'X',
    date: '2026-01-01',
    command: 'make bench',
    machine: 'a machine',
    versions: { nginx: '1.22' },
    how: 'Something was done',
    columns: [{ key: 'a', label: 'A', digits: 1 }],
    rows: [
      { name: 'one', values: { a: 1 } },
      { name: 'two', values: { a: null } },
    ],
    verdicts: [],
  };

  test('a figure that does not exist is a dash', () => {
    const text = section(report);
    expect(text).toContain('| one | 1.0 |\n| two | – |');
    expect(text).toContain('2026-01-01, `make bench`, a machine; nginx 1.22.');
  });

  test('says of a machine that it was busy', () => {
    expect(section({ ...report, load: 0.4 })).toContain('a machine; nginx');
    expect(section({ ...report, load: 7.25 })).toContain(
      'a machine, BUSY with other work (load 7.3 before the run)',
    );
  });
});

describe('figures of a process', () => {
  test('come from /proc', () => {
    const hasProc = process.platform === 'linux';
    expect(processTree(process.pid)[0]).toBe(process.pid);
    expect(cpuSeconds([process.pid]) > 0).toBe(hasProc);
    expect(residentBytes([process.pid]) > 1024 * 1024).toBe(hasProc);
  });

  test('are nothing for a process that is gone', () => {
    expect(cpuSeconds([0x7fffffff])).toBe(0);
    expect(residentBytes([0x7fffffff])).toBe(0);
  });
});
