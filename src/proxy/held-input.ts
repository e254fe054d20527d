import type { Socket } from 'node:net';

const NO_BYTES = Buffer.alloc(0);

/** Input of a connection that cannot be used yet, and whether the socket is read. */
export class HeldInput {
  /** Undefined rather than empty. */
  pending: Buffer | undefined;
  readonly #socket: Socket;
  #isReading = true;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  take(): Buffer {
    const pending = this.pending ?? NO_BYTES;
    this.pending = undefined;
    return pending;
  }

  pause(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#socket.pause();
  }

  resume(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#socket.resume();
  }
}
