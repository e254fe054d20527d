import { describe, expect, test } from '@jest/globals';

import { explainSkips, parseAllowed, tally, unlisted } from './test-all.ts';

const suite = (status: string, ...tests: [status: string, fullName: string][]) => ({
  name: '/repo/src/x.test.ts',
  status,
  message: '',
  assertionResults: tests.map(([testStatus, fullName]) => ({ status: testStatus, fullName })),
});

describe('the last line of make test', () => {
  test('counts tests by outcome', () => {
    const report = {
      testResults: [
        suite('failed', ['passed', 'a'], ['failed', 'b'], ['pending', 'c'], ['todo', 'd']),
        suite('passed', ['passed', 'e']),
      ],
    };
    expect(tally(report, '/repo')).toEqual({
      passed: 2,
      failed: 1,
      skipped: ['src/x.test.ts > c', 'src/x.test.ts > d'],
    });
  });

  test('counts a suite that did not load as one failure', () => {
    expect(tally({ testResults: [suite('failed')] }, '/repo')).toMatchObject({ passed: 0, failed: 1 });
    expect(tally({ testResults: [suite('failed', ['passed', 'a'])] }, '/repo')).toMatchObject({
      passed: 1,
      failed: 1,
    });
  });

  test('knows which skips are on the list', () => {
    const allowed = parseAllowed('# why\n\nsrc/x.test.ts > c # needs a cluster\n');
    expect(unlisted(['src/x.test.ts > c one', 'src/x.test.ts > d'], allowed)).toEqual(['src/x.test.ts > d']);
    expect(unlisted(['src/x.test.ts > c'], parseAllowed(''))).toHaveLength(1);
  });

  test('says once what this machine lacks, and leaves the other skips to the list', () => {
    const skipped = [
      'test/cluster/a.test.ts > reads Secrets (needs a cluster) by name',
      'test/cluster/a.test.ts > reads Secrets (needs a cluster) by namespace',
      'test/cluster/b.test.ts > a lease (needs a cluster) is renewed',
      'src/x.test.ts > c',
    ];
    const { lines, unexplained } = explainSkips(skipped, {});
    expect(lines).toEqual([
      expect.stringMatching(/^!!! CLUSTER TESTS DID NOT RUN \(3 in 2 files\): install Go/),
    ]);
    expect(unexplained).toEqual(['src/x.test.ts > c']);
    const required = { SALLYPORT_REQUIRE_CLUSTER: '1' };
    expect(explainSkips(skipped, required)).toEqual({ lines: [], unexplained: skipped });
  });
});
