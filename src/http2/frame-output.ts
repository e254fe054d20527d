import { DEFAULT_FRAME_BYTES, FRAME_HEADER_BYTES, PREFACE, errorCode, flag, frameType } from './frames.ts';
import type { ErrorName } from './frames.ts';
import type { Http2Tally } from './http2-tally.ts';

const NOTHING = Buffer.alloc(0);
const SMALL_COPY_BYTES = 64;
const LEAST_BYTES = 256;
/** A connection that sent more than this in one turn begins the next one with so much. */
const MOST_EXPECTED_BYTES = 65_536;

/**
 * Frames on their way out: everything is written into one buffer, which leaves in one piece. Bytes are copied, because
 * the reader that brought them uses its memory again. An idle connection holds no buffer.
 */
export class FrameOutput {
  readonly #onBegin: () => void;
  readonly #tally: Http2Tally;
  #buffer: Buffer = NOTHING;
  #length = 0;
  #expectedBytes = LEAST_BYTES;
  /** Where the flags of the last frame stand, when it is one that can end this stream; else -1. */
  #endableAt = -1;
  #endableStream = 0;

  /** `onBegin`: the first bytes were written since the last `take`. */
  constructor(onBegin: () => void, tally: Http2Tally) {
    this.#onBegin = onBegin;
    this.#tally = tally;
  }

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.#length;
  }

  /** What was written since the last time. The bytes are the caller's. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#expectedBytes = Math.min(MOST_EXPECTED_BYTES, Math.max(LEAST_BYTES, this.#length));
    this.#buffer = NOTHING;
    this.#length = 0;
    this.#endableAt = -1;
    return taken;
  }

  preface(): void {
    const at = this.#reserve(PREFACE.length);
    PREFACE.copy(this.#buffer, at);
  }

  settings(values: readonly (readonly [id: number, value: number])[]): void {
    let at = this.#frame(values.length * 6, frameType.settings, 0, 0);
    for (const [id, value] of values) {
      at = this.#buffer.writeUInt16BE(id, at);
      at = this.#buffer.writeUInt32BE(value, at);
    }
  }

  settingsAck(): void {
    this.#frame(0, frameType.settings, flag.ack, 0);
  }

  /** The first `length` bytes of `block` go out as one HEADERS and as many CONTINUATION frames as it takes. */
  // oxlint-disable-next-line max-params -- a range of a buffer for a stream, hot
  headers(stream: number, block: Buffer, length: number, endStream: boolean): void {
    const first = Math.min(length, DEFAULT_FRAME_BYTES);
    const flags = (endStream ? flag.endStream : 0) | (first === length ? flag.endHeaders : 0);
    const at = this.#frame(first, frameType.headers, flags, stream);
    copyInto(this.#buffer, at, block, 0, first);
    if (first === length) this.#setEndable(at, stream);
    for (let sent = first; sent < length;) {
      const next = Math.min(length, sent + DEFAULT_FRAME_BYTES);
      const last = next === length ? flag.endHeaders : 0;
      const place = this.#frame(next - sent, frameType.continuation, last, stream);
      block.copy(this.#buffer, place, sent, next);
      sent = next;
    }
  }

  /** At most DEFAULT_FRAME_BYTES. */
  data(stream: number, bytes: Buffer, start: number, end: number): void {
    const at = this.#frame(end - start, frameType.data, 0, stream);
    copyInto(this.#buffer, at, bytes, start, end);
    this.#setEndable(at, stream);
  }

  /** Ends our side of a stream: by a flag where its last frame is the last of all and still here, else by an empty DATA frame. */
  endStream(stream: number): void {
    if (this.#endableAt >= 0 && this.#endableStream === stream) {
      this.#buffer[this.#endableAt] = (this.#buffer[this.#endableAt] as number) | flag.endStream;
      this.#endableAt = -1;
      return;
    }
    this.#frame(0, frameType.data, flag.endStream, stream);
  }

  reset(stream: number, code: ErrorName): void {
    const at = this.#frame(4, frameType.rstStream, 0, stream);
    this.#buffer.writeUInt32BE(errorCode[code], at);
    this.#tally.resetSent(errorCode[code]);
  }

  /** Eight bytes of payload from `start` on. */
  ping(payload: Buffer, start: number, ack: boolean): void {
    const at = this.#frame(8, frameType.ping, ack ? flag.ack : 0, 0);
    payload.copy(this.#buffer, at, start, start + 8);
  }

  /** `debug` is static text in ASCII. */
  goaway(lastStream: number, code: ErrorName, debug: string): void {
    const at = this.#frame(8 + debug.length, frameType.goaway, 0, 0);
    this.#buffer.writeUInt32BE(lastStream, at);
    this.#buffer.writeUInt32BE(errorCode[code], at + 4);
    this.#buffer.write(debug, at + 8, 'latin1');
    this.#tally.goawaySent(errorCode[code]);
  }

  windowUpdate(stream: number, bytes: number): void {
    const at = this.#frame(4, frameType.windowUpdate, 0, stream);
    this.#buffer.writeUInt32BE(bytes, at);
  }

  #setEndable(payloadAt: number, stream: number): void {
    this.#endableAt = payloadAt - 5;
    this.#endableStream = stream;
  }

  /** Writes a frame's header. Returns where its payload goes. */
  // oxlint-disable-next-line max-params -- the four fields of a frame header, hot
  #frame(payload: number, type: number, flags: number, stream: number): number {
    const at = this.#reserve(FRAME_HEADER_BYTES + payload);
    this.#endableAt = -1;
    const buffer = this.#buffer;
    buffer[at] = payload >>> 16;
    buffer[at + 1] = payload >>> 8;
    buffer[at + 2] = payload;
    buffer[at + 3] = type;
    buffer[at + 4] = flags;
    return buffer.writeUInt32BE(stream, at + 5);
  }

  /** Makes room for so many bytes, which count as written. Returns where they go. */
  #reserve(bytes: number): number {
    const at = this.#length;
    const needed = at + bytes;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2, this.#expectedBytes));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#length = needed;
    if (at === 0) this.#onBegin();
    return at;
  }
}

/** Small pieces byte by byte: most header blocks and many bodies are shorter than what a call out of JavaScript costs. */
// oxlint-disable-next-line max-params -- a range of a buffer and its place in another, hot
function copyInto(target: Buffer, at: number, source: Buffer, start: number, end: number): void {
  if (end - start > SMALL_COPY_BYTES) {
    source.copy(target, at, start, end);
    return;
  }
  for (let index = start; index < end; index++) target[at++] = source[index] as number;
}
