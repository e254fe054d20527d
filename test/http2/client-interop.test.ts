import { createServer } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { duplexPair } from 'node:stream';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Http2Connection } from '../../src/http2/http2-connection.ts';
import type { FieldSource, Http2Stream } from '../../src/http2/http2-stream.ts';
import { HeaderList } from '../../src/util/header-list.ts';
import { bodyOf, digestOf, echoOf, line, ownFields } from './exchanges.ts';
import type { Answer, Exchange, Line } from './exchanges.ts';
import { SocketTransport } from './socket-transport.ts';

// Our client role against node:http2's server: random exchanges, all of them at once on one connection, which node echoes.

function listOf(fields: Readonly<Record<string, string>>): HeaderList {
  const headers = new HeaderList();
  for (const [name, value] of Object.entries(fields)) headers.append(name, value);
  return headers;
}

function recordOf(headers: HeaderList): Record<string, string> {
  return ownFields(Object.fromEntries(headers.entries()));
}

/** Writes the pieces of a body as far as there is room, then its end. */
class Upload {
  readonly #stream: Http2Stream;
  readonly #exchange: Exchange;
  readonly #body: Buffer;
  #next = 0;
  #at = 0;

  constructor(stream: Http2Stream, exchange: Exchange, body: Buffer) {
    this.#stream = stream;
    this.#exchange = exchange;
    this.#body = body;
  }

  goOn(): void {
    const { pieces, trailers } = this.#exchange;
    while (this.#next < pieces.length) {
      const start = this.#at;
      this.#at += pieces[this.#next++] as number;
      if (!this.#stream.write(this.#body, start, this.#at)) return;
    }
    this.#stream.end(listOf(trailers));
  }
}

function ask(connection: Http2Connection, exchange: Exchange, index: number): Promise<Answer> {
  const { method, path, fields, hints } = exchange;
  const request: FieldSource = {
    pseudo: [
      [':method', method],
      [':scheme', 'http'],
      [':authority', 'a.example'],
      [':path', path],
    ],
    headers: listOf(hints ? { ...fields, 'x-hints': 'yes' } : fields),
  };
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let head: Pick<Answer, 'status' | 'fields'> = { status: 0, fields: {} };
    let hintsSeen = 0;
    const stream = connection.open(request, false, {
      response({ status, headers }) {
        if (status < 200) hintsSeen++;
        else head = { status, fields: recordOf(headers) };
      },
      data(buffer, start, end) {
        parts.push(Buffer.from(buffer.subarray(start, end)));
        stream?.consume(end - start);
      },
      end: (trailers) =>
        resolve({
          ...head,
          hints: hintsSeen,
          body: digestOf(Buffer.concat(parts)),
          trailers: trailers === undefined ? {} : recordOf(trailers),
        }),
      reset: (code, cause) => reject(new Error(`stream ${index}: reset ${code} ${cause}`)),
      writable: () => upload?.goOn(),
    });
    const upload = stream === undefined ? undefined : new Upload(stream, exchange, bodyOf(exchange, index));
    if (upload === undefined) reject(new Error('no room'));
    else upload.goOn();
  });
}

function echo(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  let trailers: Record<string, string> = {};
  const { 'x-hints': hints, ...fields } = ownFields(headers);
  stream.on('trailers', (received: IncomingHttpHeaders) => (trailers = ownFields(received)));
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  if (hints !== undefined) stream.additionalHeaders({ ':status': 103 });
  const own = { ...fields, 'x-method': headers[':method'], 'x-path': headers[':path'] };
  stream.respond({ ':status': 200, ...own }, { waitForTrailers: true });
  stream.pipe(stream);
}

/** A connection between our client and node's server, both in this process. */
function connectTo(given: Line, failures: string[]): SocketTransport {
  const [theirs, ours] = duplexPair();
  const settings = { initialWindowSize: given.peerWindowBytes, headerTableSize: given.peerTableBytes };
  const server = createServer({ settings });
  server.on('stream', echo);
  server.on('sessionError', (error) => failures.push(String(error)));
  server.emit('connection', theirs);
  const options = { role: 'client', limits: given.limits, now: () => performance.now() } as const;
  const fail = (code: string, reason: string): void => void failures.push(`${code} ${reason}`);
  const events = {
    request: () => {
      throw new Error('a client was asked');
    },
    refused: () => fail('refused', ''),
    streamFault: fail,
    goaway: (last: number, code: number) => fail(`goaway ${last}`, String(code)),
    pong: () => {},
    failed: fail,
  };
  return new SocketTransport(ours, options, events, given.longestPiece);
}

test('what we ask, node:http2 echoes', async () => {
  const failures: string[] = [];
  let exchanges = 0;
  await fc.assert(
    fc.asyncProperty(line, async (given) => {
      const { connection, socket } = connectTo(given, failures);
      const answers = await Promise.all(
        given.exchanges.map((exchange, index) => ask(connection, exchange, index)),
      );
      expect(connection.openStreams).toBe(0);
      socket.destroy();
      expect(answers).toEqual(given.exchanges.map(echoOf));
      expect(failures).toEqual([]);
      exchanges += answers.length;
    }),
    { numRuns: 60, endOnFailure: true },
  );
  expect(exchanges).toBeGreaterThan(1200);
}, 120_000);
