import { HeaderList } from '../util/header-list.ts';
import { ChunkExtension } from './chunk-extension.ts';
import { FieldScanner } from './field-scanner.ts';
import { FramingFields } from './framing-fields.ts';
import type { CodecFault } from './message-head.ts';
import { CR, LF } from './tokens.ts';
import { trailerFate } from './trailer-policy.ts';

/** Where the decoder stands (RFC 9112 §7.1). */
const SIZE_START = 0;
const SIZE = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILERS = 7;
const DONE = 8;
const FAULTY = 9;

const MAX_SIZE_DIGITS = 16;

/** Bytes of extensions and padding zeros that any body may have, and what part of its data it may have on top of them. */
const FREE_WASTE_BYTES = 4096;
const WASTE_RATIO = 1 / 16;

/** Bounds of a trailer section: bytes with its empty line. */
export interface TrailerLimits {
  readonly maxBytes: number;
  readonly maxFields: number;
}

/** Value of a hex digit, 255 for every other byte. */
const hexValue: Uint8Array = createHexTable();

/**
 * Takes the chunked coding off a body (RFC 9112 §7.1), from buffers cut anywhere. Extensions are checked and dropped;
 * data is handed out as slices of the buffer that was given. One object serves all bodies of a connection.
 */
export class ChunkedDecoder {
  /** `data`: `dataStart` to `dataEnd` is body, call again from the offset returned. `more`: everything was consumed. */
  event: 'data' | 'more' | 'end' | 'fault' = 'more';
  dataStart = 0;
  dataEnd = 0;
  fault: CodecFault | undefined;
  /** After `end`: the trailer fields that may go on. */
  readonly trailers = new HeaderList();

  readonly #limits: TrailerLimits;
  readonly #fields: FieldScanner;
  readonly #extension = new ChunkExtension();
  #state = SIZE_START;
  #size = 0;
  #digits = 0;
  /** Size of the body so far. */
  #received = 0;
  #waste = 0;
  /** The trailer section, kept when it comes in more than one piece. */
  #kept: Buffer | undefined;
  #keptBytes = 0;

  constructor(limits: TrailerLimits) {
    this.#limits = limits;
    this.#fields = new FieldScanner(limits.maxFields);
  }

  /** Begins a body. */
  reset(): void {
    this.event = 'more';
    this.fault = undefined;
    this.trailers.clear();
    this.#state = SIZE_START;
    this.#size = 0;
    this.#digits = 0;
    this.#received = 0;
    this.#waste = 0;
    this.#keptBytes = 0;
  }

