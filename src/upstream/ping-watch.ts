import type { DeadlineSweeper } from '../util/deadline-sweeper.ts';

/** A connection with open streams that says nothing for so long is asked for a sign of life. */
const SILENCE_MS = 15_000;
/** It answers within this, or is taken for dead. */
const PONG_MS = 10_000;
/** Servers of gRPC end connections that ping while nothing is sent more often than every five minutes (its A8 proposal). */
const QUIET_INTERVAL_MS = 310_000;

/** When a connection of HTTP/2 is pinged, and when it is given up. Tells by deadlines; whoever has it keeps them. */
export class PingWatch {
  /** When to ask `onDeadline`. */
  deadline = 0;
  readonly #sweeper: DeadlineSweeper;
  #isWaiting = false;
  /** Before this, no ping, unless more than the answer to the last one was heard. */
  #notBefore = 0;

  constructor(sweeper: DeadlineSweeper) {
    this.#sweeper = sweeper;
  }

  /** The first of streams opens: silence counts from now. */
  begin(): void {
    if (!this.#isWaiting) this.#expect(SILENCE_MS);
  }

  /** Bytes came. */
  heard(): void {
    this.#isWaiting = false;
    this.#expect(SILENCE_MS);
  }

  /** What came was the answer to our ping: it says that the line is good, and no more. */
  pong(): void {
    this.#isWaiting = false;
    this.#expect(Math.max(SILENCE_MS, this.#notBefore - this.#sweeper.sweptAt));
  }

  onDeadline(now: number): 'ping' | 'dead' {
    if (this.#isWaiting) return 'dead';
    this.#isWaiting = true;
    this.#notBefore = now + QUIET_INTERVAL_MS;
    this.#expect(PONG_MS);
    return 'ping';
  }

  #expect(ms: number): void {
    this.deadline = this.#sweeper.after(ms);
  }
}
