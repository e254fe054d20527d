import type { BudgetName } from './limits.ts';

const WINDOW_MS = 10_000;

/** How many times its limit a bucket may hold, when honest traffic earned it. Resets never pile up. */
const ceilings: Readonly<Record<BudgetName, number>> = {
  reset: 1,
  refused: 1,
  ping: 1000,
  settings: 1,
  windowUpdate: 1000,
  glitch: 100,
};

interface Bucket {
  tokens: number;
  readonly limit: number;
  readonly ceiling: number;
}

/** Token buckets for what a peer may do only so often. Full at the beginning; a whole limit flows back in ten seconds. */
export class Budgets {
  readonly #buckets: Readonly<Record<BudgetName, Bucket>>;
  #lastMs: number;

  constructor(limits: Readonly<Record<BudgetName, number>>, nowMs: number) {
    const bucket = (name: BudgetName): Bucket => ({
      tokens: limits[name],
      limit: limits[name],
      ceiling: limits[name] * ceilings[name],
    });
    this.#buckets = {
      reset: bucket('reset'),
      refused: bucket('refused'),
      ping: bucket('ping'),
      settings: bucket('settings'),
      windowUpdate: bucket('windowUpdate'),
      glitch: bucket('glitch'),
    };
    this.#lastMs = nowMs;
  }

  /** Lets flow back what time has brought. Once for each piece of input. */
  refill(nowMs: number): void {
    const passed = nowMs - this.#lastMs;
    if (passed < 100) return;
    this.#lastMs = nowMs;
    const share = Math.min(1, passed / WINDOW_MS);
    const { reset, refused, ping, settings, windowUpdate, glitch } = this.#buckets;
    flowBack(reset, share);
    flowBack(refused, share);
    flowBack(ping, share);
    flowBack(settings, share);
    flowBack(windowUpdate, share);
    flowBack(glitch, share);
  }

  /** Whether the peer may do so once more. */
  spend(name: BudgetName): boolean {
    const bucket = this.#buckets[name];
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  earn(name: BudgetName, tokens: number): void {
    const bucket = this.#buckets[name];
    bucket.tokens = Math.min(bucket.ceiling, bucket.tokens + tokens);
  }
}

function flowBack(bucket: Bucket, share: number): void {
  if (bucket.tokens < bucket.limit) {
    bucket.tokens = Math.min(bucket.limit, bucket.tokens + bucket.limit * share);
  }
}
