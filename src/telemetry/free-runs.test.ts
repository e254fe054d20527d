import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { FreeRuns } from './free-runs.ts';

test('takes first fit and merges what is given back', () => {
  const runs = new FreeRuns(10, 20);
  expect([runs.take(4), runs.take(4), runs.take(4), runs.take(2), runs.take(1)]).toEqual([
    10,
    14,
    undefined,
    18,
    undefined,
  ]);
  runs.give(10, 4);
  runs.give(18, 2);
  expect(runs.take(5)).toBeUndefined();
  runs.give(14, 4);
  expect(runs.take(10)).toBe(10);
  expect(new FreeRuns(5, 5).take(1)).toBeUndefined();
});

test('never gives a number out twice, and has everything again in the end', () => {
  const step = fc.record({ count: fc.integer({ min: 1, max: 5 }), back: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const runs = new FreeRuns(0, 40);
      const used = new Set<number>();
      const taken: { first: number; count: number }[] = [];
      const give = (at: number): void => {
        for (const { first, count } of taken.splice(at, 1)) {
          for (let number = first; number < first + count; number++) used.delete(number);
          runs.give(first, count);
        }
      };
      for (const { count, back } of steps) {
        if (back % 2 === 1) give(back % Math.max(1, taken.length));
        const first = runs.take(count);
        if (first === undefined) continue;
        taken.push({ first, count });
        for (let number = first; number < first + count; number++) {
          expect(used.has(number) || number >= 40).toBe(false);
          used.add(number);
        }
      }
      while (taken.length > 0) give(0);
      expect(runs.take(40)).toBe(0);
    }),
  );
});
