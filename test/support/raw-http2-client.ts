import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { DEFAULT_FRAME_BYTES, PREFACE, errorCode, flag, frameType } from '../../src/http2/frames.ts';
import type { ErrorName } from '../../src/http2/frames.ts';
import { HpackDecoder } from '../../src/http2/hpack/hpack-decoder.ts';
import { frame, settings, settingsAck, windowUpdate } from './http2-rig.ts';
import type { Fields } from './http2-rig.ts';

// A client of HTTP/2 that sends the frames that it is given, right or wrong, and keeps what comes back by stream. By itself
// it only says hello, acknowledges SETTINGS and PING, and gives window back, each of which can be turned off. Text is latin1.

export interface RawHttp2Options {
  /** Over TLS with ALPN `h2`; the certificate is not looked at. */
  readonly tls?: { readonly servername: string };
  /** Goes ahead of everything, TLS included. */
  readonly preamble?: Buffer;
  /** SETTINGS that it says hello with. */
  readonly settings?: readonly (readonly [id: number, value: number])[];
  /** Says nothing by itself, not even hello. */
  readonly silent?: boolean;
  /** SETTINGS are not acknowledged. */
  readonly withoutAck?: boolean;
  /** What was received is never given back to the other side's windows. */
  readonly stalled?: boolean;
}

/** What has come on one stream. */
export interface StreamAnswer {
  /** Heads of 1xx that came first. */
  readonly informational: number[];
  /** 0 before the final head. */
  status: number;
  headers: ReadonlyMap<string, string>;
  body: string;
  trailers: ReadonlyMap<string, string> | undefined;
  /** END_STREAM came. */
  isEnded: boolean;
  /** RST_STREAM came, perhaps behind the end. */
  reset: ErrorName | undefined;
}

const codeNames = new Map(
  Object.entries(errorCode).map(([name, code]) => [code as number, name as ErrorName]),
);

export class RawHttp2Client {
  readonly socket: Socket;
  readonly #options: RawHttp2Options;
  readonly #decoder = new HpackDecoder();
  readonly #streams = new Map<number, StreamAnswer>();
  readonly #waiters = new Set<() => void>();
  #pending: Buffer = Buffer.alloc(0);
  #block: HeaderBlock = { stream: 0, endStream: false, parts: [] };
  #nextStream = 1;
  #isClosed = false;
  /** Every GOAWAY, in order. */
  readonly goaways: { readonly last: number; readonly code: ErrorName }[] = [];
  /** Payloads of PINGs that came back. */
  readonly pongs: string[] = [];
  /** The other side's SETTINGS, by id. */
  readonly settings = new Map<number, number>();
  /** What the other side did wrong. */
  readonly faults: string[] = [];

  private constructor(socket: Socket, options: RawHttp2Options) {
    this.socket = socket;
    this.#options = options;
    socket.on('data', (bytes: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, bytes]);
      this.#read();
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('end', () => {
      this.#isClosed = true;
      this.#wake();
    });
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
    if (options.silent !== true) this.send(PREFACE, settings(...(options.settings ?? [])));
  }

  static async connect(port: number, options: RawHttp2Options = {}): Promise<RawHttp2Client> {
    const to = { port, host: '127.0.0.1' };
    const carrier = connectTcp({ ...to, noDelay: true });
    await once(carrier, 'connect');
    if (options.preamble !== undefined) carrier.write(options.preamble);
    if (options.tls === undefined) return new RawHttp2Client(carrier, options);
    const tls = { ...options.tls, ALPNProtocols: ['h2'], rejectUnauthorized: false };
    const socket = connectTls({ socket: carrier, ...tls });
    await once(socket, 'secureConnect');
    return new RawHttp2Client(socket, options);
  }

  /** The other side has ended the connection. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(...pieces: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(pieces));
  }

  /** Sends a byte at a time. */
  drip(...pieces: readonly Buffer[]): void {
    for (const byte of Buffer.concat(pieces)) this.socket.write(Buffer.of(byte));
  }

  /** The number of a stream that has not been used. */
  nextStream(): number {
    const id = this.#nextStream;
    this.#nextStream += 2;
    return id;
  }

  /** What has come on a stream so far. */
  stream(id: number): StreamAnswer {
    let answer = this.#streams.get(id);
    if (answer === undefined) {
      answer = newAnswer();
      this.#streams.set(id, answer);
    }
    return answer;
  }

  /** Sends one request and waits for what becomes of it. */
  async request(fields: Fields, body?: string | Buffer): Promise<StreamAnswer> {
    const id = this.nextStream();
    this.send(...headers(id, fields, { endStream: body === undefined }));
    if (body !== undefined) this.send(frame(frameType.data, flag.endStream, id, body));
    return await this.answer(id);
  }

