import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Candidate } from './balancer.ts';
import { createRoundRobin } from './round-robin.ts';

interface Named extends Candidate {
  readonly name: string;
}

const idle = { inFlight: () => 0 };
const make = (weights: readonly number[], random: () => number = () => 0) =>
  createRoundRobin(
    weights.map((weight, index): Named => ({ name: String.fromCharCode(97 + index), weight, slot: index })),
    idle,
    random,
  );
const run = (balancer: ReturnType<typeof make>, picks: number): string =>
  Array.from({ length: picks }, () => balancer.pick([])?.name ?? '-').join('');

const weightLists = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });
const starts = fc.double({ min: 0, max: 0.999_999, noNaN: true });

describe('round robin', () => {
  test('gives nothing for no candidates', () => {
    expect(make([]).pick([])).toBeUndefined();
  });

  test('goes round equal candidates in order, from a random place', () => {
    expect(run(make([1, 1, 1]), 7)).toBe('abcabca');
    expect(
      run(
        make([5, 5, 5], () => 0.5),
        4,
      ),
    ).toBe('bcab');
  });

  test('spreads a heavy candidate out', () => {
    expect(run(make([5, 1, 1]), 14)).toBe('aabacaaaabacaa');
  });

  test('starts weighted rotations at a random place too', () => {
    const whole = run(make([5, 1, 1]), 14);
    expect(
      run(
        make([5, 1, 1], () => 0.5),
        7,
      ),
    ).toBe(whole.slice(3, 10));
  });

  test('every window of one cycle holds each candidate exactly by its weight, wherever it starts', () => {
    fc.assert(
      fc.property(weightLists, starts, fc.nat(40), (weights, start, lead) => {
        const balancer = make(weights, () => start);
        run(balancer, lead);
        const cycle = weights.reduce((total, weight) => total + weight, 0);
        const seen = new Map<string, number>();
        for (const name of run(balancer, cycle)) seen.set(name, (seen.get(name) ?? 0) + 1);
        expect(weights.map((_, index) => seen.get(String.fromCharCode(97 + index)))).toEqual(weights);
      }),
    );
  });

  test('leaves out weight 0, unless every weight is 0', () => {
    expect(run(make([0, 2, 0, 2]), 4)).toBe('bdbd');
    expect(run(make([0, 3, 1]), 4)).not.toContain('a');
    expect(run(make([0, 0]), 4)).toBe('abab');
  });

  test('takes a tried candidate again only when nothing else is left', () => {
    fc.assert(
      fc.property(weightLists, starts, (weights, start) => {
        const balancer = make(weights, () => start);
        const tried: Named[] = [];
        for (let round = 0; round < weights.length; round++) tried.push(balancer.pick(tried) as Named);
        expect(new Set(tried).size).toBe(weights.length);
        expect(tried).toContain(balancer.pick(tried));
      }),
    );
  });

  test('a retry does not upset the shares of the others', () => {
    const balancer = make([3, 2, 1]);
    const broken = balancer.candidates[2] as Named;
    const picks = Array.from({ length: 50 }, () => balancer.pick([broken])?.name);
    expect(picks.filter((name) => name === 'a')).toHaveLength(30);
    expect(picks.filter((name) => name === 'b')).toHaveLength(20);
  });

  test('a long list of equal candidates is a plain cycle', () => {
    const balancer = make(Array.from({ length: 500 }, () => 2));
    const names = Array.from({ length: 1000 }, () => balancer.pick([])?.slot);
    expect(names).toEqual([...Array(500).keys(), ...Array(500).keys()]);
  });
});
