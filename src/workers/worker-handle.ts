import { Worker } from 'node:worker_threads';

import { judgeBeat, noSilence } from './heart.ts';
import type { Silence } from './heart.ts';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';
import { ThreadTimes } from './thread-times.ts';
import type { ReadThreads } from './thread-times.ts';

export interface WorkerHandleOptions {
  readonly entry: URL;
  readonly start: Omit<WorkerStart, 'control'>;
  readonly heapBytes: number;
  /** Monotonic milliseconds. */
  now(): number;
  message(message: FromWorker): void;
  /** Called once in a silence that is for want of a processor. */
  starved(silence: Silence): void;
  /** Called once; `reason` says why in the operator's words, `silence` is there when silence is why. */
  ended(reason: string, error: Error | undefined, silence: Silence | undefined): void;
  /** Times of the threads of this process; from /proc unless given. */
  readonly readThreads?: ReadThreads;
}

const silenceLimitMs = 1000;
/** A young worker compiles its code while it serves; beside other work it may be silent for longer than one that is warm. */
const youngMs = 10_000;
const youngSilenceLimitMs = 3000;
/** Silence that is allowed while a worker starts or takes in a whole table: reading a large one holds its thread. */
const busyLimitMs = 15_000;

/** One worker thread as main sees it: its messages, its heart, its end. */
export class WorkerHandle {
  readonly startedAtMs: number;
  readonly #worker: Worker;
  readonly #options: WorkerHandleOptions;
  readonly #control = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  readonly #times: ThreadTimes;
  readonly #exited: Promise<void>;
  #started = false;
  #lastBeat = 0;
  #silence = noSilence;
  #starved = false;
  #lastCheckAtMs: number;
  #reason: string | undefined;
  #error: Error | undefined;
  #deadly: Silence | undefined;

  constructor(options: WorkerHandleOptions) {
    this.#options = options;
    this.#times = new ThreadTimes(options.readThreads);
    this.startedAtMs = options.now();
    this.#lastCheckAtMs = this.startedAtMs;
    const workerData: WorkerStart = {
      ...options.start,
      control: this.#control.buffer,
    };
    this.#worker = new Worker(options.entry, {
      workerData,
      name: `worker-${options.start.worker}`,
      resourceLimits: { maxOldGenerationSizeMb: Math.max(16, Math.round(options.heapBytes / 1024 ** 2)) },
    });
    this.#worker.on('message', (message: FromWorker) => {
      if (message.type === 'started') this.#started = true;
      options.message(message);
    });
    this.#worker.on('error', (error: unknown) => {
      this.#error = error as Error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        resolve();
        options.ended(this.#reason ?? exitReason(code, this.#error), this.#error, this.#deadly);
      });
    });
  }

  post(message: ToWorker, transfer: Parameters<Worker['postMessage']>[1] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /**
   * Ends a worker that has been silent for a second (or `givenLimitMs`); `busy` tells that it has reason to be. To be
   * called every `heartCheckEveryMs`.
   */
  checkHeart(busy: boolean, givenLimitMs?: number): void {
    const now = this.#options.now();
    const elapsedMs = now - this.#lastCheckAtMs;
    this.#lastCheckAtMs = now;
    const count = Atomics.load(this.#control, 0);
    const beat = count !== this.#lastBeat;
    this.#lastBeat = count;
    // Nothing is read of a worker that beats.
    if (beat) this.#times.forget();
    const { silence, verdict } = judgeBeat(this.#silence, {
      beat,
      elapsedMs,
      limitMs: this.#limitMs(now, busy, givenLimitMs),
      share: beat ? undefined : this.#times.look(Atomics.load(this.#control, 1), elapsedMs),
    });
    this.#silence = silence;
    if (verdict === 'beats') this.#starved = false;
    if (verdict === 'starved' && !this.#starved) {
      this.#starved = true;
      this.#options.starved(silence);
    }
    if (verdict !== 'stalled') return;
    this.#deadly = silence;
    this.kill(this.#started ? 'stalled' : 'did not start');
  }

  #limitMs(now: number, busy: boolean, givenMs: number | undefined): number {
    const wantedMs = givenMs ?? (now - this.startedAtMs < youngMs ? youngSilenceLimitMs : silenceLimitMs);
    return this.#started && !busy ? wantedMs : Math.max(busyLimitMs, wantedMs);
  }

  /** Ends the thread at once; `ended` is told this reason. */
  kill(reason: string): void {
    this.#reason ??= reason;
    void this.#worker.terminate();
  }

  /** Asks the worker to end; ends it when it has not within `limitMs`. */
  async stop(limitMs: number): Promise<void> {
    this.#reason ??= 'stopped';
    this.post({ type: 'stop' });
    const timer = setTimeout(() => this.kill('stopped'), limitMs);
    await this.#exited;
    clearTimeout(timer);
  }
}

function exitReason(code: number, error: Error | undefined): string {
  if (error === undefined) return `exited with code ${code}`;
  const outOfHeap = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
  return outOfHeap ? 'ran out of heap' : 'threw';
}
