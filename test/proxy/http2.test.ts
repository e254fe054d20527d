import { once } from 'node:events';
import { constants } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { AccessLog } from '../../src/telemetry/access-log.ts';
import { requestVersions } from '../../src/telemetry/protocol-cells.ts';
import { testPair } from '../support/certificates.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { NodeHttp2Client, answerOf } from '../support/node-http2-client.ts';
import { data } from '../support/http2-rig.ts';
import { RawHttp2Client, headers } from '../support/raw-http2-client.ts';
import { RawUpstream, answer } from '../support/raw-upstream.ts';

const certificates = { 'a.example': testPair(['a.example']) };
const post = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', '/x'],
  [':authority', 'a.example'],
] as const;

let upstream: RawUpstream;
let proxy: TestProxy;
let client: NodeHttp2Client;

beforeEach(async () => {
  upstream = await RawUpstream.start();
});

afterEach(async () => {
  client.close();
  await proxy.stop();
  await upstream.stop();
});

async function start(options: TestProxyOptions = {}): Promise<void> {
  proxy = await startProxy([{ upstream: [upstream.port] }], { tls: {}, certificates, ...options });
  client = await NodeHttp2Client.connect(proxy.tlsPort);
}

describe('a request', () => {
  test('goes to its upstream in the terms of HTTP/1.1', async () => {
    await start();
    const { status, body } = await client.request({
      ':path': '/a?b=c',
      cookie: ['x=1', 'y=2'],
      'x-own': 'z',
    });
    expect({ status, body }).toEqual({ status: 200, body: '/a?b=c' });
    const [request] = upstream.requests;
    expect(request).toMatchObject({ method: 'GET', target: '/a?b=c', body: '' });
    expect(Object.fromEntries(request?.headers ?? [])).toMatchObject({
      host: 'a.example',
      cookie: 'x=1; y=2',
      'x-own': 'z',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1',
    });
    expect(upstream.faults).toEqual([]);
  });

  test('gets an answer without fields of the connection, with a date and HSTS', async () => {
    upstream.behaviour = () =>
      answer('ok', 'X-Own: y\r\nConnection: x-gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\n');
    await start({ settings: { hsts: 'max-age=1' } });
    const { headers: fields } = await client.request();
    expect(fields).toMatchObject({
      'x-own': 'y',
      'content-length': '2',
      'strict-transport-security': 'max-age=1',
    });
    expect(fields.date).toMatch(/GMT$/);
    for (const name of ['connection', 'x-gone', 'keep-alive']) expect(fields).not.toHaveProperty(name);
  });

  test('over plain HTTP/2 gets no HSTS', async () => {
    await start({
      settings: { hsts: 'max-age=1', http2: { offered: true, plain: true, maxConcurrentStreams: 9 } },
    });
    const plain = await NodeHttp2Client.connect(proxy.port, 'http');
    const { status, headers: fields } = await plain.request();
    plain.close();
    expect(status).toBe(200);
    expect(fields).not.toHaveProperty('strict-transport-security');
    expect(upstream.requests[0]?.headers.get('x-forwarded-proto')).toBe('http');
  });

  test('many at a time each get their own answer', async () => {
    await start();
    const paths = Array.from({ length: 300 }, (_, index) => `/${index}`);
    const answers = await Promise.all(paths.map((path) => client.request({ ':path': path })));
    expect(answers.map(({ body }) => body)).toEqual(paths);
    expect(proxy.counters.read('requestsActive')).toBe(0);
    expect(proxy.counters.read('connectionsTotal')).toBe(1);
  });

  test('HEAD, 204 and 304 have no body', async () => {
    upstream.behaviour = ({ target }) =>
      target === '/head'
        ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'
        : `HTTP/1.1 ${target.slice(1)} X\r\nETag: "e"\r\n\r\n`;
    await start();
    const head = await client.request({ ':method': 'HEAD', ':path': '/head' });
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '5' } });
    for (const status of [204, 304]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const bare = await client.request({ ':path': `/${status}` });
      expect(bare).toMatchObject({ status, body: '', headers: { etag: '"e"' } });
      expect(bare.headers).not.toHaveProperty('content-length');
    }
  });

  test('informational heads come first', async () => {
    upstream.behaviour = () =>
      `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nConnection: close\r\n\r\n${answer('ok')}`;
    await start();
    expect(await client.request()).toMatchObject({ status: 200, body: 'ok', informational: [103] });
  });

  test('an error of ours has the id of the request', async () => {
    await start();
    await proxy.publish([], certificates);
    const { status, headers: fields, body } = await client.request();
    expect({ status, body }).toEqual({ status: 404, body: '404 Not Found\n' });
    expect(fields['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([
    ['a method in lower case', { ':method': 'get' }, 400],
    ['a method that nobody knows', { ':method': 'BREW' }, 501],
    ['TRACE', { ':method': 'TRACE' }, 405],
    ['an expectation that nobody knows', { expect: 'gold' }, 417],
    ['a list as authority', { ':authority': 'a,b' }, 400],
    ['the scheme of another transport', { ':scheme': 'http' }, 400],
    ['a path that is too long', { ':path': `/${'x'.repeat(9000)}` }, 414],
    ['a name that is no ASCII', { authorization: 'Basic \xe4' }, 400],
  ])('%s is refused, and the connection goes on', async (_, fields, status) => {
    await start();
    expect(await client.request(fields)).toMatchObject({ status });
    expect(upstream.requests).toEqual([]);
    expect(await client.request()).toMatchObject({ status: 200 });
  });
});

