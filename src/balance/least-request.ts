import type { Balancer, Candidate, EndpointBoardView } from './balancer.ts';
import { participants, shareOf } from './candidate-weights.ts';

/**
 * Least requests by the power of two choices (Mitzenmacher 2001): draw two endpoints by weight, take the one that
 * would have fewer requests in flight per weight. Reads the board that all workers share, so the choice is right for the pod
 * and not only for one thread, and two random draws keep workers from herding on the same idle endpoint.
 */
export function createLeastRequest<C extends Candidate>(
  candidates: readonly C[],
  board: EndpointBoardView,
  random: () => number,
): Balancer<C> {
  return new LeastRequestBalancer(candidates, board, random);
}

class LeastRequestBalancer<C extends Candidate> implements Balancer<C> {
  readonly candidates: readonly C[];
  readonly #members: readonly C[];
  /** Where each member's share starts on a line of length `#total`. */
  readonly #starts: Float64Array;
  readonly #total: number;
  readonly #board: EndpointBoardView;
  readonly #random: () => number;

  constructor(candidates: readonly C[], board: EndpointBoardView, random: () => number) {
    this.candidates = candidates;
    this.#members = participants(candidates);
    this.#board = board;
    this.#random = random;
    this.#starts = new Float64Array(this.#members.length);
    let total = 0;
    for (const [index, member] of this.#members.entries()) {
      this.#starts[index] = total;
      total += shareOf(member);
    }
    this.#total = total;
  }

  pick(tried: readonly C[]): C | undefined {
    const members = this.#members;
    if (members.length < 2) return members[0];
    if (tried.length > 0) {
      const untried = this.#leastLoaded(tried);
      if (untried !== undefined) return untried;
    }
    const first = this.#locate(this.#random() * this.#total);
    const one = members[first] as C;
    // The second draw leaves out the first one's stretch of the line.
    const point = this.#random() * (this.#total - shareOf(one));
    const second = this.#locate(point < (this.#starts[first] as number) ? point : point + shareOf(one));
    return this.#better(one, members[second] as C);
  }

  /** Member whose stretch holds this point of the line. */
  #locate(point: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] as number) <= point) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** `one` unless `other` would carry less per weight. Two idle endpoints: the first drawn, so that weights still tell. */
  #better(one: C, other: C): C {
    const oneInFlight = this.#board.inFlight(one.slot);
    const otherInFlight = this.#board.inFlight(other.slot);
    if (oneInFlight === 0 && otherInFlight === 0) return one;
    return (otherInFlight + 1) * shareOf(one) < (oneInFlight + 1) * shareOf(other) ? other : one;
  }

  /** For retries, which are rare: the least loaded of all that were not tried, found from a random start. */
  #leastLoaded(tried: readonly C[]): C | undefined {
    const members = this.#members;
    const offset = Math.floor(this.#random() * members.length);
    let best: C | undefined;
    for (let step = 0; step < members.length; step++) {
      const member = members[(offset + step) % members.length] as C;
      if (tried.includes(member)) continue;
      best = best === undefined ? member : this.#better(best, member);
    }
    return best;
  }
}
