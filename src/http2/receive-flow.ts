import type { FrameOutput } from './frame-output.ts';
import { DEFAULT_WINDOW_BYTES } from './frames.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { Http2Limits } from './limits.ts';

/**
 * What the peer may send (RFC 9113 §5.2, §6.9): windows of the connection and its streams, given back as bytes are
 * consumed. So they bound what the peer can make us hold.
 */
export class ReceiveFlow {
  readonly #output: FrameOutput;
  readonly #streamBytes: number;
  readonly #grownBytes: number;
  readonly #connectionBytes: number;
  #window = DEFAULT_WINDOW_BYTES;
  #consumed = 0;
  /** Until the peer has taken our SETTINGS it may go by the default window (§6.9.2). */
  #acknowledged = false;

  constructor(output: FrameOutput, limits: Http2Limits) {
    this.#output = output;
    this.#streamBytes = limits.streamWindowBytes;
    this.#grownBytes = limits.grownWindowBytes;
    this.#connectionBytes = Math.max(limits.connectionWindowBytes, DEFAULT_WINDOW_BYTES);
  }

  /** Opens the connection's window. Behind SETTINGS. */
  start(): void {
    const more = this.#connectionBytes - this.#window;
    if (more === 0) return;
    this.#output.windowUpdate(0, more);
    this.#window += more;
  }

  /** Window that a new stream has for the peer. */
  get initialWindow(): number {
    return this.#acknowledged ? this.#streamBytes : Math.max(this.#streamBytes, DEFAULT_WINDOW_BYTES);
  }

  /** The peer acknowledged our SETTINGS. */
  acknowledge(streams: Iterable<Http2Stream>): void {
    if (this.#acknowledged) return;
    const change = this.#streamBytes - this.initialWindow;
    this.#acknowledged = true;
    if (change === 0) return;
    for (const stream of streams) stream.receiveWindow += change;
  }

  /** DATA came, padding included (§6.9.1). False: more than the connection's window allows. */
  take(bytes: number): boolean {
    this.#window -= bytes;
    return this.#window >= 0;
  }

  /** The same for the stream. */
  takeForStream(stream: Http2Stream, bytes: number): boolean {
    stream.receiveWindow -= bytes;
    stream.unconsumed += bytes;
    return stream.receiveWindow >= 0;
  }

  consume(stream: Http2Stream, bytes: number): void {
    const given = Math.min(bytes, stream.unconsumed);
    if (given <= 0) return;
    stream.unconsumed -= given;
    this.giveBack(given);
    if (stream.isReset || stream.remoteEnded) return;
    stream.consumed += given;
    if (stream.consumed < (this.#streamBytes + stream.grownBytes) / 2) return;
    const more = stream.consumed + this.#grow(stream);
    this.#output.windowUpdate(stream.id, more);
    stream.receiveWindow += more;
    stream.consumed = 0;
  }

  /** Who takes what comes gets more at a time: twice as much at each step. Returns by how many bytes. */
  #grow(stream: Http2Stream): number {
    if (!stream.mayGrow) return 0;
    const window = this.#streamBytes + stream.grownBytes;
    const more = Math.max(0, Math.min(window, this.#grownBytes - window));
    stream.grownBytes += more;
    return more;
  }

  /** Nobody will consume what the stream was handed. */
  release(stream: Http2Stream): void {
    const { unconsumed } = stream;
    stream.unconsumed = 0;
    if (unconsumed > 0) this.giveBack(unconsumed);
  }

  /** Window of the connection for bytes that were dealt with. */
  giveBack(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < this.#connectionBytes / 2) return;
    this.#output.windowUpdate(0, this.#consumed);
    this.#window += this.#consumed;
    this.#consumed = 0;
  }
}
