import type { Socket } from 'node:net';

import type { DeadlineSweeper, Expiring } from '../util/deadline-sweeper.ts';

/**
 * Watches that a client takes what waits for it. Not the socket's own timer: that one takes bytes that come in for a sign
 * of life, and a client that never reads may send as much as it likes.
 */
export class WriteWatch implements Expiring {
  deadline = 0;
  sweepIndex = -1;
  readonly #socket: Socket;
  readonly #sweeper: DeadlineSweeper;
  readonly #timeoutMs: number;
  readonly #onStalled: () => void;
  #waiting = 0;

  /** `timeoutMs` of 0 waits for ever. */
  constructor(socket: Socket, sweeper: DeadlineSweeper, timeoutMs: number, onStalled: () => void) {
    this.#socket = socket;
    this.#sweeper = sweeper;
    this.#timeoutMs = timeoutMs;
    this.#onStalled = onStalled;
  }

  /** Output has begun to wait. */
  start(): void {
    this.#waiting = this.#socket.writableLength;
    this.deadline = this.#sweeper.after(this.#timeoutMs);
    this.#sweeper.add(this);
  }

  stop(): void {
    this.deadline = 0;
    this.#sweeper.remove(this);
  }

  onDeadline(): void {
    if (this.#socket.writableLength < this.#waiting) this.start();
    else this.#onStalled();
  }
}
