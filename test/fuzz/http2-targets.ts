import { HpackDecoder } from '../../src/http2/hpack/hpack-decoder.ts';
import { HpackEncoder } from '../../src/http2/hpack/hpack-encoder.ts';
import { Http2Connection } from '../../src/http2/http2-connection.ts';
import type { Http2Stream, StreamHandler } from '../../src/http2/http2-stream.ts';
import type { Http2RequestHead } from '../../src/http2/message-heads.ts';
import { defaultLimits } from '../../src/http2/limits.ts';
import { HeaderList } from '../../src/util/header-list.ts';
import { readWithNode } from './http2-beside-node.ts';
import { FrameMaker } from './http2-inputs.ts';
import { mutate, randomBytes } from './messages.ts';
import type { Random } from './random.ts';
import type { FuzzTarget } from './targets.ts';

// HTTP/2: header blocks and whole connections in both roles. Cut anywhere, the input must be understood alike; nothing may
// be thrown, held beyond its bound, or left behind when the connection has gone.

const MAX_HELD_BYTES = 4 * 2 ** 20;

/** Everything that a connection told and sent for an input, and what it held at most. */
interface Run {
  readonly log: string;
  readonly heldBytes: number;
  /** Streams that were neither ended nor reset when the transport had gone. */
  readonly left: number;
}

class Driver {
  readonly connection: Http2Connection;
  readonly #log: string[] = [];
  readonly #open = new Set<number>();
  /** Heads that were handed over, by stream. */
  readonly requests = new Map<number, Http2RequestHead>();
  isClosing = false;

  constructor(role: 'server' | 'client') {
    const say = (text: string): void => void this.#log.push(text);
    this.connection = new Http2Connection(
      { role, limits: defaultLimits, allowConnectProtocol: true, now: () => 0 },
      {
        wake: () => {},
        request: (stream, head, isComplete) => {
          this.requests.set(stream.id, head);
          say(
            `request ${stream.id} ${JSON.stringify({ ...head, headers: head.headers.entries() })} ${isComplete}`,
          );
          return this.#answer(stream);
        },
        refused: (stream, { status, reason }) => {
          say(`refused ${stream.id} ${reason}`);
          stream.respond(status, new HeaderList(), true);
        },
        streamFault: (code, reason) => say(`fault ${code} ${reason}`),
        goaway: (last, code) => say(`goaway ${last} ${code}`),
        pong: () => say('pong'),
        failed: (code, reason) => say(`failed ${code} ${reason}`),
      },
    );
    this.connection.start();
    if (role === 'client') for (let count = 0; count < 4; count++) this.#ask(count);
  }

  #ask(count: number): void {
    const method = ['GET', 'HEAD', 'POST', 'CONNECT'][count] as string;
    const pseudo = [[':method', method] as const, [':authority', 'a.example'] as const];
    const handler = this.#handler(2 * count + 1, () => stream);
    const stream: Http2Stream | undefined = this.connection.open(
      { pseudo, headers: new HeaderList() },
      count < 2,
      handler,
    );
  }

  /** Answers by the stream's number: at once, with what comes, late, or not at all. */
  #answer(stream: Http2Stream): StreamHandler {
    const handler = this.#handler(stream.id, () => stream);
    if (stream.id % 8 === 7) stream.reset('CANCEL');
    else stream.respond(200, new HeaderList(), stream.id % 8 === 5);
    if (stream.isClosed) this.#open.delete(stream.id);
    return handler;
  }

  #handler(id: number, stream: () => Http2Stream | undefined): StreamHandler {
    const log = this.#log;
    this.#open.add(id);
    return {
      response: ({ status, headers }) =>
        void log.push(`response ${id} ${status} ${JSON.stringify(headers.entries())}`),
      data: (buffer, start, end) => {
        log.push(`data ${id} ${buffer.toString('latin1', start, end)}`);
        if (stream()?.write(buffer, start, end) !== false) stream()?.consume(end - start);
      },
      end: (trailers) => {
        log.push(`end ${id} ${JSON.stringify(trailers?.entries())}`);
        this.#open.delete(id);
        stream()?.end(trailers);
      },
      reset: (code, cause) => {
        log.push(`reset ${id} ${code} ${cause}`);
        this.#open.delete(id);
      },
      writable: () => stream()?.consume(1 << 20),
    };
  }

  /** Gives the input in pieces that end where `cut` says. */
  run(bytes: Buffer, cut: (from: number) => number): Run {
    const output: Buffer[] = [];
    let heldBytes = 0;
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, cut(at));
      this.connection.receive(bytes, at, end);
      heldBytes = Math.max(heldBytes, this.connection.heldBytes);
      at = end;
    }
    for (let taken = this.connection.take(); taken !== undefined; taken = this.connection.take())
      output.push(taken);
    this.isClosing = this.connection.isClosing;
    this.connection.close();
    const log = `${this.#log.join('\n')}\n${Buffer.concat(output).toString('latin1')}`;
    return { log, heldBytes, left: this.#open.size + this.connection.openStreams };
  }
}

