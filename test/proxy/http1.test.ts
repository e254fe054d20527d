import { once } from 'node:events';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions, TestRoute } from '../support/data-plane-harness.ts';
import { RawClient, request } from '../support/raw-client.ts';
import { RawUpstream, answer } from '../support/raw-upstream.ts';

let upstream: RawUpstream;
let proxy: TestProxy;

async function start(route: Partial<TestRoute> = {}, options: TestProxyOptions = {}): Promise<void> {
  proxy = await startProxy([{ upstream: [upstream.port], ...route }], options);
}

beforeEach(async () => {
  upstream = await RawUpstream.start();
});

afterEach(async () => {
  await proxy.stop();
  await upstream.stop();
});

describe('forwarding', () => {
  test('a GET reaches the upstream with the forwarding fields and its answer comes back', async () => {
    await start();
    const response = await request(
      proxy.port,
      'GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: t\r\n\r\n',
    );
    expect(response.status).toBe(200);
    expect(response.body).toBe('/a?b=c');
    const [seen] = upstream.requests;
    expect(Object.fromEntries(seen?.headers ?? [])).toEqual({
      host: 'shop.example',
      'user-agent': 't',
      'x-request-id': expect.stringMatching(/^[0-9a-f]{32}$/),
      'x-real-ip': '127.0.0.1',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-port': '80',
      'x-forwarded-proto': 'http',
      'x-forwarded-scheme': 'http',
      'x-scheme': 'http',
      'x-sallyport-hops': '1',
    });
  });

  test('connections are kept on both sides', async () => {
    await start();
    const client = await RawClient.connect(proxy.port);
    for (const path of ['/1', '/2', '/3']) {
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect((await client.response()).body).toBe(path);
    }
    client.close();
    expect(upstream.sockets).toHaveLength(1);
  });

  test('pipelined requests are answered in order, one at a time', async () => {
    await start();
    const client = await RawClient.connect(proxy.port);
    const paths = Array.from({ length: 50 }, (_, index) => `/${index}`);
    client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    for (const path of paths) expect((await client.response()).body).toBe(path);
    client.close();
    expect(upstream.requests.map(({ target }) => target)).toEqual(paths);
  });

  test.each([
    ['with a length', 'Content-Length: 5\r\n\r\nhello', 'content-length', '5'],
    [
      'in chunks',
      'Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
      'transfer-encoding',
      'chunked',
    ],
  ])('a body %s is passed on', async (_, rest, field, value) => {
    await start();
    const response = await request(proxy.port, `POST /p HTTP/1.1\r\nHost: a\r\n${rest}`);
    expect(response.status).toBe(200);
    expect(upstream.requests[0]?.body).toBe('hello');
    expect(upstream.requests[0]?.headers.get(field)).toBe(value);
  });

  test('a large body and a large answer arrive whole', async () => {
    await start();
    const body = 'x'.repeat(3_000_000);
    upstream.behaviour = ({ body: received }) => answer(received);
    const client = await RawClient.connect(proxy.port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const response = await client.response();
    client.close();
    expect(response.body.length).toBe(body.length);
    expect(response.body).toBe(body);
  });

  test('chunked answers are re-framed, trailers included', async () => {
    await start();
    upstream.behaviour = () =>
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nwiki\r\n5\r\npedia\r\n0\r\nX-Sum: 1\r\n\r\n';
    const client = await RawClient.connect(proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const response = await client.response();
    client.close();
    expect(response.headers.get('transfer-encoding')).toBe('chunked');
    expect(response.body).toBe('wikipedia');
  });

  test('an answer that ends with its connection becomes chunked', async () => {
    await start();
    upstream.behaviour = (_, socket) => {
      socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
      return undefined;
    };
    const response = await request(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(response.headers.get('transfer-encoding')).toBe('chunked');
    expect(response.body).toBe('until the end');
  });

  test('HEAD keeps the length and sends no body', async () => {
    await start();
    upstream.behaviour = () => 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n';
    const client = await RawClient.connect(proxy.port);
    client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    const received = await client.until((text) => text.includes('\r\n\r\n'));
    client.close();
    expect(received).toContain('Content-Length: 1234\r\n');
    expect(received.endsWith('\r\n\r\n')).toBe(true);
  });

  test('HTTP/1.0 clients get an answer that ends with the connection', async () => {
    await start();
    upstream.behaviour = () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
    const client = await RawClient.connect(proxy.port);
    client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    const received = await client.untilEnd();
    client.close();
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(received).not.toContain('chunked');
    expect(received.endsWith('\r\n\r\nok')).toBe(true);
  });

  test('a body waits for a slow upstream and is sent once it takes bytes again', async () => {
    await start();
    const chunk = 'y'.repeat(1_000_000);
    upstream.behaviour = ({ body }) => answer(String(body.length));
    const client = await RawClient.connect(proxy.port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${chunk.length * 4}\r\n\r\n`);
    for (let sent = 0; sent < 4; sent++) client.send(chunk);
    expect((await client.response()).body).toBe(String(chunk.length * 4));
    client.close();
  });
});

describe('answers that are cut short', () => {
  test('an HTTP/1.0 client sees a reset, since its body has no other end', async () => {
    await start();
    upstream.behaviour = (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', () => socket.destroy());
      return undefined;
    };
    const known = await RawClient.connect(proxy.port);
    known.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    expect(await known.untilEnd()).toContain('Content-Length: 100');
    upstream.behaviour = (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n', () =>
        socket.destroy(),
      );
      return undefined;
    };
    const client = await RawClient.connect(proxy.port);
    const failed = once(client.socket, 'error');
    client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('answers from here', () => {
  test.each([
    ['unknown host', 'GET / HTTP/1.1\r\nHost: other.example\r\n\r\n', 404],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: known.example\r\n\r\n', 405],
    ['CONNECT', 'CONNECT known.example:80 HTTP/1.1\r\nHost: known.example:80\r\n\r\n', 405],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: known.example\r\n\r\n', 200],
    ['a loop', 'GET / HTTP/1.1\r\nHost: known.example\r\nX-Sallyport-Hops: 10\r\n\r\n', 508],
  ])('%s', async (_, bytes, status) => {
    await start({ host: 'known.example' });
    const response = await request(proxy.port, bytes);
    expect(response.status).toBe(status);
    expect(upstream.bytes).toEqual([]);
  });

  test('no endpoints: 503 with a request id', async () => {
    await start({ upstream: [] });
    const response = await request(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: abc\r\n\r\n');
    expect(response.status).toBe(503);
    expect(response.headers.get('x-request-id')).toBe('abc');
    expect(response.body).toBe('503 Service Unavailable\n');
  });

  test('a body beyond the limit: 413, and nothing reaches the upstream', async () => {
    await start({}, { settings: { maxRequestBodyBytes: 10 } });
    const client = await RawClient.connect(proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n');
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 413 /);
    client.close();
    expect(upstream.bytes).toEqual([]);
  });
});

describe('upgrades', () => {
  const handshake =
    'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  const accept =
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

  test('a WebSocket is tunnelled both ways and both sides learn of the end', async () => {
    await start();
    upstream.behaviour = (_, socket) => {
      socket.removeAllListeners('data');
      socket.on('data', (chunk: Buffer) => socket.write(`echo:${chunk.toString('latin1')}`));
      return `${accept}hello`;
    };
    const client = await RawClient.connect(proxy.port);
    client.send(handshake);
    await client.until((text) => text.endsWith('hello'));
    expect(proxy.counters.read('tunnelsActive')).toBe(1);
    client.send('ping');
    expect(await client.until((text) => text.endsWith('echo:ping'))).toMatch(/^HTTP\/1\.1 101 /);
    client.close();
    await upstream.until(() => upstream.sockets[0]?.destroyed === true);
  });

  test('a 101 with the wrong proof is refused', async () => {
    await start();
    upstream.behaviour = () => accept.replace('s3pPLM', 'AAAAAA');
    const client = await RawClient.connect(proxy.port);
    client.send(handshake);
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 502 /);
    client.close();
  });

  test('bytes behind an upgrade request wait for the 101 and are dropped without one', async () => {
    await start();
    upstream.behaviour = ({ target }) => answer(target);
    const client = await RawClient.connect(proxy.port);
    client.send(`${handshake}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
    const received = await client.untilEnd();
    client.close();
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(received.endsWith('/ws')).toBe(true);
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/ws']);
  });
});

describe('timeouts of an upstream', () => {
  test('one that does not take the body is given up after the send timeout', async () => {
    await start({ timeouts: { sendMs: 200, readMs: 60_000 }, retry: { tries: 1 } });
    upstream.behaviour = () => undefined;
    const client = await RawClient.connect(proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    await upstream.until(() => upstream.sockets.length === 1);
    upstream.sockets[0]?.pause();
    const chunk = 'z'.repeat(1_000_000);
    for (let sent = 0; sent < 40; sent++) client.send(chunk);
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 504 /);
    client.close();
  });

  test('one that does not answer is given up after the read timeout', async () => {
    await start({ timeouts: { readMs: 150 }, retry: { tries: 1 } });
    upstream.behaviour = () => undefined;
    const response = await request(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(response.status).toBe(504);
  });

  test('the cap over the whole exchange holds whatever the parts take', async () => {
    await start({ timeouts: { requestMs: 150 }, retry: { tries: 1 } });
    upstream.behaviour = () => undefined;
    const response = await request(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(response.status).toBe(504);
  });
});