  /** Advances from `start`; returns the new absolute offset and sets `event`. */
  read(buffer: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const state = this.#state;
      if (state === DATA) return this.#takeData(at, end);
      if (state === TRAILERS) return this.#readTrailers(buffer, at, end);
      if (state === DONE || state === FAULTY) break;
      if (!this.#step(buffer[at] as number)) return at;
      at++;
    }
    if (this.#state === DONE) this.event = 'end';
    else if (this.#state !== FAULTY) this.event = 'more';
    return at;
  }

  #takeData(start: number, end: number): number {
    const taken = Math.min(this.#size, end - start);
    this.event = 'data';
    this.dataStart = start;
    this.dataEnd = start + taken;
    this.#size -= taken;
    this.#received += taken;
    if (this.#size === 0) this.#state = DATA_CR;
    return this.dataEnd;
  }

  /** Takes one byte of what is not data; false when it set a fault. */
  #step(byte: number): boolean {
    switch (this.#state) {
      case SIZE_START:
      case SIZE:
        return this.#stepSize(byte);
      case SIZE_LF:
        return this.#stepSizeEnd(byte);
      case DATA_CR:
        if (byte !== CR) return this.#refuse('chunk longer than its size');
        this.#state = DATA_LF;
        return true;
      case DATA_LF:
        if (byte !== LF) return this.#refuse('bare CR');
        this.#state = SIZE_START;
        return true;
      default:
        return this.#stepExtension(byte);
    }
  }

  #stepSize(byte: number): boolean {
    const digit = hexValue[byte] as number;
    if (digit < 16) {
      if (this.#state === SIZE_START) this.#startSize();
      else if (this.#size === 0 && !this.#countWaste()) return false;
      if (++this.#digits > MAX_SIZE_DIGITS) return this.#refuse('chunk size too long');
      this.#size = this.#size * 16 + digit;
      return this.#size <= Number.MAX_SAFE_INTEGER || this.#refuse('chunk size too large');
    }
    if (this.#state === SIZE_START) return this.#refuse('chunk without a size');
    if (byte === CR) {
      this.#state = SIZE_LF;
      return true;
    }
    this.#state = EXTENSION;
    this.#extension.reset();
    return this.#stepExtension(byte);
  }

  #stepExtension(byte: number): boolean {
    if (!this.#countWaste()) return false;
    const outcome = this.#extension.step(byte);
    if (outcome === 'end') this.#state = SIZE_LF;
    return outcome !== 'fault' || this.#refuse(this.#extension.problem);
  }

  /** Counts a byte that carries nothing; false when there are too many of them. */
  #countWaste(): boolean {
    const isFair = ++this.#waste <= FREE_WASTE_BYTES + this.#received * WASTE_RATIO;
    return isFair || this.#refuseWith('SP_BODY_TOO_LARGE', 'too many chunk extensions');
  }

  #startSize(): void {
    this.#state = SIZE;
    this.#size = 0;
    this.#digits = 0;
  }

  #stepSizeEnd(byte: number): boolean {
    if (byte !== LF) return this.#refuse('bare CR');
    if (this.#size > 0) {
      this.#state = DATA;
      return true;
    }
    this.#state = TRAILERS;
    this.#fields.reset(0);
    return true;
  }

  /** A trailer section that lies in one buffer is read in place; pieces are gathered, up to the limit. */
  #readTrailers(buffer: Buffer, start: number, end: number): number {
    const { maxBytes } = this.#limits;
    if (this.#keptBytes === 0) {
      const bound = Math.min(end, start + maxBytes);
      const stop = this.#fields.scan(buffer, start, bound);
      if (stop === 0 && bound === end && end - start < maxBytes) return this.#keep(buffer, start, end);
      return this.#endTrailers(buffer, start, stop, stop);
    }
    const before = this.#keptBytes;
    this.#keep(buffer, start, Math.min(end, start + maxBytes - before));
    const kept = this.#kept as Buffer;
    const stop = this.#fields.scan(kept, 0, this.#keptBytes);
    if (stop === 0 && this.#keptBytes < maxBytes) return end;
    return this.#endTrailers(kept, 0, stop, start + stop - before);
  }

  #keep(buffer: Buffer, start: number, end: number): number {
    this.#kept ??= Buffer.alloc(this.#limits.maxBytes);
    this.#keptBytes += buffer.copy(this.#kept, this.#keptBytes, start, end);
    this.event = 'more';
    return end;
  }

  /** `stop` as the scanner returned it, `next` the same place in the caller's buffer (any at all with a fault). */
  #endTrailers(buffer: Buffer, origin: number, stop: number, next: number): number {
    this.#kept = undefined;
    this.#keptBytes = 0;
    if (stop > 0 && this.#readFields(buffer, origin, stop)) {
      this.#state = DONE;
      this.event = 'end';
      return next;
    }
    if (stop === 0 || this.#fields.tooLarge)
      this.#refuseWith('SP_HEAD_TOO_LARGE', 'trailer section too large');
    else if (stop < 0) this.#refuseWith('SP_BAD_REQUEST', this.#fields.problem);
    return next;
  }

  #readFields(buffer: Buffer, start: number, end: number): boolean {
    const { trailers } = this;
    // The empty section of nearly every body.
    if (end - start === 2) return true;
    const text = buffer.toString('latin1', start, end);
    this.#fields.read(buffer, start, text, trailers, new FramingFields());
    let kept = 0;
    for (let index = 0; index < trailers.length; index++) {
      const fate = trailerFate(trailers.lower[index] as string);
      if (fate === 'refuse')
        return this.#refuseWith('SP_BAD_FRAMING', 'framing field in the trailer section');
      if (fate === 'keep') trailers.place(index, kept++);
    }
    trailers.truncate(kept);
    return true;
  }

  #refuse(reason: string): false {
    return this.#refuseWith('SP_BAD_CHUNK', reason);
  }

  #refuseWith(code: CodecFault['code'], reason: string): false {
    this.fault = { code, reason };
    this.event = 'fault';
    this.#state = FAULTY;
    return false;
  }
}

function createHexTable(): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  for (const digit of '0123456789abcdefABCDEF') table[digit.charCodeAt(0)] = Number.parseInt(digit, 16);
  return table;
}
