import { Worker } from 'node:worker_threads';

import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';

export interface WorkerHandleOptions {
  readonly entry: URL;
  readonly start: Omit<WorkerStart, 'control'>;
  readonly heapBytes: number;
  /** Monotonic milliseconds. */
  now(): number;
  message(message: FromWorker): void;
  /** Called once; `reason` says why in the operator's words. */
  ended(reason: string, error: Error | undefined): void;
}

/**
 * Main looks at the heart this often. When it comes late itself, the machine has no time for it, and may have none for a
 * healthy worker either: such a look counts nothing. A pause beyond twice that starts the count anew.
 */
export const heartCheckEveryMs = 250;
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
  readonly #control = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #exited: Promise<void>;
  #started = false;
  #lastBeat = 0;
  /** Silence that was seen at looks that were on time. */
  #silentMs = 0;
  #lastCheckAtMs: number;
  #reason: string | undefined;
  #error: Error | undefined;

  constructor(options: WorkerHandleOptions) {
    this.#options = options;
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
        options.ended(this.#reason ?? exitReason(code, this.#error), this.#error);
      });
    });
  }

  post(message: ToWorker, transfer: Parameters<Worker['postMessage']>[1] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Ends a worker that has been silent for a second (or `givenLimitMs`); `busy` tells that it has reason to be. */
  checkHeart(busy: boolean, givenLimitMs?: number): void {
    const now = this.#options.now();
    const beat = Atomics.load(this.#control, 0);
    // When main itself was held (or the machine slept), the worker gets a fresh look before it is judged.
    const sinceMs = now - this.#lastCheckAtMs;
    const mainWasHeld = sinceMs > 2 * heartCheckEveryMs;
    this.#lastCheckAtMs = now;
    if (beat !== this.#lastBeat || mainWasHeld) {
      this.#lastBeat = beat;
      this.#silentMs = 0;
      return;
    }
    const usual = now - this.startedAtMs < youngMs ? youngSilenceLimitMs : silenceLimitMs;
    const wanted = givenLimitMs ?? usual;
    const limit = this.#started && !busy ? wanted : Math.max(busyLimitMs, wanted);
    if (sinceMs < 1.2 * heartCheckEveryMs) this.#silentMs += sinceMs;
    if (this.#silentMs >= limit) this.kill(this.#started ? 'stalled' : 'did not start');
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
