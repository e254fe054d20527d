import type { ApiFailure } from './api-failure.ts';
import { Backoff } from './backoff.ts';
import type { ReflectorTuning } from './reflector-options.ts';
import type { ResourceScope } from './resources.ts';

/** How often in a row a scope must be refused before that is meant; and by an API server that was away just before. */
const refusalProofs = 4;
const refusalProofsAtStart = 12;
/** Longest pause while there is no API server, for what is read as a whole: it is to be heard soon after it is back. */
const awayMaxMs = 3_000;

/**
 * How long to wait after each failure of one scope, in milliseconds. Pauses that grew while the API server was away count
 * for nothing once it answers; and one that is just starting refuses everybody, until it has read who may do what.
 */
export class RetryPauses {
  readonly #backoff: Backoff;
  readonly #random: () => number;
  readonly #tuning: ReflectorTuning;
  readonly #awayMaxMs: number | undefined;
  /** Whether it can be read; out of reach; or answers again, but nothing that helps. */
  #state: 'well' | 'away' | 'starting' = 'well';
  #refusals = 0;

  /** `random`: from 0 up to, not including, 1. */
  constructor(random: () => number, scope: ResourceScope, tuning: ReflectorTuning) {
    this.#backoff = new Backoff(random);
    this.#random = random;
    this.#tuning = tuning;
    // Objects that are read by name may be thousands.
    this.#awayMaxMs = scope.name === undefined ? awayMaxMs : undefined;
  }

  /** Refused so often that it is no matter of a moment. */
  get isRefused(): boolean {
    return this.#refusals >= (this.#state === 'starting' ? refusalProofsAtStart : refusalProofs);
  }

  /** After a failure of the API server, or of the way to it. */
  after({ stall, retryAfterMs }: ApiFailure): number {
    if (stall.kind === 'unreachable') {
      this.#state = 'away';
      return this.#backoff.next(retryAfterMs, this.#awayMaxMs);
    }
    if (this.#state === 'away') {
      this.#state = 'starting';
      this.#backoff.reset();
    }
    if (stall.kind === 'forbidden') this.#refusals += 1;
    if (stall.kind !== 'forbidden' || !this.isRefused)
      return this.#backoff.next(retryAfterMs, this.#state === 'starting' ? this.#awayMaxMs : undefined);
    const { forbiddenMinMs, forbiddenMaxMs } = this.#tuning;
    return forbiddenMinMs + this.#random() * (forbiddenMaxMs - forbiddenMinMs);
  }

  /** After an answer with which one cannot go on. */
  next(): number {
    return this.#backoff.next();
  }

  /** The API server let something be read. */
  succeeded(): void {
    if (this.#state !== 'well') this.#backoff.reset();
    this.#state = 'well';
    this.#refusals = 0;
  }

  /** What was tried works for good. */
  reset(): void {
    this.#backoff.reset();
  }
}
