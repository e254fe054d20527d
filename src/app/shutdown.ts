import { atMost } from '../control/at-most.ts';
import type { LoopClock } from '../control/loop.ts';
import type { Log } from '../telemetry/log.ts';

export interface ShutdownSteps {
  /** Readiness fails from now on; traffic is still accepted. */
  unready(): void;
  /** Accepts nothing new; resolves when all that runs has ended. Tunnels are ended spread over the window. */
  drain(tunnelWindowMs: number): Promise<void>;
  /** Ends everything at once. */
  stop(): Promise<void>;
}

export interface ShutdownOptions {
  readonly drainDelayMs: number;
  /** From the request to the hard stop, the drain delay included. */
  readonly gracePeriodMs: number;
  readonly clock: LoopClock;
  readonly log: Log;
}

/** Unready, keep accepting for the drain delay, finish what runs, hard stop at the grace period; asked twice, stop at once. */
export class Shutdown {
  readonly #steps: ShutdownSteps;
  readonly #options: ShutdownOptions;
  readonly #hurry: Promise<void>;
  readonly #finished: Promise<void>;
  #hurryUp: () => void = () => undefined;
  #finish: () => void = () => undefined;
  #requested = false;

  constructor(steps: ShutdownSteps, options: ShutdownOptions) {
    this.#steps = steps;
    this.#options = options;
    this.#hurry = new Promise((resolve) => {
      this.#hurryUp = resolve;
    });
    this.#finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Resolves when everything has ended. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  /** `why` is the signal's name. */
  request(why: string): void {
    const { log } = this.#options;
    if (this.#requested) {
      log.warn('stopping at once', { signal: why });
      this.#hurryUp();
      return;
    }
    this.#requested = true;
    log.info('shutting down', { signal: why, drainDelayMs: this.#options.drainDelayMs });
    void this.#run();
  }

  async #run(): Promise<void> {
    const { drainDelayMs, gracePeriodMs, clock, log } = this.#options;
    const endMs = clock.now() + gracePeriodMs;
    this.#steps.unready();
    await this.#atMost(Math.min(drainDelayMs, gracePeriodMs), new Promise(() => undefined));
    const leftMs = Math.max(0, endMs - clock.now());
    const drained = this.#steps.drain(Math.min(drainDelayMs, leftMs / 2)).then(() => true);
    const complete = await this.#atMost(leftMs, drained);
    if (complete !== true) log.warn('ending what still runs', { gracePeriodMs });
    await this.#steps.stop();
    log.info('stopped');
    this.#finish();
  }

  async #atMost<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    return atMost(this.#options.clock, ms, Promise.race([work, this.#hurry.then(() => undefined)]));
  }
}