describe('bodies', () => {
  const bulk = Buffer.alloc(3_000_000, 'some bytes ');

  test('go both ways with and without a length', async () => {
    upstream.behaviour = ({ body }) => answer(body);
    await start();
    const stated = await client.request({ ':method': 'POST', 'content-length': bulk.length }, bulk);
    const streamed = await client.request({ ':method': 'PUT' }, bulk);
    expect([stated.body, streamed.body]).toEqual([bulk.toString('latin1'), bulk.toString('latin1')]);
    expect(upstream.requests.map(({ headers: fields }) => fields.get('content-length'))).toEqual([
      String(bulk.length),
      undefined,
    ]);
    expect(upstream.faults).toEqual([]);
  });

  test('a chunked answer streams, and its trailers follow', async () => {
    upstream.behaviour = () =>
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n';
    await start();
    const { body, trailers, headers: fields } = await client.request();
    expect({ body, sum: trailers['x-sum'] }).toEqual({ body: 'abcde', sum: '5' });
    expect(fields).not.toHaveProperty('transfer-encoding');
    expect(fields).not.toHaveProperty('content-length');
  });

  test("a request's trailers go on, but those that must not", async () => {
    await start();
    const raw = await RawHttp2Client.connect(proxy.tlsPort, { tls: { servername: 'a.example' } });
    raw.send(
      ...headers(1, post, { endStream: false }),
      data(1, 'hello'),
      ...headers(1, [
        ['x-sum', '5'],
        ['authorization', 'me'],
      ]),
    );
    expect(await raw.answer(1)).toMatchObject({ status: 200 });
    raw.close();
    expect(upstream.bytes.join('')).toMatch(/5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n$/i);
  });

  /** Many turns of other requests on the same connection: by then whatever can go on has gone on. */
  async function settle(): Promise<void> {
    for (let count = 0; count < 100; count++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await client.request({ ':path': '/other' })).toMatchObject({ status: 200 });
    }
  }

  const whole = 32 * 1024 * 1024;

  test('an upstream that does not read holds its request back, and no other', async () => {
    await start();
    let taken = 0;
    let deafSocket: Socket | undefined;
    const deaf = createServer((socket) => {
      socket.on('data', (chunk: Buffer) => {
        taken += chunk.length;
        if (taken > whole) socket.end(answer('taken'));
      });
      deafSocket = socket.pause();
    });
    await once(deaf.listen(0, '127.0.0.1'), 'listening');
    const { port } = deaf.address() as AddressInfo;
    await proxy.publish([{ upstream: [upstream.port] }, { path: '/deaf', upstream: [port] }], certificates);
    const upload = client.begin(
      { ':method': 'POST', ':path': '/deaf', 'content-length': whole },
      { endStream: false },
    );
    let sent = 0;
    Readable.from(pieces(whole), { objectMode: false })
      .on('data', (chunk: Buffer) => (sent += chunk.length))
      .pipe(upload);
    await settle();
    // The buffers of the kernel, and what the client itself lets wait.
    expect(sent).toBeLessThan(whole / 2);
    const answered = answerOf(upload);
    deafSocket?.resume();
    expect(await answered).toMatchObject({ status: 200, body: 'taken' });
    deaf.close();
  });

  test('a client that does not take an answer holds its upstream back, and no other answer', async () => {
    let pushed: Socket | undefined;
    upstream.behaviour = ({ target }, socket) => {
      if (target === '/other') return answer('ok');
      pushed = socket;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${whole}\r\n\r\n`);
      Readable.from(pieces(whole), { objectMode: false }).pipe(socket, { end: false });
      return undefined;
    };
    await start();
    // What one stream does not take must not close the window that all of them share.
    client.session.setLocalWindowSize(1024 * 1024);
    const stream = client.begin();
    await once(stream, 'response');
    stream.pause();
    await settle();
    const before = (pushed?.bytesWritten ?? 0) - (pushed?.writableLength ?? 0);
    expect(before).toBeLessThan(whole / 2);
    let received = 0;
    stream.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
    await once(stream, 'end');
    expect(received).toBe(whole);
  });

  test('many large answers at a time all arrive, whatever is held', async () => {
    const size = 400_000;
    upstream.behaviour = () => answer('x'.repeat(size));
    await start();
    const answers = await Promise.all(Array.from({ length: 90 }, () => client.request()));
    expect(answers.every(({ body }) => body.length === size)).toBe(true);
  });

  test('a body waits for a filter, and for the connection to its upstream', async () => {
    upstream.behaviour = ({ body }) => answer(body);
    await start();
    const pieces10 = Array.from({ length: 10 }, (_, index) => `piece ${index};`);
    const uploads = Array.from({ length: 20 }, () => {
      const stream = client.begin({ ':method': 'POST' }, { endStream: false });
      for (const piece of pieces10) stream.write(piece);
      stream.end();
      return answerOf(stream);
    });
    const bodies = (await Promise.all(uploads)).map(({ body }) => body);
    expect(new Set(bodies)).toEqual(new Set([pieces10.join('')]));
  });

  test('beyond the limit a body is answered with 413, and the connection goes on', async () => {
    await start({ settings: { maxRequestBodyBytes: 1000 } });
    const stream = client.begin({ ':method': 'POST' }, { endStream: false });
    stream.write(Buffer.alloc(2000));
    expect(await answerOf(stream)).toMatchObject({ status: 413 });
    expect(await client.request()).toMatchObject({ status: 200 });
    expect(proxy.counters.read('connectionsTotal')).toBe(1);
  });
});

describe('ends', () => {
  test('an answer before the body is complete ends the stream, not the connection', async () => {
    upstream.behaviour = () => undefined;
    await start();
    const raw = await RawHttp2Client.connect(proxy.tlsPort, { tls: { servername: 'a.example' } });
    raw.send(...headers(1, post, { endStream: false }), data(1, 'some'));
    await upstream.until(() => upstream.bytes.join('').includes('some'));
    upstream.sockets[0]?.write(answer('early'));
    const early = await raw.answer(1);
    expect(early).toMatchObject({ status: 200, body: 'early', isEnded: true });
    await raw.until(() => early.reset !== undefined);
    expect(early.reset).toBe('NO_ERROR');
    upstream.behaviour = () => answer('next');
    // What the client sends before it knows is no fault.
    raw.send(data(1, 'late'), ...headers(3, post));
    expect(await raw.answer(3)).toMatchObject({ status: 200, body: 'next' });
    expect(raw.goaways).toEqual([]);
    raw.close();
  });

  test('a client that resets ends its request at the upstream, and no other', async () => {
    upstream.behaviour = ({ target }) => (target === '/slow' ? undefined : answer('ok'));
    await start();
    const stream = client.begin({ ':path': '/slow' });
    await upstream.until(() => upstream.requests.length === 1);
    stream.close(constants.NGHTTP2_CANCEL);
    await upstream.until(() => upstream.sockets[0]?.destroyed === true);
    expect(await client.request()).toMatchObject({ status: 200 });
    expect(proxy.counters.read('requestsActive')).toBe(0);
    expect(proxy.counters.errors('SP_CLIENT_GONE')).toBe(1);
  });

  test('a client that goes ends all of its requests', async () => {
    upstream.behaviour = () => undefined;
    await start();
    const streams = [client.begin(), client.begin(), client.begin()];
    await upstream.until(() => upstream.requests.length === streams.length);
    client.close();
    await upstream.until(() => upstream.sockets.every(({ destroyed }) => destroyed));
    expect(proxy.counters.errors('SP_CLIENT_GONE')).toBe(3);
    expect(proxy.counters.read('requestsActive')).toBe(0);
  });

  test('an upstream that cuts its answer resets the stream', async () => {
    upstream.behaviour = (_, socket) => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      return undefined;
    };
    await start();
    await expect(client.request()).rejects.toThrow('NGHTTP2_INTERNAL_ERROR');
    upstream.behaviour = () => answer('ok');
    expect(await client.request()).toMatchObject({ status: 200 });
  });

  test('an upstream that cannot be reached is 502', async () => {
    await start();
    const { port } = upstream;
    await upstream.stop();
    expect(await client.request()).toMatchObject({ status: 502, body: '502 Bad Gateway\n' });
    expect(port).toBeGreaterThan(0);
    upstream = await RawUpstream.start();
  });
});

describe('books', () => {
  test('the access log says HTTP/2.0', async () => {
    let text = '';
    const accessLog = new AccessLog({ send: (lines) => (text += lines) });
    await start({ accessLog });
    await client.request({ ':method': 'POST', ':path': '/x?y', 'user-agent': 'me' }, 'body');
    accessLog.flush();
    expect(JSON.parse(text.trim())).toMatchObject({
      protocol: 'HTTP/2.0',
      method: 'POST',
      host: 'a.example',
      path: '/x',
      query: '?y',
      status: 200,
      user_agent: 'me',
    });
  });

  test('sessions, streams and versions are counted', async () => {
    await start();
    await Promise.all([client.request(), client.request()]);
    const { counters } = proxy;
    expect(counters.read('http2ClientSessions')).toBe(1);
    expect(counters.read('http2ClientStreamsTotal')).toBe(2);
    expect(counters.read('http2ClientStreams')).toBe(0);
    expect(counters.family('requestVersions', requestVersions.indexOf('HTTP/2'))).toBe(2);
    client.close();
    await eventually(
      () => Promise.resolve(counters.read('http2ClientSessions')),
      (sessions) => sessions === 0,
    );
    expect(counters.read('connectionsActive')).toBe(0);
  });
});

function* pieces(total: number): Generator<Buffer> {
  const piece = Buffer.alloc(65_536, 'x');
  for (let left = total; left > 0; left -= piece.length)
    yield piece.subarray(0, Math.min(left, piece.length));
}