  /** What became of a stream: its end, its reset, or the end of the connection. */
  async answer(id: number): Promise<StreamAnswer> {
    const stream = this.stream(id);
    await this.until(() => stream.isEnded || stream.reset !== undefined || this.#isClosed);
    return stream;
  }

  /** Resolves when the condition holds; looked at after everything that comes. Rejects when the connection ends first. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#isClosed) throw new Error(`connection ended: ${JSON.stringify([...this.#streams])}`);
      await this.#change();
    }
  }

  /** Resolves once the other side has ended the connection. */
  async untilClosed(): Promise<void> {
    while (!this.#isClosed) await this.#change();
  }

  close(): void {
    this.socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake);
        resolve();
      };
      this.#waiters.add(wake);
    });
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  #read(): void {
    while (this.#pending.length >= 9) {
      const length = this.#pending.readUIntBE(0, 3);
      if (length > DEFAULT_FRAME_BYTES) this.faults.push(`frame of ${length} bytes`);
      if (this.#pending.length < 9 + length) return;
      const payload = this.#pending.subarray(9, 9 + length);
      const [type, flags] = [this.#pending[3] as number, this.#pending[4] as number];
      const stream = this.#pending.readUInt32BE(5);
      this.#pending = this.#pending.subarray(9 + length);
      this.#frame({ type, flags, stream, payload });
    }
  }

  #frame({ type, flags, stream, payload }: ReceivedFrame): void {
    const endStream = (flags & flag.endStream) !== 0;
    const endHeaders = (flags & flag.endHeaders) !== 0;
    switch (type) {
      case frameType.data:
        return this.#data(stream, payload, endStream);
      case frameType.headers:
        this.#block = { stream, endStream, parts: [payload] };
        return endHeaders ? this.#headers() : undefined;
      case frameType.continuation:
        this.#block.parts.push(payload);
        return endHeaders ? this.#headers() : undefined;
      case frameType.rstStream:
        this.stream(stream).reset = nameOf(payload.readUInt32BE(0));
        return undefined;
      case frameType.goaway:
        this.goaways.push({ last: payload.readUInt32BE(0), code: nameOf(payload.readUInt32BE(4)) });
        return undefined;
      case frameType.settings:
        return (flags & flag.ack) === 0 ? this.#settings(payload) : undefined;
      case frameType.ping:
        return this.#ping(flags, payload);
      default:
        return undefined;
    }
  }

  #settings(payload: Buffer): void {
    for (let at = 0; at < payload.length; at += 6) {
      this.settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    if (this.#options.silent !== true && this.#options.withoutAck !== true) this.send(settingsAck());
  }

  #ping(flags: number, payload: Buffer): void {
    if ((flags & flag.ack) !== 0) this.pongs.push(payload.toString('latin1'));
    else if (this.#options.silent !== true) this.send(frame(frameType.ping, flag.ack, 0, payload));
  }

  #data(id: number, payload: Buffer, endStream: boolean): void {
    const stream = this.#live(id, 'DATA');
    if (stream.status === 0) this.faults.push(`DATA before a head on stream ${id}`);
    stream.body += payload.toString('latin1');
    stream.isEnded = endStream;
    if (this.#options.stalled === true || this.#options.silent === true || payload.length === 0) return;
    this.send(windowUpdate(0, payload.length));
    if (!endStream) this.send(windowUpdate(id, payload.length));
  }

  #headers(): void {
    const { stream: id, endStream, parts } = this.#block;
    const block = Buffer.concat(parts);
    const fields = new Map<string, string>();
    const fault = this.#decoder.decode(block, 0, block.length, {
      field: (name, value) =>
        void fields.set(name, fields.has(name) ? `${fields.get(name)}, ${value}` : value),
    });
    if (fault !== undefined) this.faults.push(`header block: ${fault}`);
    const stream = this.#live(id, 'HEADERS');
    const status = Number(fields.get(':status') ?? 0);
    if (stream.status > 0) stream.trailers = fields;
    else if (status < 200) stream.informational.push(status);
    else {
      stream.status = status;
      stream.headers = fields;
    }
    stream.isEnded = endStream;
  }

  #live(id: number, what: string): StreamAnswer {
    const stream = this.stream(id);
    if (stream.isEnded || stream.reset !== undefined)
      this.faults.push(`${what} behind the end of stream ${id}`);
    return stream;
  }
}

interface HeaderBlock {
  readonly stream: number;
  readonly endStream: boolean;
  readonly parts: Buffer[];
}

interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

function newAnswer(): StreamAnswer {
  return {
    informational: [],
    status: 0,
    headers: new Map(),
    body: '',
    trailers: undefined,
    isEnded: false,
    reset: undefined,
  };
}

function nameOf(code: number): ErrorName {
  return codeNames.get(code) ?? 'INTERNAL_ERROR';
}

/** A header block of literals that no table learns (RFC 7541 §6.2.2), so that any bytes can be said. */
export function literalBlock(fields: Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]));
}

/** A string of HPACK, not Huffman-coded (§5.2). */
function literal(text: string): Buffer {
  return Buffer.concat([integer(text.length, 7), Buffer.from(text, 'latin1')]);
}

/** §5.1, with a zero in front of the prefix. */
export function integer(value: number, prefixBits: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.of(value);
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

export interface HeadersOptions {
  /** True unless given. */
  readonly endStream?: boolean;
}

/** A field section as HEADERS, and CONTINUATION where one frame does not hold it. */
export function headers(stream: number, fields: Fields | Buffer, options: HeadersOptions = {}): Buffer[] {
  const block = Buffer.isBuffer(fields) ? fields : literalBlock(fields);
  const end = options.endStream === false ? 0 : flag.endStream;
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += DEFAULT_FRAME_BYTES) {
    const isLast = at + DEFAULT_FRAME_BYTES >= block.length;
    const type = at === 0 ? frameType.headers : frameType.continuation;
    const flags = (at === 0 ? end : 0) | (isLast ? flag.endHeaders : 0);
    frames.push(frame(type, flags, stream, block.subarray(at, at + DEFAULT_FRAME_BYTES)));
  }
  return frames;
}
