import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Candidate } from './balancer.ts';
import { EndpointBoard } from './endpoint-board.ts';
import { createLeastRequest } from './least-request.ts';

/** Deterministic numbers in [0, 1): a linear congruential generator (Numerical Recipes). */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function setUp(weights: readonly number[], seed = 1) {
  const board = new EndpointBoard(EndpointBoard.allocate(Math.max(1, weights.length)));
  const candidates = weights.map((weight, slot): Candidate => ({ weight, slot }));
  return { board, candidates, balancer: createLeastRequest(candidates, board, numbers(seed)) };
}

function shares(picks: number, pick: () => Candidate | undefined, size: number): number[] {
  const counts = Array.from({ length: size }, () => 0);
  for (let index = 0; index < picks; index++) {
    const slot = pick()?.slot ?? -1;
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  return counts.map((count) => count / picks);
}

describe('least requests', () => {
  test('gives nothing for no candidates and the only one for one', () => {
    expect(setUp([]).balancer.pick([])).toBeUndefined();
    const { balancer, candidates } = setUp([3]);
    expect(balancer.pick([])).toBe(candidates[0]);
    expect(balancer.pick(candidates)).toBe(candidates[0]);
  });

  test('of two, takes the one with fewer requests in flight', () => {
    const { balancer, board, candidates } = setUp([1, 1]);
    board.begin(0);
    expect(shares(50, () => balancer.pick([]), 2)).toEqual([0, 1]);
    board.begin(1);
    board.begin(1);
    expect(balancer.pick([])).toBe(candidates[0]);
  });

  test('counts load per weight', () => {
    const { balancer, board } = setUp([4, 1]);
    board.begin(0);
    board.begin(0);
    expect(shares(50, () => balancer.pick([]), 2)).toEqual([1, 0]);
    board.begin(0);
    board.begin(0);
    expect(shares(50, () => balancer.pick([]), 2)).toEqual([0, 1]);
  });

  test('splits by weight while all are idle', () => {
    const { balancer } = setUp([6, 3, 1]);
    const [a, b, c] = shares(20_000, () => balancer.pick([]), 3);
    expect(a).toBeCloseTo(0.6, 1);
    expect(b).toBeCloseTo(0.3, 1);
    expect(c).toBeCloseTo(0.1, 1);
  });

  test('keeps requests in flight in proportion to the weights', () => {
    const { balancer, board } = setUp([3, 2, 1]);
    for (let index = 0; index < 600; index++) board.begin(balancer.pick([])?.slot ?? -1);
    expect(Math.abs(board.inFlight(0) - 300)).toBeLessThan(20);
    expect(Math.abs(board.inFlight(1) - 200)).toBeLessThan(20);
    expect(Math.abs(board.inFlight(2) - 100)).toBeLessThan(20);
  });

  test('the most loaded of many is never taken', () => {
    const { balancer, board } = setUp(Array.from({ length: 40 }, () => 1));
    board.begin(17);
    expect(shares(2000, () => balancer.pick([]), 40)[17]).toBe(0);
  });

  test('leaves out weight 0, unless every weight is 0', () => {
    const drained = setUp([0, 1, 1]).balancer;
    expect(shares(200, () => drained.pick([]), 3)[0]).toBe(0);
    const { balancer } = setUp([0, 0]);
    const [a, b] = shares(2000, () => balancer.pick([]), 2);
    expect(a).toBeCloseTo(0.5, 1);
    expect(b).toBeCloseTo(0.5, 1);
  });

  test('takes a tried candidate again only when nothing else is left', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(weights, fc.nat(), (list, seed) => {
        const { balancer, candidates } = setUp(list, seed);
        const tried: Candidate[] = [];
        for (const _ of candidates) tried.push(balancer.pick(tried) as Candidate);
        expect(new Set(tried).size).toBe(candidates.length);
        expect(tried).toContain(balancer.pick(tried));
      }),
    );
  });

  test('a retry goes to the least loaded of those left', () => {
    const { balancer, board, candidates } = setUp([1, 1, 1]);
    board.begin(0);
    board.begin(0);
    board.begin(1);
    expect(balancer.pick([candidates[2] as Candidate])).toBe(candidates[1]);
  });

  test('two draws are always two different endpoints', () => {
    // An endpoint drawn against itself would win although it is the busiest; with two candidates that would show.
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.nat(), (weight, seed) => {
        const { balancer, board, candidates } = setUp([weight, 1], seed);
        for (let count = 0; count < 2 * weight; count++) board.begin(0);
        expect(balancer.pick([])).toBe(candidates[1]);
      }),
    );
  });
});
