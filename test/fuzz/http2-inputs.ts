import { PREFACE, flag, frameType } from '../../src/http2/frames.ts';
import { HpackEncoder } from '../../src/http2/hpack/hpack-encoder.ts';
import type { Random } from './random.ts';

// What a peer of HTTP/2 sends, nearly right: frames in a sensible order with a bias towards the edges of the rules. Texts
// are latin1.

type Field = readonly [name: string, value: string];

const requestFields: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'a.example'],
];
const oddFields: readonly Field[] = [
  [':method', 'CONNECT'],
  [':path', '*'],
  [':path', '/#'],
  [':protocol', 'websocket'],
  [':status', '200'],
  ['host', 'a.example'],
  ['host', 'evil'],
  ['content-length', '5'],
  ['content-length', '0'],
  ['content-length', '+1'],
  ['te', 'trailers'],
  ['te', 'gzip'],
  ['connection', 'close'],
  ['X-Upper', 'x'],
  ['cookie', 'a=b'],
  ['cookie', 'c=d'],
  ['x-long', 'v'.repeat(500)],
  ['x', ' edge'],
  ['x', 'a\r\nb'],
  ['x-plain', 'value'],
];
const statuses = ['200', '200', '204', '304', '404', '100', '103', '101', '99'];
const streams = [1, 1, 1, 3, 3, 5, 7, 2, 0, 2 ** 31 - 1];
const numbers = [0, 1, 2, 100, 16_383, 16_384, 65_535, 2 ** 24 - 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

export function uint32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

export function frameText(type: number, flags: number, stream: number, payload: string): string {
  return uint32(payload.length).slice(1) + String.fromCharCode(type, flags) + uint32(stream) + payload;
}

/** One side of a connection; its header blocks fit together. */
export class FrameMaker {
  readonly #random: Random;
  readonly #fromClient: boolean;
  readonly #encoder = new HpackEncoder();
  /** 0 gives what is right but for its order. */
  readonly #wildness: number;
  /** Streams that may be open. */
  readonly #open: number[];
  #nextStream: number;

  constructor(random: Random, fromClient: boolean) {
    this.#random = random;
    this.#fromClient = fromClient;
    this.#wildness = random.pick([0, 0.02, 0.1, 0.3]);
    this.#open = fromClient ? [] : [1, 3, 5, 7];
    this.#nextStream = fromClient ? 1 : 9;
  }

  /** A connection from its first byte. */
  connection(): string {
    const random = this.#random;
    let text =
      (this.#fromClient ? PREFACE.toString('latin1') : '') +
      frameText(frameType.settings, 0, 0, this.#settings());
    for (let count = random.below(25); count > 0; count--) text += this.#frame();
    return text;
  }

  block(): string {
    const random = this.#random;
    const fields: Field[] = this.#fromClient ? [...requestFields] : [[':status', random.pick(statuses)]];
    if (random.chance(this.#wildness)) fields.splice(random.below(fields.length), 1);
    for (let count = random.below(4); count > 0; count--) fields.push(['x-plain', String(random.below(50))]);
    while (random.chance(this.#wildness))
      fields.splice(random.below(fields.length + 1), 0, random.pick(oddFields));
    if (random.chance(0.1)) fields.push(['content-length', '5']);
    this.#encoder.begin();
    for (const [name, value] of fields) this.#encoder.field(name, value);
    return this.#encoder.end().toString('latin1');
  }

  #settings(): string {
    const random = this.#random;
    let text = '';
    for (let count = random.below(4); count > 0; count--) {
      const value = random.chance(this.#wildness) ? random.pick(numbers) : 50 + random.below(1000);
      text += `\0${String.fromCharCode(1 + random.below(9))}${uint32(value)}`;
    }
    return text;
  }

  #flags(...useful: readonly number[]): number {
    const random = this.#random;
    return random.chance(this.#wildness) ? random.below(256) : random.pick(useful);
  }

  #stream(): number {
    const random = this.#random;
    return this.#open.length === 0 || random.chance(this.#wildness)
      ? random.pick(streams)
      : random.pick(this.#open);
  }

  /** HEADERS of a new stream, as a client sends them, or of one that is open. */
  #head(): string {
    const random = this.#random;
    const endsStream = random.chance(0.3);
    const flags = this.#flags(flag.endHeaders | (endsStream ? flag.endStream : 0));
    if (!this.#fromClient || random.chance(this.#wildness)) return this.#headers(this.#stream(), flags);
    const stream = this.#nextStream;
    this.#nextStream += random.chance(this.#wildness) ? 4 : 2;
    if (!endsStream) this.#open.push(stream);
    return this.#headers(stream, flags);
  }

  /** Nothing is sent behind the end of a stream, but in the wild. */
  #closing(stream: number, isLast: boolean): number {
    const at = isLast && !this.#random.chance(this.#wildness) ? this.#open.indexOf(stream) : -1;
    if (at >= 0) this.#open.splice(at, 1);
    return stream;
  }

  #frame(): string {
    const random = this.#random;
    // Frames of a stream want one.
    if (this.#open.length === 0) return this.#head();
    const stream = this.#stream();
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
        return this.#head();
      case 3:
      case 4:
      case 5:
        return this.#data(stream);
      case 6:
        return frameText(
          frameType.windowUpdate,
          this.#flags(0),
          random.chance(0.5) ? 0 : stream,
          uint32(random.chance(this.#wildness) ? random.pick(numbers) : 1000),
        );
      case 7:
        return frameText(frameType.rstStream, 0, this.#closing(stream, true), uint32(random.below(20)));
      case 8:
        return frameText(
          frameType.settings,
          this.#flags(0, flag.ack),
          0,
          random.chance(0.5) ? '' : this.#settings(),
        );
      case 9:
        return frameText(frameType.ping, this.#flags(0, flag.ack), 0, '12345678');
      case 10:
        return this.#rarely(stream);
      default:
        return random.chance(this.#wildness)
          ? frameText(random.below(12), random.below(256), stream, 'x'.repeat(random.below(20)))
          : frameText(10 + random.below(200), random.below(256), stream, 'x'.repeat(random.below(20)));
    }
  }

  #data(stream: number): string {
    const random = this.#random;
    const flags = this.#flags(0, 0, flag.endStream);
    const payload = random.pick(['', 'hello', 'x'.repeat(random.below(17_000))]).slice(0, 16_384);
    this.#closing(stream, (flags & flag.endStream) !== 0);
    if (!random.chance(0.2)) return frameText(frameType.data, flags, stream, payload);
    return frameText(frameType.data, flags | flag.padded, stream, '\x02abcd');
  }

  #rarely(stream: number): string {
    const random = this.#random;
    if (random.chance(0.7))
      return frameText(frameType.priority, 0, stream, `${uint32(2 * random.below(9))}\x0f`);
    const last = random.chance(this.#wildness) ? random.pick(numbers) : 0;
    return frameText(frameType.goaway, 0, 0, uint32(last) + uint32(0));
  }

  #headers(stream: number, flags: number): string {
    const block = this.block();
    if (!this.#random.chance(0.2)) return frameText(frameType.headers, flags, stream, block);
    const cut = this.#random.below(block.length + 1);
    return (
      frameText(frameType.headers, flags & ~flag.endHeaders, stream, block.slice(0, cut)) +
      frameText(frameType.continuation, flag.endHeaders, stream, block.slice(cut))
    );
  }
}
