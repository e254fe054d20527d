import type { DeadlineSweeper, Expiring } from '../util/deadline-sweeper.ts';

/** A socket, or whatever else has output that waits. */
export interface WatchedOutput {
  readonly writableLength: number;
}

/**
 * Watches that a client takes what waits for it. Not the socket's own timer: that one takes bytes that come in for a sign
 * of life, and a client that never reads may send as much as it likes.
 */
export class WriteWatch implements Expiring {
  deadline = 0;
  sweepIndex = -1;
  readonly #output: WatchedOutput;
  readonly #sweeper: DeadlineSweeper;
  readonly #timeoutMs: number;
  readonly #onStalled: () => void;
  #waiting = 0;

  /** `timeoutMs` of 0 waits for ever. */
  constructor(output: WatchedOutput, sweeper: DeadlineSweeper, timeoutMs: number, onStalled: () => void) {
    this.#output = output;
    this.#sweeper = sweeper;
    this.#timeoutMs = timeoutMs;
    this.#onStalled = onStalled;
  }

  /** Output has begun to wait. */
  start(): void {
    this.#waiting = this.#output.writableLength;
    this.deadline = this.#sweeper.after(this.#timeoutMs);
    this.#sweeper.add(this);
  }

  stop(): void {
    this.deadline = 0;
    this.#sweeper.remove(this);
  }

  onDeadline(): void {
    if (this.#output.writableLength < this.#waiting) this.start();
    else this.#onStalled();
  }
}
