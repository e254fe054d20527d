import { Http2Connection } from '../../src/http2/http2-connection.ts';
import { PREFACE, errorCode, flag, frameType, setting } from '../../src/http2/frames.ts';
import { HpackDecoder } from '../../src/http2/hpack/hpack-decoder.ts';
import { HpackEncoder } from '../../src/http2/hpack/hpack-encoder.ts';
import type { Http2Stream, StreamHandler } from '../../src/http2/http2-stream.ts';
import { defaultLimits } from '../../src/http2/limits.ts';
import type { Http2Tally } from '../../src/http2/http2-tally.ts';
import type { Http2Limits } from '../../src/http2/limits.ts';
import type { HeadFault, Http2RequestHead } from '../../src/http2/message-heads.ts';
import { HeaderList } from '../../src/util/header-list.ts';

// Drives one HTTP/2 connection over frames made byte by byte, and writes down what it tells and what it sends as lines.

export type Fields = readonly (readonly [name: string, value: string])[];

export interface RigOptions {
  readonly role?: 'server' | 'client';
  readonly limits?: Partial<Http2Limits>;
  readonly allowConnectProtocol?: boolean;
  readonly tally?: Http2Tally;
  /** Without the SETTINGS that the peer says hello with. */
  readonly silent?: boolean;
}

export const get: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'a.example'],
];
export const post: Fields = [[':method', 'POST'], ...get.slice(1)];

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

export const data = (stream: number, payload: Buffer | string, flags = 0): Buffer =>
  frame(frameType.data, flags, stream, payload);
export const reset = (stream: number, code = 8): Buffer =>
  frame(frameType.rstStream, 0, stream, uint32(code));
export const settings = (...entries: readonly (readonly [id: number, value: number])[]): Buffer =>
  frame(frameType.settings, 0, 0, Buffer.concat(entries.map(([id, value]) => entry(id, value))));
export const settingsAck = (): Buffer => frame(frameType.settings, flag.ack, 0);
export const ping = (payload = '12345678', flags = 0): Buffer => frame(frameType.ping, flags, 0, payload);
export const windowUpdate = (stream: number, bytes: number): Buffer =>
  frame(frameType.windowUpdate, 0, stream, uint32(bytes));
export const goaway = (last: number, code = 0): Buffer =>
  frame(frameType.goaway, 0, 0, Buffer.concat([uint32(last), uint32(code)]));
export const priority = (stream: number, dependsOn: number): Buffer =>
  frame(frameType.priority, 0, stream, Buffer.concat([uint32(dependsOn), Buffer.from([15])]));

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function entry(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([id >>> 8, id & 0xff]), uint32(value)]);
}

export function listOf(fields: Fields): HeaderList {
  const headers = new HeaderList();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
}

/** The names of frame types and error codes, by number. */
const typeNames = ['DATA', 'HEADERS', 'PRIORITY', 'RST_STREAM', 'SETTINGS', 'PUSH_PROMISE', 'PING', 'GOAWAY'];
typeNames.push('WINDOW_UPDATE', 'CONTINUATION');
const codeNames = new Map(Object.entries(errorCode).map(([name, code]) => [code as number, name]));

export class Http2Rig {
  readonly connection: Http2Connection;
  /** What was told, in order. */
  readonly events: string[] = [];
  readonly streams = new Map<number, Http2Stream>();
  readonly requests: Http2RequestHead[] = [];
  readonly faults: HeadFault[] = [];
  /** Body bytes that each stream was handed. */
  readonly bodies = new Map<number, string>();
  /** The peer's side of header compression. */
  readonly encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder();
  #isAwake = false;
  nowMs = 0;
  /** Whether handlers give window back at once. */
  consumes = true;
  /** Told before a handler is returned. */
  onRequest: ((stream: Http2Stream, head: Http2RequestHead) => void) | undefined;
  onWritable: ((stream: Http2Stream) => void) | undefined;