function checkConnection(input: string, random: Random, role: 'server' | 'client'): string | undefined {
  const bytes = Buffer.from(input, 'latin1');
  const whole = new Driver(role).run(bytes, () => bytes.length);
  const longest = 1 + random.below(40);
  const pieces = new Driver(role).run(bytes, (from) => from + 1 + random.below(longest));
  if (pieces.log !== whole.log) return `in pieces ${pieces.log}, whole ${whole.log}`;
  if (whole.heldBytes > MAX_HELD_BYTES) return `holds ${whole.heldBytes} bytes`;
  return whole.left === 0 ? undefined : `${whole.left} streams left behind: ${whole.log}`;
}

/** What we hand over, node:http2 hands over too, as the same request. It may hand over more, and what we refuse. */
async function checkBesideNode(input: string): Promise<string | undefined> {
  const driver = new Driver('server');
  const bytes = Buffer.from(input, 'latin1');
  driver.run(bytes, () => bytes.length);
  // Either we ended the connection, or the client said GOAWAY, and is gone for node.
  if (driver.isClosing) return undefined;
  const theirs = await readWithNode(input);
  if (theirs === undefined) return undefined;
  for (const [id, head] of driver.requests) {
    const other = theirs.get(id);
    if (other === undefined) return `node has no request ${id}`;
    const read = [
      other[':method'],
      other[':path'] ?? '',
      other[':authority'] ?? other.host,
      other['x-plain'],
    ];
    const plain = head.headers.getAll('x-plain');
    const ours = [
      head.method,
      head.pathAndQuery,
      head.authority,
      plain.length > 0 ? plain.join(', ') : undefined,
    ];
    if (JSON.stringify(ours) !== JSON.stringify(read))
      return `ours ${JSON.stringify(ours)}, node's ${JSON.stringify(read)}`;
  }
  return undefined;
}

/** What can be decoded must come out again the same when we encode it. */
function checkBlocks(input: string): string | undefined {
  const decoder = new HpackDecoder();
  const [encoder, again] = [new HpackEncoder(), new HpackDecoder()];
  for (const block of input.split('\n\n\n')) {
    const bytes = Buffer.from(block, 'latin1');
    const fields: [string, string][] = [];
    const fault = decoder.decode(bytes, 0, bytes.length, { field: (...field) => void fields.push(field) });
    if (fields.length > bytes.length) return `${fields.length} fields out of ${bytes.length} bytes`;
    if (fault !== undefined) return undefined;
    encoder.begin();
    for (const [name, value] of fields) encoder.field(name, value);
    const ours = encoder.end();
    const read: [string, string][] = [];
    const refused = again.decode(ours, 0, ours.length, { field: (...field) => void read.push(field) });
    if (refused !== undefined) return `our own block is refused: ${refused}`;
    if (JSON.stringify(read) !== JSON.stringify(fields))
      return `encoded ${JSON.stringify(fields)}, read ${JSON.stringify(read)}`;
  }
  return undefined;
}

function connectionText(random: Random, fromClient: boolean): string {
  const text = new FrameMaker(random, fromClient).connection();
  return random.chance(0.4) ? mutate(random, text) : text;
}

function blocksText(random: Random): string {
  const maker = new FrameMaker(random, true);
  const text = Array.from({ length: 1 + random.below(4) }, () => maker.block()).join('\n\n\n');
  if (random.chance(0.2)) return randomBytes(random);
  return random.chance(0.6) ? mutate(random, text) : text;
}

export const http2Targets: readonly FuzzTarget[] = [
  { name: 'http2-blocks', batch: 500, make: blocksText, check: checkBlocks },
  {
    name: 'http2-from-clients',
    batch: 100,
    make: (random) => connectionText(random, true),
    check: (input, random) => checkConnection(input, random, 'server'),
  },
  {
    name: 'http2-from-servers',
    batch: 100,
    make: (random) => connectionText(random, false),
    check: (input, random) => checkConnection(input, random, 'client'),
  },
  {
    name: 'http2-requests-beside-node',
    batch: 50,
    make: (random) => new FrameMaker(random, true).connection(),
    check: checkBesideNode,
  },
];
