import type { Balancer, Candidate, EndpointBoardView } from './balancer.ts';
import { participants, shareOf } from './candidate-weights.ts';

/** Upper bound of the picks that a weighted rotation is wound forward by when it is made. */
const MAX_HEAD_START = 512;

/** Shared, so that a pick allocates nothing. */
const NONE: readonly never[] = [];

/**
 * Round robin. Every rotation starts at a random place: workers and pods that receive the same table in the same
 * instant would otherwise all send their first request to the same endpoint. A changed list starts a new rotation, which is
 * as fair in the long run as resuming the old one, so the previous balancer is not looked at.
 */
export function createRoundRobin<C extends Candidate>(
  candidates: readonly C[],
  _board: EndpointBoardView,
  random: () => number,
): Balancer<C> {
  const members = participants(candidates);
  const first = members[0];
  const equal = first === undefined || members.every((member) => shareOf(member) === shareOf(first));
  return equal
    ? new CyclicBalancer(candidates, members, random)
    : new SmoothBalancer(candidates, members, random);
}

/** Equal weights: one after the other. It is the order that the smooth rotation would give, without its O(n) a pick. */
class CyclicBalancer<C extends Candidate> implements Balancer<C> {
  readonly candidates: readonly C[];
  readonly #members: readonly C[];
  #next: number;

  constructor(candidates: readonly C[], members: readonly C[], random: () => number) {
    this.candidates = candidates;
    this.#members = members;
    this.#next = Math.floor(random() * members.length);
  }

  pick(tried: readonly C[]): C | undefined {
    const members = this.#members;
    const count = members.length;
    let index = this.#next;
    if (tried.length > 0) {
      let skipped = 0;
      while (skipped < count && tried.includes(members[index] as C)) {
        index = index + 1 === count ? 0 : index + 1;
        skipped++;
      }
    }
    this.#next = index + 1 >= count ? 0 : index + 1;
    return members[index];
  }
}

/**
 * Unequal weights: smooth weighted round robin. Each member has a credit. A pick adds every member's weight to its credit,
 * takes the member with the most, and charges it the sum of all weights. Credits add up to 0 before and after, return
 * to where they were after one cycle (sum of weights picks, divided by their common divisor), and in that cycle each member
 * is taken exactly as often as its weight says, spread out and not in a burst.
 */
class SmoothBalancer<C extends Candidate> implements Balancer<C> {
  readonly candidates: readonly C[];
  readonly #members: readonly C[];
  readonly #weights: Float64Array;
  readonly #credits: Float64Array;

  constructor(candidates: readonly C[], members: readonly C[], random: () => number) {
    this.candidates = candidates;
    this.#members = members;
    this.#weights = Float64Array.from(members, shareOf);
    this.#credits = new Float64Array(members.length);
    const cycle = Math.min(MAX_HEAD_START, sum(this.#weights));
    for (let steps = Math.floor(random() * cycle); steps > 0; steps--) this.pick(NONE);
  }

  pick(tried: readonly C[]): C | undefined {
    const index = this.#take(tried);
    // Every member has been tried: take the next in turn again.
    return this.#members[index < 0 ? this.#take(NONE) : index];
  }

  /** Index of the member in turn among those not tried, -1 when there is none. Who was tried neither earns nor pays. */
  #take(tried: readonly C[]): number {
    const members = this.#members;
    const weights = this.#weights;
    const credits = this.#credits;
    let best = -1;
    let total = 0;
    for (let index = 0; index < members.length; index++) {
      if (tried.length > 0 && tried.includes(members[index] as C)) continue;
      const weight = weights[index] as number;
      const credit = (credits[index] as number) + weight;
      credits[index] = credit;
      total += weight;
      if (best < 0 || credit > (credits[best] as number)) best = index;
    }
    if (best >= 0) credits[best] = (credits[best] as number) - total;
    return best;
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