  constructor(options: RigOptions = {}) {
    const role = options.role ?? 'server';
    this.connection = new Http2Connection(
      {
        role,
        limits: { ...defaultLimits, ...options.limits },
        allowConnectProtocol: options.allowConnectProtocol ?? false,
        ...(options.tally === undefined ? {} : { tally: options.tally }),
        now: () => this.nowMs,
      },
      {
        wake: () => this.#wake(),
        request: (stream, head, isComplete) => {
          const { method, authority, pathAndQuery } = head;
          this.events.push(
            `request ${stream.id} ${method} ${authority}${pathAndQuery}${isComplete ? ' complete' : ''}`,
          );
          this.streams.set(stream.id, stream);
          this.requests.push(head);
          this.onRequest?.(stream, head);
          return this.handler(stream.id);
        },
        refused: (stream, fault) => {
          this.events.push(`refused ${stream.id} ${fault.status} ${fault.reason}`);
          this.streams.set(stream.id, stream);
          this.faults.push(fault);
        },
        streamFault: (code, reason) => void this.events.push(`fault ${code} ${reason}`),
        goaway: (last, code) => void this.events.push(`goaway ${last} ${codeNames.get(code) ?? code}`),
        pong: () => void this.events.push('pong'),
        failed: (code, reason) => void this.events.push(`failed ${code} ${reason}`),
      },
    );
    this.connection.start();
    if (options.silent === true) return;
    this.receive(this.hello());
    this.sent();
    this.events.length = 0;
  }

  /** The peer's first bytes. */
  hello(...entries: readonly (readonly [id: number, value: number])[]): Buffer {
    return Buffer.concat([
      this.connection.role === 'server' ? PREFACE : Buffer.alloc(0),
      settings(...entries),
    ]);
  }

  #wake(): void {
    if (this.#isAwake) this.events.push('woken twice');
    this.#isAwake = true;
  }

  handler(id: number): StreamHandler {
    const { events } = this;
    return {
      response: ({ status, headers }) =>
        void events.push(`response ${id} ${status}${headers.length > 0 ? ` ${textOf(headers)}` : ''}`),
      data: (buffer, start, end) => {
        events.push(`data ${id} ${end - start}`);
        this.bodies.set(id, (this.bodies.get(id) ?? '') + buffer.toString('latin1', start, end));
        if (this.consumes) this.stream(id).consume(end - start);
      },
      end: (trailers) => void events.push(`end ${id}${trailers === undefined ? '' : ` ${textOf(trailers)}`}`),
      reset: (code, cause) => void events.push(`reset ${id} ${codeNames.get(code) ?? code} ${cause}`),
      writable: () => {
        events.push(`writable ${id}`);
        this.onWritable?.(this.stream(id));
      },
    };
  }

  stream(id: number): Http2Stream {
    const stream = this.streams.get(id);
    if (stream === undefined) throw new Error(`use stream ${id}: it was not told of`);
    return stream;
  }

  /** Client: opens a stream. */
  open(fields: Fields = get, endStream = true): Http2Stream {
    const id = 1 + 2 * this.streams.size;
    const stream = this.connection.open(
      { pseudo: fields.filter(([name]) => name.startsWith(':')), headers: new HeaderList() },
      endStream,
      this.handler(id),
    );
    if (stream === undefined) throw new Error('open a stream: no room');
    this.streams.set(id, stream);
    return stream;
  }

  /** A header block of the peer. */
  block(fields: Fields): Buffer {
    this.encoder.begin();
    for (const [name, value] of fields) this.encoder.field(name, value);
    return Buffer.from(this.encoder.end());
  }

  headers(stream: number, fields: Fields, flags: number = flag.endStream): Buffer {
    return frame(frameType.headers, flags | flag.endHeaders, stream, this.block(fields));
  }

