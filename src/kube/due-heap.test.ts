import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DueHeap } from './due-heap.ts';

test('what is due first comes out first, in whatever order it went in', () => {
  const step = fc.oneof(fc.record({ dueMs: fc.integer({ min: 0, max: 20 }) }), fc.constant('pop' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new DueHeap<{ readonly dueMs: number }>();
      const list: { readonly dueMs: number }[] = [];
      for (const one of steps) {
        if (one === 'pop') {
          list.sort((a, b) => a.dueMs - b.dueMs);
          expect(heap.pop()?.dueMs).toBe(list.shift()?.dueMs);
        } else {
          heap.push(one);
          list.push(one);
        }
        expect(heap.peek()?.dueMs).toBe(
          list.length === 0 ? undefined : Math.min(...list.map(({ dueMs }) => dueMs)),
        );
      }
    }),
  );
});
