import type { Http2ServerRequest } from 'node:http2';
import { connect as connectHttp2 } from 'node:http2';

import { afterEach, describe, expect, test } from '@jest/globals';

import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Upstream } from '../support/http2-upstream.ts';
import type { Http2Upstream } from '../support/http2-upstream.ts';
import { RawClient } from '../support/raw-client.ts';
import { TestAuthority } from '../support/test-authority.ts';
import { startTlsUpstream } from '../support/tls-upstream.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Key and proof of RFC 6455 §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const upgrade = `GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Protocol: chat\r\n\r\n`;

interface Tunnels {
  readonly upstream: Http2Upstream;
  readonly heads: NodeJS.Dict<string | string[]>[];
  readonly ended: string[];
  readonly received: () => string;
}

/** An endpoint that takes extended CONNECT, and echoes. */
async function echoing(status = 200): Promise<Tunnels> {
  const heads: Tunnels['heads'] = [];
  const ended: string[] = [];
  let received = '';
  const upstream = await startHttp2Upstream((_, response) => response.end('plain'), {
    settings: { enableConnectProtocol: true },
  });
  stops.push(upstream.stop);
  upstream.server.on('connect', ({ headers, stream }: Http2ServerRequest) => {
    heads.push({ ...headers });
    stream.respond({ ':status': status, 'sec-websocket-protocol': 'chat' });
    if (status !== 200) {
      stream.end('no');
      return;
    }
    stream.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      stream.write(bytes);
    });
    stream.on('end', () => {
      ended.push('end');
      stream.end();
    });
    stream.on('close', () => ended.push(`close ${stream.rstCode}`));
  });
  return { upstream, heads, ended, received: () => received };
}

async function proxyTo({ port }: { readonly port: number }): Promise<TestProxy> {
  const proxy = await startProxy([{ upstream: [port], policy: { protocol: 'http2' } }]);
  stops.push(() => proxy.stop());
  return proxy;
}

async function client({ port }: TestProxy): Promise<RawClient> {
  const raw = await RawClient.connect(port);
  stops.push(() => raw.socket.destroy());
  return raw;
}

