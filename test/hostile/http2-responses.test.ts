import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { frameType } from '../../src/http2/frames.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import { data, frame, goaway, reset, settings, uint32, windowUpdate } from '../support/http2-rig.ts';
import type { Fields } from '../support/http2-rig.ts';
import { RawClient, request } from '../support/raw-client.ts';
import { headers, literalBlock } from '../support/raw-http2-client.ts';
import { RawHttp2Endpoint } from '../support/raw-http2-endpoint.ts';
import type { EndpointBehaviour } from '../support/raw-http2-endpoint.ts';

// Answers of an endpoint over HTTP/2 that must not be passed on: 502, or a cut where the answer had begun, never a clean end;
// the next request through the same pool gets its own answer. Names begin with the row of the corpus.

let endpoint: RawHttp2Endpoint;
let proxy: TestProxy;

const honest: EndpointBehaviour = ({ stream, fields }) => [
  ...headers(stream, [[':status', '200']], { endStream: false }),
  data(stream, fields.get(':path') as string, 1),
];

beforeAll(async () => {
  endpoint = await RawHttp2Endpoint.start(honest);
  proxy = await startProxy([{ upstream: [endpoint.port], policy: { protocol: 'http2' } }]);
});

afterEach(() => {
  endpoint.behaviour = honest;
});

afterAll(async () => {
  await proxy.stop();
  await endpoint.stop();
});

let canaries = 0;

