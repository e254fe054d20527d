import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { duplexPair } from 'node:stream';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Http2Stream, StreamHandler } from '../../src/http2/http2-stream.ts';
import type { Http2RequestHead } from '../../src/http2/message-heads.ts';
import { HeaderList } from '../../src/util/header-list.ts';
import { bodyOf, digestOf, echoOf, line, ownFields } from './exchanges.ts';
import type { Answer, Exchange, Line } from './exchanges.ts';
import { SocketTransport } from './socket-transport.ts';

// Our server role against node:http2's client: random exchanges, all of them at once on one connection, echoed with
// back-pressure through windows as small as 500 bytes.

/** Sends back what comes; window is given back when the echo has found room. */
function echo(stream: Http2Stream, head: Http2RequestHead): StreamHandler {
  let owed = 0;
  const headers = new HeaderList();
  for (const [name, value] of head.headers.entries()) if (name.startsWith('x-')) headers.append(name, value);
  if (head.headers.get('x-hints') === 'yes') stream.respond(103, new HeaderList(), false);
  headers.remove('x-hints');
  headers.append('x-method', head.method);
  headers.append('x-path', head.pathAndQuery);
  stream.respond(200, headers, false);
  return {
    response: () => {},
    data(buffer, start, end) {
      if (stream.write(buffer, start, end)) stream.consume(end - start);
      else owed += end - start;
    },
    writable() {
      stream.consume(owed);
      owed = 0;
    },
    end: (trailers) => stream.end(trailers),
    reset: () => {},
  };
}

async function ask(session: ClientHttp2Session, exchange: Exchange, index: number): Promise<Answer> {
  const { method, path, fields, trailers } = exchange;
  const own = exchange.hints ? { ...fields, 'x-hints': 'yes' } : fields;
  const request = session.request(
    { ':method': method, ':path': path, ...own },
    { endStream: false, waitForTrailers: true },
  );
  request.on('wantTrailers', () => request.sendTrailers(trailers));
  let head: IncomingHttpHeaders & { ':status'?: number | undefined } = {};
  let hints = 0;
  let received: Record<string, string> = {};
  const parts: Buffer[] = [];
  request.on('headers', () => hints++);
  request.on('response', (headers) => (head = headers));
  request.on('trailers', (headers) => (received = ownFields(headers)));
  request.on('data', (part: Buffer) => parts.push(part));
  const body = bodyOf(exchange, index);
  let at = 0;
  for (const piece of exchange.pieces) request.write(body.subarray(at, (at += piece)));
  request.end();
  await once(request, 'close');
  return {
    status: head[':status'] ?? 0,
    hints,
    fields: ownFields(head),
    body: digestOf(Buffer.concat(parts)),
    trailers: received,
  };
}

/** A connection between node's client and ours, both in this process. */
function connectTo(given: Line, failures: string[]): ClientHttp2Session {
  const [theirs, ours] = duplexPair();
  const options = { role: 'server', limits: given.limits, now: () => performance.now() } as const;
  const fail = (code: string, reason: string): void => void failures.push(`${code} ${reason}`);
  const events = {
    request: echo,
    refused: () => fail('refused', ''),
    streamFault: fail,
    goaway: () => {},
    pong: () => {},
    failed: fail,
  };
  void new SocketTransport(ours, options, events, given.longestPiece);
  const settings = { initialWindowSize: given.peerWindowBytes, headerTableSize: given.peerTableBytes };
  return connect('http://a.example', { settings, createConnection: () => theirs });
}

test('what node:http2 asks is echoed', async () => {
  const failures: string[] = [];
  let exchanges = 0;
  await fc.assert(
    fc.asyncProperty(line, async (given) => {
      const session = connectTo(given, failures);
      const answers = await Promise.all(
        given.exchanges.map((exchange, index) => ask(session, exchange, index)),
      );
      session.destroy();
      await once(session, 'close');
      expect(answers).toEqual(given.exchanges.map(echoOf));
      expect(failures).toEqual([]);
      exchanges += answers.length;
    }),
    { numRuns: 60, endOnFailure: true },
  );
  expect(exchanges).toBeGreaterThan(1200);
}, 120_000);