describe('a WebSocket of HTTP/1.1 to an endpoint of HTTP/2', () => {
  test('becomes an extended CONNECT, and the client gets its proof', async () => {
    const { upstream, heads, ended } = await echoing();
    const proxy = await proxyTo(upstream);
    const raw = await client(proxy);
    raw.send(`${upgrade}early`);
    const text = await raw.until((received) => received.endsWith('early'));
    expect(text).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
    expect(text).toContain(`Sec-WebSocket-Accept: ${ACCEPT}\r\n`);
    expect(text).toContain('Connection: upgrade\r\nUpgrade: websocket\r\n');
    expect(heads[0]).toMatchObject({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/chat',
      ':authority': 'a.example',
      'sec-websocket-version': '13',
    });
    expect(heads[0]).not.toHaveProperty('sec-websocket-key');
    expect(proxy.counters.read('tunnelsActive')).toBe(1);
    raw.send('later');
    await raw.until((received) => received.endsWith('later'));
    raw.socket.end();
    await raw.untilEnd();
    await eventually(
      () => Promise.resolve(ended.length),
      (count) => count === 2,
    );
    expect(ended).toEqual(['end', 'close 0']);
    expect(proxy.counters.read('tunnelsActive')).toBe(0);
  });

  test('holds back whichever side is faster', async () => {
    const { upstream } = await echoing();
    const raw = await client(await proxyTo(upstream));
    raw.send(upgrade);
    const head = await raw.until((received) => received.includes('\r\n\r\n'));
    const sent = 'x'.repeat(8_000_000);
    raw.socket.pause();
    raw.send(sent);
    setImmediate(() => raw.socket.resume());
    const text = await raw.until((received) => received.length >= head.length + sent.length);
    expect(text.slice(head.length) === sent).toBe(true);
  });

  test('a client that breaks off resets the stream, or ends it', async () => {
    const { upstream, ended } = await echoing();
    const raw = await client(await proxyTo(upstream));
    raw.send(upgrade);
    await raw.until((received) => received.includes('\r\n\r\n'));
    raw.socket.resetAndDestroy();
    await eventually(
      () => Promise.resolve(ended.some((what) => what.startsWith('close'))),
      (closed) => closed,
    );
  });

  test('an endpoint that resets the stream ends the connection', async () => {
    const { upstream } = await echoing();
    const raw = await client(await proxyTo(upstream));
    raw.send(upgrade);
    await raw.until((received) => received.includes('\r\n\r\n'));
    for (const session of upstream.sessions) session.destroy();
    await raw.untilEnd();
  });

  test('that is refused: the client gets the answer', async () => {
    const { upstream } = await echoing(403);
    const raw = await client(await proxyTo(upstream));
    raw.send(upgrade);
    expect(await raw.untilEnd()).toMatch(/^HTTP\/1.1 403 Forbidden[\s\S]*\r\nno\r\n/);
  });

  test('where the endpoint announces none: 502, and it hears nothing of it', async () => {
    let requests = 0;
    const upstream = await startHttp2Upstream((_, response) => {
      requests++;
      response.end('plain');
    });
    stops.push(upstream.stop);
    const proxy = await proxyTo(upstream);
    const raw = await client(proxy);
    raw.send(upgrade);
    expect((await raw.response()).status).toBe(502);
    expect(requests).toBe(0);
    const other = await client(proxy);
    other.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await other.response()).body).toBe('plain');
    expect(upstream.sessions).toHaveLength(1);
  });

  test('says goodbye to both sides at shutdown', async () => {
    const { upstream, received } = await echoing();
    const proxy = await proxyTo(upstream);
    const raw = await client(proxy);
    raw.send(upgrade);
    await raw.until((text) => text.includes('\r\n\r\n'));
    void proxy.plane.drain();
    await raw.until((text) => text.includes('\x88\x02\x03\xe9'));
    await eventually(
      () => Promise.resolve(received()),
      (bytes) => bytes === '\x88\x82\0\0\0\0\x03\xe9',
    );
  });
});

test('an upgrade to an endpoint that may choose goes over HTTP/1.1', async () => {
  const root = TestAuthority.root();
  const { certificate, key } = root.client('a.example', { names: ['a.example'], purposes: ['server'] });
  const upstream = await startTlsUpstream({
    cert: certificate,
    key,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  stops.push(upstream.stop);
  upstream.server.on('upgrade', (_, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\nhello`,
    );
  });
  const proxy = await startProxy([
    {
      upstream: [upstream.port],
      trust: { ca: root.certificate },
      policy: { protocol: 'auto', tls: { verify: true, name: 'a.example', sendName: true } },
    },
  ]);
  stops.push(() => proxy.stop());
  const raw = await client(proxy);
  raw.send(upgrade);
  expect(await raw.until((text) => text.endsWith('hello'))).toContain('101 Switching Protocols');
});

test('a WebSocket of HTTP/2 goes on as one', async () => {
  const { upstream, heads } = await echoing();
  const proxy = await startProxy([{ upstream: [upstream.port], policy: { protocol: 'http2' } }], { tls: {} });
  stops.push(() => proxy.stop());
  const session = connectHttp2(`https://127.0.0.1:${proxy.tlsPort}`, { rejectUnauthorized: false });
  stops.push(() => session.destroy());
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    ':authority': 'a.example',
    'sec-websocket-version': '13',
  });
  const status = await new Promise((resolve) =>
    stream.once('response', (headers) => resolve(headers[':status'])),
  );
  expect(status).toBe(200);
  stream.write('ping');
  const echo = await new Promise<Buffer>((resolve) => stream.once('data', resolve));
  expect(String(echo)).toBe('ping');
  expect(heads[0]).toMatchObject({ ':method': 'CONNECT', ':protocol': 'websocket' });
  expect(heads[0]).not.toHaveProperty('sec-websocket-key');
});
