import { expect, test } from '@jest/globals';

import { describeWithProgram } from '../support/cluster/describe-with-cluster.ts';
import { compare, compareCases } from './autobahn.ts';

// A part of the Autobahn suite, for every run; `node test/websocket/autobahn.ts` compares all of it.

describeWithProgram('the Autobahn suite', 'wstest', (wstest) => {
  test('pings, fragments, ends: through the proxy as directly', async () => {
    const { cases, differences, outcomes } = await compareCases(wstest, ['2.*', '5.*', '7.*']);
    expect(differences).toEqual([]);
    expect(cases).toBeGreaterThan(60);
    expect(outcomes.get('FAILED')).toBeUndefined();
  }, 120_000);
});

const ok = { behavior: 'OK', behaviorClose: 'OK', remoteCloseCode: 1000 };

test.each<[string, object, object, number]>([
  ['the same', ok, ok, 0],
  ['another outcome', ok, { ...ok, behavior: 'FAILED' }, 1],
  ['another end', ok, { ...ok, behaviorClose: 'UNCLEAN' }, 1],
  ['another code', ok, { ...ok, remoteCloseCode: null }, 1],
])('the comparison notices: %s', (_, direct, through, differences) => {
  const report = { direct: { '1.1.1': direct }, through: { '1.1.1': through } };
  expect(compare(report as Parameters<typeof compare>[0]).differences).toHaveLength(differences);
});

test('the comparison notices a case that did not run', () => {
  expect(compare({ direct: { '1.1.1': ok }, through: {} }).differences).toEqual([
    '1.1.1: direct OK OK 1000, through missing',
  ]);
});