  /** A block as HEADERS and CONTINUATION frames of so many bytes. */
  split(stream: number, fields: Fields, bytes: number): Buffer[] {
    const block = this.block(fields);
    const frames: Buffer[] = [];
    for (let at = 0; at < block.length; at += bytes) {
      const isLast = at + bytes >= block.length;
      const flags = (at === 0 ? flag.endStream : 0) | (isLast ? flag.endHeaders : 0);
      const type = at === 0 ? frameType.headers : frameType.continuation;
      frames.push(frame(type, flags, stream, block.subarray(at, at + bytes)));
    }
    return frames;
  }

  receive(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.connection.receive(piece);
  }

  /** Takes input, whole or byte by byte, and returns the answers. */
  feed(pieces: readonly Buffer[], cut: boolean): string[] {
    const bytes = Buffer.concat(pieces);
    if (!cut) this.receive(bytes);
    else for (let at = 0; at < bytes.length; at++) this.connection.receive(bytes, at, at + 1);
    return this.answers();
  }

  /** What was sent since the last time, a line a frame. */
  sent(): string[] {
    this.#isAwake = false;
    const lines: string[] = [];
    for (let bytes = this.connection.take(); bytes !== undefined; bytes = this.connection.take()) {
      this.#isAwake = false;
      lines.push(...this.#describe(bytes));
    }
    return lines;
  }

  /** The same, without SETTINGS, and WINDOW_UPDATE of the connection. */
  answers(): string[] {
    return this.sent().filter((line) => !/^(?:SETTINGS|WINDOW_UPDATE 0|preface)/.test(line));
  }

  /** What was told since the last time. */
  told(): string[] {
    return this.events.splice(0);
  }

  #describe(bytes: Buffer): string[] {
    const lines: string[] = [];
    let at = 0;
    if (bytes.subarray(0, PREFACE.length).equals(PREFACE)) {
      lines.push('preface');
      at = PREFACE.length;
    }
    while (at < bytes.length) {
      const length = bytes.readUIntBE(at, 3);
      const payload = bytes.subarray(at + 9, at + 9 + length);
      lines.push(
        this.#line(bytes[at + 3] as number, bytes[at + 4] as number, bytes.readUInt32BE(at + 5), payload),
      );
      at += 9 + length;
    }
    return lines;
  }

  // oxlint-disable-next-line max-params -- the parts of a frame
  #line(type: number, flags: number, stream: number, payload: Buffer): string {
    const name = typeNames[type] ?? `type ${type}`;
    const ack = (flags & flag.ack) === 0 ? '' : ' ack';
    const end = (flags & flag.endStream) === 0 ? '' : ' end';
    switch (type) {
      case frameType.headers:
        return `${name} ${stream} ${this.#fields(payload)}${end}`;
      case frameType.data:
        return `${name} ${stream} ${payload.length}${end}`;
      case frameType.rstStream:
        return `${name} ${stream} ${codeNames.get(payload.readUInt32BE(0))}`;
      case frameType.goaway:
        return `${name} ${payload.readUInt32BE(0)} ${codeNames.get(payload.readUInt32BE(4))}`;
      case frameType.windowUpdate:
        return `${name} ${stream} ${payload.readUInt32BE(0)}`;
      case frameType.ping:
        return `${name} ${payload.toString('latin1')}${ack}`;
      case frameType.settings:
        return `${name}${ack}${settingsText(payload)}`;
      default:
        return name;
    }
  }

  #fields(block: Buffer): string {
    const fields: string[] = [];
    const sink = { field: (name: string, value: string) => void fields.push(`${name}=${value}`) };
    const fault = this.#decoder.decode(block, 0, block.length, sink);
    if (fault !== undefined) throw new Error(`decode what was sent: ${fault}`);
    return fields.join(' ');
  }
}

function settingsText(payload: Buffer): string {
  const names = new Map(Object.entries(setting).map(([name, id]) => [id as number, name]));
  let text = '';
  for (let at = 0; at < payload.length; at += 6) {
    text += ` ${names.get(payload.readUInt16BE(at))}=${payload.readUInt32BE(at + 2)}`;
  }
  return text;
}

function textOf(headers: HeaderList): string {
  return headers
    .entries()
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
