import type { HeaderList } from '../util/header-list.ts';
import type { FrameOutput } from './frame-output.ts';
import { DEFAULT_FRAME_BYTES, DEFAULT_WINDOW_BYTES, MAX_WINDOW_BYTES } from './frames.ts';
import type { Http2Stream } from './http2-stream.ts';

/** Output that waits for the transport; beyond, DATA waits with its stream, so that no stream fills the line. */
export const OUTPUT_FULL_BYTES = 262_144;

export interface SchedulerEvents {
  trailers(stream: Http2Stream, trailers: HeaderList): void;
  /** Our side of the stream has ended. */
  ended(stream: Http2Stream): void;
  /** A frame of DATA went out. */
  sent(): void;
}

/**
 * Who sends how much DATA when (RFC 9113 §5.2): windows of streams and connection, and a frame of each stream that waits
 * in turn. A stream that its own window stops costs nothing until that window grows.
 */
export class SendScheduler {
  readonly #output: FrameOutput;
  readonly #events: SchedulerEvents;
  /** Streams with bytes that wait and a window, in the order of their turns. */
  readonly #ready = new Set<Http2Stream>();
  #window = DEFAULT_WINDOW_BYTES;
  #waitingBytes = 0;
  #pumping = false;

  constructor(output: FrameOutput, events: SchedulerEvents) {
    this.#output = output;
    this.#events = events;
  }

  /** Bytes that wait with all streams. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Returns whether all of it went into the output. */
  // oxlint-disable-next-line max-params -- a range of a buffer for a stream, hot
  send(stream: Http2Stream, bytes: Buffer, start: number, end: number): boolean {
    let at = start;
    // Who comes now does not overtake who waits.
    if (stream.queue.length === 0 && this.#ready.size === 0) {
      while (at < end) {
        const allowed = this.#allowed(stream, end - at);
        if (allowed <= 0) break;
        this.#frame(stream, bytes, at, allowed);
        at += allowed;
      }
    }
    if (at === end) return stream.queue.length === 0;
    stream.queue.push(Buffer.from(bytes.subarray(at, end)));
    this.#waitingBytes += end - at;
    if (stream.sendWindow > 0) this.#ready.add(stream);
    return false;
  }

  /** Ends our side once everything before has gone. */
  end(stream: Http2Stream, trailers: HeaderList | undefined): void {
    if (stream.queue.length === 0) return this.#finish(stream, trailers);
    stream.endQueued = true;
    stream.trailersQueued = trailers;
    return undefined;
  }

  /** Drops what waits with a stream. */
  forget(stream: Http2Stream): void {
    if (stream.queue.length === 0) return;
    this.#ready.delete(stream);
    for (const bytes of stream.queue) this.#waitingBytes -= bytes.length;
    stream.queue.length = 0;
  }

  /** More window for the connection. False: it would be more than there may be. */
  addWindow(bytes: number): boolean {
    if (this.#window + bytes > MAX_WINDOW_BYTES) return false;
    this.#window += bytes;
    return true;
  }

  /** More window for a stream, or less (§6.9.2). False: it would be more than there may be. */
  addStreamWindow(stream: Http2Stream, bytes: number): boolean {
    if (stream.sendWindow + bytes > MAX_WINDOW_BYTES) return false;
    stream.sendWindow += bytes;
    if (stream.queue.length > 0 && stream.sendWindow > 0) this.#ready.add(stream);
    return true;
  }

  /** Sends what may go now. Called when windows grew, or output was taken. */
  pump(): void {
    // A handler that hears `writable` and writes is served by the loop that told it.
    if (this.#pumping) return;
    this.#pumping = true;
    // A stream that is put back comes again at the end of this very loop.
    for (const stream of this.#ready) {
      if (this.#window <= 0 || this.#output.length >= OUTPUT_FULL_BYTES) break;
      this.#ready.delete(stream);
      this.#sendOne(stream);
    }
    this.#pumping = false;
  }

  /** One frame of a stream that waits. */
  #sendOne(stream: Http2Stream): void {
    const first = stream.queue[0];
    const allowed = first === undefined ? 0 : this.#allowed(stream, first.length);
    if (first === undefined || allowed <= 0) return;
    this.#frame(stream, first, 0, allowed);
    this.#waitingBytes -= allowed;
    if (allowed === first.length) stream.queue.shift();
    else stream.queue[0] = first.subarray(allowed);
    if (stream.queue.length > 0) {
      if (stream.sendWindow > 0) this.#ready.add(stream);
    } else if (stream.endQueued) {
      const { handler } = stream;
      this.#finish(stream, stream.trailersQueued);
      handler?.finished?.();
    } else {
      stream.handler?.writable();
    }
  }

  #allowed(stream: Http2Stream, wanted: number): number {
    if (this.#output.length >= OUTPUT_FULL_BYTES) return 0;
    return Math.min(wanted, DEFAULT_FRAME_BYTES, stream.sendWindow, this.#window);
  }

  // oxlint-disable-next-line max-params -- a range of a buffer for a stream, hot
  #frame(stream: Http2Stream, bytes: Buffer, start: number, length: number): void {
    stream.sendWindow -= length;
    this.#window -= length;
    this.#output.data(stream.id, bytes, start, start + length);
    this.#events.sent();
  }

  #finish(stream: Http2Stream, trailers: HeaderList | undefined): void {
    stream.endQueued = false;
    if (trailers !== undefined && trailers.length > 0) this.#events.trailers(stream, trailers);
    else this.#output.endStream(stream.id);
    this.#events.ended(stream);
  }
}
