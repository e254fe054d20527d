import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { change, loopHarness, received, settle, snapshotAt } from '../../test/support/loop-harness.ts';

const step = fc.oneof(
  fc.record({
    type: fc.constant('update' as const),
    upstreams: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2', '3')),
    references: fc.subarray(['Secret/a/x', 'Secret/a/y']),
  }),
  /** Everything that was asked for is found. */
  fc.record({ type: fc.constant('found' as const) }),
  /** The workers answer to everything that was sent. */
  fc.record({ type: fc.constant('acknowledge' as const), isLive: fc.boolean() }),
  fc.record({ type: fc.constant('pass' as const), ms: fc.constantFrom(1, 3, 20, 400, 1200) }),
  fc.record({ type: fc.constant('bug' as const) }),
);

/** A loop whose look-ups and publications are answered when a test says so. */
function start() {
  let waiting = Promise.withResolvers<void>();
  let asked: ReadonlySet<string> = new Set();
  const known = new Set<string>();
  const refused = new Set<number>();
  let answered = 0;
  const harness = loopHarness({
    hold: true,
    fetch: (references) => {
      asked = references;
      return [...references].every((one) => known.has(one)) ? undefined : waiting.promise;
    },
  });
  return {
    ...harness,
    update: (upstreams: Readonly<Record<string, string>>, references: readonly string[] = []) => {
      const texts = Object.entries(upstreams).map(([id, address]) => `${id}=${address}`);
      harness.loop.update(snapshotAt(texts, references), [change]);
    },
    found: () => {
      for (const one of asked) known.add(one);
      waiting.resolve();
      waiting = Promise.withResolvers<void>();
    },
    acknowledge: (isLive: boolean) => {
      for (; answered < harness.held.length; answered++) {
        const generation = answered + 1;
        if (!isLive) refused.add(generation);
        harness.held[answered]?.(
          isLive
            ? { kind: 'live', generation, linkMs: 1, stallMs: 1, closed: [] }
            : { kind: 'failed', generation, message: 'no' },
        );
      }
    },
    wasRefused: (generation: number) => refused.has(generation),
  };
}

/** Lets everything that is under way come to its end. */
async function calm({ found, acknowledge, clock }: ReturnType<typeof start>): Promise<void> {
  for (let round = 0; round < 6; round++) {
    found();
    acknowledge(true);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await settle();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await clock.advance(1500);
  }
}

test('any order of changes, look-ups and answers ends in the newest table, and in what every worker was told', async () => {
  let endpointsAlone = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const one = start();
      const { loop, clock, sent, events } = one;
      let upstreams: Readonly<Record<string, string>> = { a: '1' };
      one.update(upstreams);
      await clock.advance(10);
      one.acknowledge(true);
      for (const next of steps) {
        if (next.type === 'update') {
          ({ upstreams } = next);
          one.update(upstreams, next.references);
        } else if (next.type === 'found') one.found();
        else if (next.type === 'acknowledge') one.acknowledge(next.isLive);
        else if (next.type === 'bug') one.failNext();
        else await clock.advance(next.ms);
        await settle();
      }
      // Twice, because the first may meet the bug.
      for (let round = 0; round < 2; round++) {
        one.update(upstreams);
        await calm(one);
      }
      const table = received(sent);
      expect(table.digest).toBe(loop.table.digest);
      const served = [...table.upstreams.keys()].map((id) => [
        id,
        table.endpoints.get(id)?.endpoints[0]?.address,
      ]);
      expect(Object.fromEntries(served)).toEqual({ ...upstreams });
      if (!one.wasRefused(sent.length)) {
        expect(events.at(-1)).toBe(`settled ${Object.keys(upstreams).join(' ')}`.trim());
      }
      for (const { delta } of sent.slice(1)) {
        const { set, removed } = delta.upstreams;
        if (set.length + removed.length === 0) endpointsAlone++;
      }
    }),
    { numRuns: 300 },
  );
  expect(endpointsAlone).toBeGreaterThan(0);
});
