import {
  DEFAULT_FRAME_BYTES,
  FRAME_HEADER_BYTES,
  MAX_STREAM_ID,
  PREFACE,
  flag,
  frameType,
} from './frames.ts';
import type { ErrorName } from './frames.ts';
import { PartialFrame } from './partial-frame.ts';

/** A frame as it stands in the input; `start` and `end` enclose its payload. Reused: good during the call it comes with. */
export interface Frame {
  buffer: Buffer;
  start: number;
  end: number;
  stream: number;
  endStream: boolean;
  /** DATA: length of the payload with its padding, which counts for flow control. */
  wireBytes: number;
}

/** Who judges frames beside what is known of the connection. Told in the order of the wire. */
export interface FrameHandler {
  /** Nothing further is to be told. */
  readonly isStopped: boolean;
  /** Without its padding. */
  onData(frame: Frame): void;
  /** A whole header block, from however many frames. */
  onHeaderBlock(frame: Frame): void;
  onPriority(): void;
  onReset(stream: number, code: number): void;
  /** Whole entries. */
  onSettings(frame: Frame): void;
  onSettingsAck(): void;
  /** Eight bytes. */
  onPing(frame: Frame): void;
  onPong(frame: Frame): void;
  onGoaway(lastStream: number, code: number): void;
  /** At least 1. Stream 0 is the connection. */
  onWindowUpdate(stream: number, bytes: number): void;
  /** A type that nobody knows: to be ignored (§5.5). */
  onUnknown(): void;
  /** A fault of this stream alone, where the stream exists (§5.4.2). */
  onStreamFault(stream: number, code: ErrorName, reason: string): void;
  /** The end of the connection (§5.4.1): `isStopped` from now on. */
  onConnectionFault(code: ErrorName, reason: string): void;
}

/** More frames than this for one header block cost work and bring nothing (CVE-2024-27316). */
const MAX_CONTINUATIONS = 8;
const NOTHING = Buffer.alloc(0);

