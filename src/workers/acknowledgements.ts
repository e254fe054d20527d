import type { ClosedRoute } from '../proxy/link-draft.ts';

/** What became of a published generation. Times are the slowest worker's. */
export type PublishOutcome =
  | {
      readonly kind: 'live';
      readonly generation: number;
      readonly linkMs: number;
      readonly stallMs: number;
      /** Routes that answer 503 because one of their filters cannot be built. */
      readonly closed: readonly ClosedRoute[];
    }
  | { readonly kind: 'failed'; readonly generation: number; readonly message: string };

interface Waiting {
  readonly generation: number;
  readonly resolve: (outcome: PublishOutcome) => void;
  linkMs: number;
  stallMs: number;
  closed: readonly ClosedRoute[];
}

/** What one worker says when a generation is live in it. */
export interface Measured {
  readonly generation: number;
  readonly linkMs: number;
  readonly stallMs: number;
  readonly closed: readonly ClosedRoute[];
}

/** Who waits for which generation to be live in every worker. */
export class Acknowledgements {
  readonly #settled: (generation: number) => void;
  #waiting: Waiting[] = [];
  #everywhere = 0;

  /** `settled` is told each time a newer generation is live everywhere. */
  constructor(settled: (generation: number) => void) {
    this.#settled = settled;
  }

  expect(generation: number): Promise<PublishOutcome> {
    return new Promise((resolve) => {
      this.#waiting.push({ generation, resolve, linkMs: 0, stallMs: 0, closed: [] });
    });
  }

  /** One worker has it. */
  measured({ generation, linkMs, stallMs, closed }: Measured): void {
    for (const waiting of this.#waiting) {
      if (waiting.generation > generation) continue;
      waiting.linkMs = Math.max(waiting.linkMs, linkMs);
      waiting.stallMs = Math.max(waiting.stallMs, stallMs);
      waiting.closed = closed;
    }
  }

  /** Every worker that there is serves this generation or a later one; 0 while one of them serves none. */
  reached(generation: number): void {
    if (generation > this.#everywhere) {
      this.#everywhere = generation;
      this.#settled(generation);
    }
    this.#settle(
      (waiting) => waiting.generation <= generation,
      ({ generation: expected, linkMs, stallMs, closed }) => ({
        kind: 'live',
        generation: expected,
        linkMs,
        stallMs,
        closed,
      }),
    );
  }

  /** No worker could link it; they keep the table before. So it is with those before it that nobody has either. */
  failed(generation: number, message: string): void {
    this.#settle(
      (waiting) => waiting.generation <= generation,
      (waiting) => ({ kind: 'failed', generation: waiting.generation, message }),
    );
  }

  #settle(which: (waiting: Waiting) => boolean, outcome: (waiting: Waiting) => PublishOutcome): void {
    const settled = this.#waiting.filter(which);
    if (settled.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => !which(waiting));
    for (const waiting of settled) waiting.resolve(outcome(waiting));
  }
}
