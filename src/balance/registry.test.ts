import { expect, test } from '@jest/globals';
import { balancers } from './registry.ts';

test.each(Object.entries(balancers))(
  '%s serves every candidate and keeps the list it was given',
  (_, create) => {
    const candidates = [1, 1, 1].map((weight, slot) => ({ weight, slot }));
    let turn = 0;
    const balancer = create(candidates, { inFlight: () => 0 }, () => (turn++ % 7) / 7);
    expect(balancer.candidates).toBe(candidates);
    expect(new Set(Array.from({ length: 60 }, () => balancer.pick([])?.slot))).toEqual(new Set([0, 1, 2]));
  },
);