/**
 * Bytes → frames (RFC 9113 §3.4, §4, §6): the preface, sizes, padding, header blocks put together, and everything else
 * that can be judged from a frame alone. Frames are told where they lie in the input; only what is cut by the end of the
 * input is copied.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #frame: Frame = {
    buffer: NOTHING,
    start: 0,
    end: 0,
    stream: 0,
    endStream: false,
    wireBytes: 0,
  };
  readonly #partial = new PartialFrame();
  #prefaceLeft: number;
  #settingsSeen = false;
  /** The stream of a header block that has begun; 0 when there is none. */
  #blockStream = 0;
  #blockEndsStream = false;
  #blockParts: Buffer[] = [];
  #completed = 0;

  /** `expectPreface`: we are the server. */
  constructor(handler: FrameHandler, expectPreface: boolean) {
    this.#handler = handler;
    this.#prefaceLeft = expectPreface ? PREFACE.length : 0;
  }

  /** Bytes kept until the rest of their frame or block comes. */
  get heldBytes(): number {
    let bytes = this.#partial.length;
    for (const part of this.#blockParts) bytes += part.length;
    return bytes;
  }

  /** Frames read so far, a whole header block counted as one: it stands still while one of them drips in. */
  get completed(): number {
    return this.#completed;
  }

  /** Whether something other than DATA has begun and is not complete. */
  get isInsideHead(): boolean {
    const { bytes, length } = this.#partial;
    return this.#blockStream !== 0 || (length > 0 && (length < 4 || bytes[3] !== frameType.data));
  }

  /** Bytes that have come of a frame of DATA on this stream. */
  partialData(stream: number): number {
    const { bytes, length } = this.#partial;
    if (length <= FRAME_HEADER_BYTES || bytes[3] !== frameType.data) return 0;
    return (bytes.readUInt32BE(5) & MAX_STREAM_ID) === stream ? length - FRAME_HEADER_BYTES : 0;
  }

  /** Returns how far the input was used: to its end, unless `frames` were completed before. */
  // oxlint-disable-next-line max-params -- a range of a buffer and how much of it, hot
  receive(buffer: Buffer, start: number, end: number, frames: number): number {
    let at = this.#prefaceLeft > 0 ? this.#readPreface(buffer, start, end) : start;
    if (this.#prefaceLeft > 0) return end;
    const stop = this.#completed + frames;
    if (this.#partial.length > 0) at = this.#completeFrame(buffer, at, end);
    while (!this.#handler.isStopped && end - at >= FRAME_HEADER_BYTES) {
      if (this.#completed >= stop) return at;
      const whole = this.#frameBytes(buffer, at);
      if (whole < 0 || end - at < whole) break;
      this.#read(buffer, at, at + whole);
      at += whole;
    }
    if (at < end && !this.#handler.isStopped) this.#partial.add(buffer, at, end);
    return end;
  }

  #readPreface(buffer: Buffer, start: number, end: number): number {
    const length = Math.min(this.#prefaceLeft, end - start);
    const from = PREFACE.length - this.#prefaceLeft;
    if (buffer.compare(PREFACE, from, from + length, start, start + length) !== 0) {
      this.#fail('PROTOCOL_ERROR', 'bad preface');
      return end;
    }
    this.#prefaceLeft -= length;
    return start + length;
  }

  /** Goes on with a frame whose first bytes came before. Returns how far the input was used. */
  #completeFrame(buffer: Buffer, start: number, end: number): number {
    const partial = this.#partial;
    const at = partial.fill(FRAME_HEADER_BYTES, buffer, start, end);
    if (partial.length < FRAME_HEADER_BYTES) return at;
    const whole = this.#frameBytes(partial.bytes, 0);
    if (whole < 0) return end;
    const next = partial.fill(whole, buffer, at, end);
    if (partial.length < whole) return next;
    const { bytes } = partial;
    partial.clear();
    this.#read(bytes, 0, whole);
    return next;
  }

  /** Bytes of a frame with its header; -1 after a fault. */
  #frameBytes(buffer: Buffer, at: number): number {
    const length =
      ((buffer[at] as number) << 16) | ((buffer[at + 1] as number) << 8) | (buffer[at + 2] as number);
    if (length <= DEFAULT_FRAME_BYTES) return FRAME_HEADER_BYTES + length;
    this.#fail('FRAME_SIZE_ERROR', 'frame too large');
    return -1;
  }

  #read(buffer: Buffer, at: number, end: number): void {
    const type = buffer[at + 3] as number;
    const flags = buffer[at + 4] as number;
    const frame = this.#frame;
    frame.buffer = buffer;
    frame.start = at + FRAME_HEADER_BYTES;
    frame.end = end;
    frame.stream = buffer.readUInt32BE(at + 5) & MAX_STREAM_ID;
    frame.endStream = false;
    if (this.#blockStream !== 0 && type !== frameType.continuation) {
      return this.#fail('PROTOCOL_ERROR', 'frame inside a header block');
    }
    if (!this.#settingsSeen) {
      const isSettings = type === frameType.settings && (flags & flag.ack) === 0;
      if (!isSettings) return this.#fail('PROTOCOL_ERROR', 'first frame is not SETTINGS');
      this.#settingsSeen = true;
    }
    this.#dispatch(type, flags);
    if (this.#blockStream === 0) this.#completed++;
    return undefined;
  }

  #dispatch(type: number, flags: number): void {
    switch (type) {
      case frameType.data:
        return this.#readData(flags);
      case frameType.headers:
        return this.#readHeaders(flags);
      case frameType.priority:
        return this.#readPriority();
      case frameType.rstStream:
        return this.#readReset();
      case frameType.settings:
        return this.#readSettings(flags);
      case frameType.pushPromise:
        // A client must not send it; a server must not send it to us, who said so before the first request (§8.4).
        return this.#fail('PROTOCOL_ERROR', 'PUSH_PROMISE');
      case frameType.ping:
        return this.#readPing(flags);
      case frameType.goaway:
        return this.#readGoaway();
      case frameType.windowUpdate:
        return this.#readWindowUpdate();
      case frameType.continuation:
        return this.#readContinuation(flags);
      default:
        return this.#handler.onUnknown();
    }
  }

  #readData(flags: number): void {
    const frame = this.#frame;
    if (frame.stream === 0) return this.#fail('PROTOCOL_ERROR', 'DATA on stream 0');
    frame.wireBytes = frame.end - frame.start;
    if (!this.#stripPadding(flags, 0)) return undefined;
    frame.endStream = (flags & flag.endStream) !== 0;
    return this.#handler.onData(frame);
  }

  #readHeaders(flags: number): void {
    const frame = this.#frame;
    if (frame.stream === 0) return this.#fail('PROTOCOL_ERROR', 'HEADERS on stream 0');
    const hasPriority = (flags & flag.priority) !== 0;
    if (!this.#stripPadding(flags, hasPriority ? 5 : 0)) return undefined;
    if (hasPriority) {
      if ((frame.buffer.readUInt32BE(frame.start) & MAX_STREAM_ID) === frame.stream) {
        return this.#fail('PROTOCOL_ERROR', 'stream depends on itself');
      }
      frame.start += 5;
    }
    frame.endStream = (flags & flag.endStream) !== 0;
    if ((flags & flag.endHeaders) !== 0) return this.#handler.onHeaderBlock(frame);
    this.#blockStream = frame.stream;
    this.#blockEndsStream = frame.endStream;
    this.#keepPart();
    return undefined;
  }

  #readContinuation(flags: number): void {
    const frame = this.#frame;
    if (this.#blockStream === 0 || this.#blockStream !== frame.stream) {
      return this.#fail('PROTOCOL_ERROR', 'CONTINUATION out of place');
    }
    if (this.#blockParts.length > MAX_CONTINUATIONS) {
      return this.#fail('ENHANCE_YOUR_CALM', 'too many CONTINUATION frames');
    }
    this.#keepPart();
    if ((flags & flag.endHeaders) === 0) return undefined;
    const block = Buffer.concat(this.#blockParts);
    this.#blockParts = [];
    this.#blockStream = 0;
    frame.buffer = block;
    frame.start = 0;
    frame.end = block.length;
    frame.endStream = this.#blockEndsStream;
    return this.#handler.onHeaderBlock(frame);
  }

  #keepPart(): void {
    const { buffer, start, end } = this.#frame;
    this.#blockParts.push(Buffer.from(buffer.subarray(start, end)));
  }

  #readPriority(): void {
    const { buffer, start, end, stream } = this.#frame;
    if (stream === 0) return this.#fail('PROTOCOL_ERROR', 'PRIORITY on stream 0');
    if (end - start !== 5)
      return this.#handler.onStreamFault(stream, 'FRAME_SIZE_ERROR', 'PRIORITY of a wrong size');
    if ((buffer.readUInt32BE(start) & MAX_STREAM_ID) === stream) {
      return this.#handler.onStreamFault(stream, 'PROTOCOL_ERROR', 'stream depends on itself');
    }
    return this.#handler.onPriority();
  }

  #readReset(): void {
    const { buffer, start, end, stream } = this.#frame;
    if (stream === 0) return this.#fail('PROTOCOL_ERROR', 'RST_STREAM on stream 0');
    if (end - start !== 4) return this.#fail('FRAME_SIZE_ERROR', 'RST_STREAM of a wrong size');
    return this.#handler.onReset(stream, buffer.readUInt32BE(start));
  }

  #readSettings(flags: number): void {
    const frame = this.#frame;
    const length = frame.end - frame.start;
    if (frame.stream !== 0) return this.#fail('PROTOCOL_ERROR', 'SETTINGS on a stream');
    if ((flags & flag.ack) !== 0) {
      if (length > 0) return this.#fail('FRAME_SIZE_ERROR', 'SETTINGS acknowledgement with a payload');
      return this.#handler.onSettingsAck();
    }
    if (length % 6 !== 0) return this.#fail('FRAME_SIZE_ERROR', 'SETTINGS of a wrong size');
    return this.#handler.onSettings(frame);
  }

  #readPing(flags: number): void {
    const frame = this.#frame;
    if (frame.stream !== 0) return this.#fail('PROTOCOL_ERROR', 'PING on a stream');
    if (frame.end - frame.start !== 8) return this.#fail('FRAME_SIZE_ERROR', 'PING of a wrong size');
    return (flags & flag.ack) === 0 ? this.#handler.onPing(frame) : this.#handler.onPong(frame);
  }

  #readGoaway(): void {
    const { buffer, start, end, stream } = this.#frame;
    if (stream !== 0) return this.#fail('PROTOCOL_ERROR', 'GOAWAY on a stream');
    if (end - start < 8) return this.#fail('FRAME_SIZE_ERROR', 'GOAWAY of a wrong size');
    return this.#handler.onGoaway(buffer.readUInt32BE(start) & MAX_STREAM_ID, buffer.readUInt32BE(start + 4));
  }

  #readWindowUpdate(): void {
    const { buffer, start, end, stream } = this.#frame;
    if (end - start !== 4) return this.#fail('FRAME_SIZE_ERROR', 'WINDOW_UPDATE of a wrong size');
    const bytes = buffer.readUInt32BE(start) & MAX_STREAM_ID;
    if (bytes > 0) return this.#handler.onWindowUpdate(stream, bytes);
    if (stream === 0) return this.#fail('PROTOCOL_ERROR', 'WINDOW_UPDATE of 0');
    return this.#handler.onStreamFault(stream, 'PROTOCOL_ERROR', 'WINDOW_UPDATE of 0');
  }

  /** Takes padding off DATA and HEADERS (§6.1, §6.2), which hold `fixed` bytes at least besides. */
  #stripPadding(flags: number, fixed: number): boolean {
    const frame = this.#frame;
    const isPadded = (flags & flag.padded) !== 0;
    const length = frame.end - frame.start;
    const least = fixed + (isPadded ? 1 : 0);
    if (length < least) {
      this.#fail('FRAME_SIZE_ERROR', 'frame too short');
      return false;
    }
    if (!isPadded) return true;
    const padding = frame.buffer[frame.start] as number;
    if (padding > length - least) {
      this.#fail('PROTOCOL_ERROR', 'padding longer than its frame');
      return false;
    }
    frame.start += 1;
    frame.end -= padding;
    return true;
  }

  #fail(code: ErrorName, reason: string): void {
    this.#handler.onConnectionFault(code, reason);
  }
}
