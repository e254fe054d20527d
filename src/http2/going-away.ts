import type { FrameOutput } from './frame-output.ts';
import { MAX_STREAM_ID } from './frames.ts';
import type { ErrorName } from './frames.ts';

/** PING payloads of ours; an answer that bears neither was not asked for. */
const DRAIN_PING = Buffer.from('draining', 'latin1');
const LIVENESS_PING = Buffer.from('alive?!?', 'latin1');

/** What a PING acknowledgement is: of `ping`, of the round trip before the last GOAWAY, or of nothing. */
export type Pong = 'alive' | 'drained' | 'unasked';

/** GOAWAY of both sides (RFC 9113 §6.8), and the PINGs that we send. */
export class GoingAway {
  readonly #output: FrameOutput;
  #sent = false;
  #sentLast = MAX_STREAM_ID;
  #peerSaid = false;
  #peerLast = MAX_STREAM_ID;
  #drainPings = 0;
  #livenessPings = 0;

  constructor(output: FrameOutput) {
    this.#output = output;
  }

  /** Either side has said that no further streams are to come. */
  get isClosing(): boolean {
    return this.#sent || this.#peerSaid;
  }

  /** The highest stream of the peer that is dealt with. */
  get lastAllowed(): number {
    return this.#sentLast;
  }

  /** Whether the highest stream has been named to the peer. */
  get isFinal(): boolean {
    return this.#sentLast !== MAX_STREAM_ID;
  }

  /** The first GOAWAY, which lets streams that are on their way come, and a PING to learn when they have. */
  announce(): void {
    if (this.#sent) return;
    this.#sent = true;
    this.#output.goaway(MAX_STREAM_ID, 'NO_ERROR', '');
    this.#output.ping(DRAIN_PING, 0, false);
    this.#drainPings++;
  }

  /** The second GOAWAY, once: streams above `lastStream` are not dealt with. */
  finish(lastStream: number): void {
    if (!this.isFinal) this.say(lastStream, 'NO_ERROR', '');
  }

  /** GOAWAY that names the last stream: never one above what was named before (§6.8). */
  say(lastStream: number, code: ErrorName, debug: string): void {
    this.#sent = true;
    this.#sentLast = Math.min(this.#sentLast, lastStream);
    this.#output.goaway(this.#sentLast, code, debug);
  }

  ping(): void {
    this.#output.ping(LIVENESS_PING, 0, false);
    this.#livenessPings++;
  }

  pong(buffer: Buffer, start: number): Pong {
    if (this.#livenessPings > 0 && LIVENESS_PING.compare(buffer, start, start + 8) === 0) {
      this.#livenessPings--;
      return 'alive';
    }
    if (this.#drainPings === 0 || DRAIN_PING.compare(buffer, start, start + 8) !== 0) return 'unasked';
    this.#drainPings--;
    return 'drained';
  }

  /** The peer's GOAWAY. False: it names more than it did before. */
  hear(lastStream: number): boolean {
    if (lastStream > this.#peerLast) return false;
    this.#peerSaid = true;
    this.#peerLast = lastStream;
    return true;
  }
}
