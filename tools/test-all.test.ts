import { describe, expect, test } from '@jest/globals';

import { parseAllowed, tally, unlisted } from './test-all.ts';

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
});