async function canary(): Promise<void> {
  const path = `/canary-${++canaries}`;
  const response = await request(proxy.port, `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
  expect(response).toMatchObject({ status: 200, body: path });
  expect(proxy.counters.read('requestsActive')).toBe(0);
}

function answersCase(frames: (stream: number) => readonly Buffer[]): void {
  endpoint.behaviour = (asked, socket) =>
    asked.fields.get(':path') === '/case' ? frames(asked.stream) : honest(asked, socket);
}

/** Asks for /case; everything that comes, and whether the connection was ended. */
async function ask(method = 'GET'): Promise<{ received: string; status: number }> {
  await canary();
  const client = await RawClient.connect(proxy.port);
  client.send(`${method} /case HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`);
  const received = await client.untilEnd();
  client.close();
  await canary();
  return { received, status: Number(received.slice(9, 12)) };
}

const head =
  (...fields: Fields) =>
  (stream: number): Buffer[] =>
    headers(stream, fields);
const ok = (...fields: Fields): Fields => [[':status', '200'], ...fields];

describe('heads that are refused', () => {
  test.each<[string, (stream: number) => readonly Buffer[]]>([
    ['R01 content-length twice', head(...ok(['content-length', '0'], ['content-length', '0']))],
    ['R01 content-length +0', head(...ok(['content-length', '+0']))],
    ['R01 transfer-encoding', head(...ok(['transfer-encoding', 'chunked']))],
    ['R01 connection', head(...ok(['connection', 'close']))],
    ['R01 upper case in a name', head(...ok(['X-A', 'b']))],
    ['R01 LF in a value', head(...ok(['x-a', 'b\nset-cookie: c=d']))],
    ['R01 CR LF in a value', head(...ok(['x-a', 'b\r\n\r\nHTTP/1.1 200 OK']))],
    ['R01 NUL in a value', head(...ok(['x-a', 'b\0']))],
    ['R01 CR LF in a name', head(...ok(['x-a: b\r\nx-c', 'd']))],
    ['R01 a length without a body', head(...ok(['content-length', '5']))],
    ['R05 no :status', head(['x-a', 'b'])],
    ['R05 099', head([':status', '099'])],
    ['R05 600', head([':status', '600'])],
    ['R05 2000', head([':status', '2000'])],
    ['R05 20', head([':status', '20'])],
    ['R05 empty', head([':status', ''])],
    ['R05 101', head([':status', '101'])],
    ['R05 twice', head([':status', '200'], [':status', '204'])],
    ['V11 a field of requests', head(...ok([':path', '/']))],
    ['V11 :status behind a field', head(['x-a', 'b'], [':status', '200'])],
    ['R06 103 that ends the stream', head([':status', '103'])],
    [
      'R06 300 × 100',
      (stream) =>
        Array.from({ length: 300 }, () => headers(stream, [[':status', '100']], { endStream: false })).flat(),
    ],
    ['R08 20 KiB', head(...ok(['x-a', 'b'.repeat(20 * 1024)]))],
    [
      'R08 300 fields',
      head(...ok(...Array.from({ length: 300 }, (_, index): [string, string] => [`x-${index}`, '']))),
    ],
    ['R03 DATA before a head', (stream) => [data(stream, 'abc', 1)]],
    ['R10 RST_STREAM', (stream) => [reset(stream, 2)]],
    [
      'V15 PUSH_PROMISE',
      (stream) => [frame(frameType.pushPromise, 4, stream, Buffer.concat([uint32(2), literalBlock(ok())]))],
    ],
    ['V15 HEADERS of a stream that nobody opened', () => headers(2, ok())],
    ['V15 a frame that is too large', (stream) => [frame(frameType.data, 0, stream, Buffer.alloc(16_385))]],
    [
      'V15 a block that is no HPACK',
      (stream) => headers(stream, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])),
    ],
    ['V15 a window beyond its maximum', () => [windowUpdate(0, 2 ** 31 - 1)]],
    ['V15 SETTINGS of a wrong size', () => [frame(frameType.settings, 0, 0, 'abc')]],
    ['V15 HTTP/1.1', () => [Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno')]],
  ])('%s', async (_, frames) => {
    answersCase(frames);
    const { received, status } = await ask();
    expect(status).toBe(502);
    expect(received).toMatch(/502 Bad Gateway\n$/);
    expect(received.toLowerCase()).not.toContain('set-cookie');
  });
});

describe('answers that turn out wrong behind their heads', () => {
  const begun =
    (...fields: Fields) =>
    (stream: number): Buffer[] =>
      headers(stream, ok(...fields), { endStream: false });

  test.each<[string, (stream: number) => readonly Buffer[]]>([
    [
      'R07 less DATA than stated',
      (stream) => [...begun(['content-length', '10'])(stream), data(stream, 'abc', 1)],
    ],
    ['R07 RST_STREAM inside', (stream) => [...begun()(stream), data(stream, 'abc'), reset(stream, 2)]],
    ['R07 RST_STREAM CANCEL inside', (stream) => [...begun()(stream), data(stream, 'abc'), reset(stream, 8)]],
    [
      'R03 more DATA than stated',
      (stream) => [...begun(['content-length', '3'])(stream), data(stream, 'abcdef', 1)],
    ],
    [
      'V11 a pseudo-field in trailers',
      (stream) => [...begun()(stream), data(stream, 'abc'), ...headers(stream, [[':status', '200']])],
    ],
    [
      'C07 content-length in trailers',
      (stream) => [...begun()(stream), data(stream, 'abc'), ...headers(stream, [['content-length', '3']])],
    ],
    [
      'V15 a second head',
      (stream) => [...begun()(stream), data(stream, 'abc'), ...headers(stream, ok(), { endStream: false })],
    ],
    [
      'V15 the connection fails',
      (stream) => [...begun()(stream), data(stream, 'abc'), frame(frameType.settings, 0, 0, 'x')],
    ],
    ['V15 GOAWAY below the stream', (stream) => [...begun()(stream), data(stream, 'abc'), goaway(0, 0)]],
  ])('%s: never a clean end', async (_, frames) => {
    answersCase(frames);
    const { received, status } = await ask();
    // Nothing of it was passed on, or the client can see that it is not complete.
    if (status === 502 || received === '') return;
    expect(status).toBe(200);
    const [answerHead = '', body = ''] = received.split(/\r\n\r\n([^]*)/);
    const length = /content-length: (\d+)/i.exec(answerHead)?.[1];
    expect(length === undefined ? !body.endsWith('0\r\n\r\n') : body.length < Number(length)).toBe(true);
  });

  test('R03 DATA behind the end does not reach the next answer', async () => {
    answersCase((stream) => [
      ...begun(['content-length', '3'])(stream),
      data(stream, 'abc', 1),
      data(stream, 'poison', 1),
    ]);
    const { received } = await ask();
    expect(received).not.toContain('poison');
    expect(received.startsWith('HTTP/1.1 200 ') || received.startsWith('HTTP/1.1 502 ')).toBe(true);
  });

  test.each([
    ['HEAD', 'HEAD', '200'],
    ['204', 'GET', '204'],
    ['304', 'GET', '304'],
  ])('R04 a body behind %s is not passed on', async (_, method, status) => {
    answersCase((stream) => [
      ...headers(stream, [[':status', status]], { endStream: false }),
      data(stream, 'poison', 1),
    ]);
    const { received } = await ask(method);
    expect(received).not.toContain('poison');
    expect(Number(received.slice(9, 12))).toBe(Number(status));
  });
});

describe('what is passed on', () => {
  test('R06 103, then the answer', async () => {
    answersCase((stream) => [
      ...headers(
        stream,
        [
          [':status', '103'],
          ['link', '</a>; rel=preload'],
        ],
        { endStream: false },
      ),
      ...headers(stream, ok(['content-length', '2']), { endStream: false }),
      data(stream, 'ok', 1),
    ]);
    const { received } = await ask();
    expect(received).toMatch(/^HTTP\/1.1 103 [^]*HTTP\/1.1 200 [^]*\r\n\r\nok$/);
  });

  test('L13 odd names, L05 8-bit values', async () => {
    answersCase(head(...ok(['__proto__', 'a'], ['constructor', 'b'], ['x-8', '\xff'])));
    const { received } = await ask();
    expect(received).toMatch(/\r\n__proto__: a\r\nconstructor: b\r\nx-8: \xff\r\n/);
  });
});

describe('floods of an endpoint', () => {
  test.each<[string, () => readonly Buffer[]]>([
    ['SETTINGS', () => Array.from({ length: 20_000 }, () => settings())],
    ['PING', () => Array.from({ length: 20_000 }, () => frame(frameType.ping, 0, 0, '12345678'))],
  ])('D07 %s, ×20000: the connection is given up, the next request goes on another', async (_, frames) => {
    answersCase(frames);
    const { status } = await ask();
    expect(status).toBe(502);
  });
});
