import type { Candidate } from './balancer.ts';

/**
 * The candidates that take part: those with a weight above 0. When every weight is 0 (or not a number), all of them, since
 * an upstream with endpoints must not answer as if it had none.
 */
export function participants<C extends Candidate>(candidates: readonly C[]): readonly C[] {
  const weighted = candidates.filter((candidate) => candidate.weight > 0);
  return weighted.length > 0 ? weighted : candidates;
}

/** Share of a participant. */
export function shareOf(candidate: Candidate): number {
  return candidate.weight > 0 ? candidate.weight : 1;
}
