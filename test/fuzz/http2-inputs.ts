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

  constructor(random: Random, fromClient: boolean) {
    this.#random = random;
    this.#fromClient = fromClient;
    this.#wildness = random.pick([0, 0.02, 0.1, 0.3]);
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

  #frame(): string {
    const random = this.#random;
    const stream = random.pick(streams.slice(0, random.chance(this.#wildness) ? streams.length : 7));
    const open = flag.endHeaders;
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
        return this.#headers(stream, this.#flags(open, open | flag.endStream));
      case 3:
      case 4:
      case 5:
        return frameText(
          frameType.data,
          this.#flags(0, 0, flag.endStream, flag.padded),
          stream,
          random.pick(['', 'hello', '\x02abcd', 'x'.repeat(random.below(17_000))]),
        );
      case 6:
        return frameText(
          frameType.windowUpdate,
          this.#flags(0),
          random.chance(0.5) ? 0 : stream,
          uint32(random.chance(this.#wildness) ? random.pick(numbers) : 1000),
        );
      case 7:
        return frameText(frameType.rstStream, 0, stream, uint32(random.below(20)));
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
        return random.chance(0.5)
          ? frameText(frameType.priority, 0, stream, `${uint32(random.below(9))}\x0f`)
          : frameText(frameType.goaway, 0, 0, uint32(random.pick(numbers)) + uint32(0));
      default:
        return frameText(random.below(12), random.below(256), stream, 'x'.repeat(random.below(20)));
    }
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
