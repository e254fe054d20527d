import { once } from 'node:events';
import { connect as connectPlain, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readClientHello } from '../../src/proxy/tls/client-hello.ts';
import { testPair } from '../support/certificates.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { RawClient, exchangeBytes } from '../support/raw-client.ts';
import { RawUpstream } from '../support/raw-upstream.ts';

const pairs = {
  'a.example': testPair(['a.example']),
  '*.wild.example': testPair(['*.wild.example'], { type: 'rsa', chained: true }),
};

let upstream: RawUpstream;
let proxy: TestProxy;
let now: number;

beforeEach(async () => {
  upstream = await RawUpstream.start();
  now = 1_000_000;
});

afterEach(async () => {
  await proxy.stop();
  await upstream.stop();
});

async function start(options: TestProxyOptions = {}): Promise<void> {
  proxy = await startProxy([{ upstream: [upstream.port] }], { tls: {}, certificates: pairs, ...options });
}

/** A handshake that ended well. */
async function handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port: proxy.tlsPort,
    host: '127.0.0.1',
    servername: 'a.example',
    rejectUnauthorized: false,
    ...options,
  });
  // A session of TLS 1.3 comes behind the handshake.
  socket.on('session', (session: Buffer) => sessions.set(socket, session));
  await once(socket, 'secureConnect');
  return socket;
}

const sessions = new WeakMap<TLSSocket, Buffer>();

async function commonName(options: ConnectionOptions = {}): Promise<string | undefined> {
  const socket = await handshake(options);
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

/** One request over TLS; the session afterwards. */
async function ask(options: ConnectionOptions = {}) {
  const socket = await handshake(options);
  const client = new RawClient(socket);
  client.send('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
  const response = await client.response();
  const resumed = socket.isSessionReused();
  client.close();
  return { response, resumed, session: sessions.get(socket) };
}

async function failure(options: ConnectionOptions): Promise<string | undefined> {
  return handshake(options).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
}

/** The ClientHello of Node's client, as it is sent. */
async function clientHello(options: ConnectionOptions = {}): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const socket = connect({ port, host: '127.0.0.1', servername: 'a.example', ...options });
  socket.on('error', () => undefined);
  const [raw] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(raw, 'data')) as [Buffer];
  socket.destroy();
  raw.destroy();
  server.close();
  return bytes;
}

describe('requests over TLS', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('by %s reach the upstream as https', async (version) => {
    await start();
    const { response } = await ask({ minVersion: version, maxVersion: version });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(upstream.requests[0]?.headers ?? [])).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '443',
      'x-scheme': 'https',
    });
    expect(proxy.counters.handshakeBuckets().reduce((sum, count) => sum + count)).toBe(1);
  });

  test('plain HTTP beside it stays plain', async () => {
    await start({ settings: { hsts: 'max-age=1' } });
    const plain = await exchangeBytes(
      proxy.port,
      'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n',
    );
    expect(plain).not.toMatch(/strict-transport-security/i);
    expect(upstream.requests[0]?.headers.get('x-forwarded-proto')).toBe('http');
    const { response } = await ask();
    expect(response.headers.get('strict-transport-security')).toBe('max-age=1');
  });

  test('ALPN prefers h2, takes http/1.1, and nothing else', async () => {
    await start();
    const protocols = async (...offered: string[]): Promise<string | false | null> => {
      const socket = await handshake({ ALPNProtocols: offered });
      socket.destroy();
      return socket.alpnProtocol;
    };
    expect(await protocols('http/1.1', 'h2')).toBe('h2');
    expect(await protocols('http/1.1')).toBe('http/1.1');
    expect(await failure({ ALPNProtocols: ['h3'] })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    expect(proxy.counters.handshakeFailures('alpn')).toBe(1);
  });

  test('without HTTP/2, ALPN takes http/1.1 alone', async () => {
    await start({ settings: { http2: { offered: false, plain: false, maxConcurrentStreams: 100 } } });
    const socket = await handshake({ ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
    expect(await failure({ ALPNProtocols: ['h2'] })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  });

  test('a body of some size goes both ways', async () => {
    await start();
    const client = new RawClient(await handshake());
    client.send(
      `POST /big HTTP/1.1\r\nHost: a.example\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`,
    );
    expect((await client.response()).status).toBe(200);
    client.close();
    expect(upstream.requests[0]?.body.length).toBe(300_000);
  });

  test('an upgraded connection is a tunnel both ways, and survives a new certificate', async () => {
    await start();
    upstream.behaviour = (_, socket) => {
      socket.removeAllListeners('data');
      socket.on('data', (chunk: Buffer) => socket.write(`echo:${chunk.toString('latin1')}`));
      return (
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello'
      );
    };
    const client = new RawClient(await handshake());
    client.send(
      'GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await client.until((received) => received.endsWith('hello'));
    await proxy.publish([{ upstream: [upstream.port] }], { 'a.example': testPair(['a.example']) });
    client.send('ping');
    expect(await client.until((received) => received.endsWith('echo:ping'))).toMatch(/^HTTP\/1\.1 101 /);
    client.close();
  });

  test('an answer that the upstream cuts is seen to be cut', async () => {
    await start();
    upstream.behaviour = (_, socket) => {
      setImmediate(() => socket.destroy());
      return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n';
    };
    const socket = await handshake();
    const client = new RawClient(socket);
    client.send('GET / HTTP/1.0\r\nHost: a.example\r\n\r\n');
    await client.until((received) => received.endsWith('abc'));
    await client.untilEnd();
    expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
    client.close();
  });

  test('an absolute target must be of the scheme that is spoken', async () => {
    await start();
    const client = new RawClient(await handshake());
    client.send('GET https://a.example/ok HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect((await client.response()).status).toBe(200);
    client.send('GET http://a.example/no HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect((await client.response()).status).toBe(400);
    client.close();
  });
});

describe('the certificate', () => {
  test.each([
    ['a.example', 'a.example'],
    ['A.Example', 'a.example'],
    ['x.wild.example', '*.wild.example'],
    ['X.WILD.example', '*.wild.example'],
    ['x.y.wild.example', 'fallback.example'],
    ['wild.example', 'fallback.example'],
    ['other.example', 'fallback.example'],
    ['', 'fallback.example'],
  ])('for %j is that of %s', async (servername, expected) => {
    await start();
    expect(await commonName({ servername })).toBe(expected);
  });

  test('a trailing dot is no part of the name', async () => {
    await start();
    // Node's client takes the dot away, OpenSSL's does not: the byte behind the name becomes one.
    const hello = await clientHello({ servername: 'a.exampleX', maxVersion: 'TLSv1.2' });
    const at = hello.indexOf('a.exampleX');
    hello[at + 9] = 0x2e;
    const client = await RawClient.connect(proxy.tlsPort);
    client.send(hello);
    const answer = await client.until((received) => received.includes('example'));
    expect(answer).toContain('a.example');
    expect(answer).not.toContain('fallback.example');
    client.close();
  });

  test('of the table goes before the self-signed one for names that no host has', async () => {
    await start({ certificates: { ...pairs, '': testPair(['default.example']) } });
    expect(await commonName({ servername: 'other.example' })).toBe('default.example');
    expect(await commonName({ servername: '' })).toBe('default.example');
    expect(await commonName()).toBe('a.example');
  });

  test('comes with its chain', async () => {
    await start();
    const [, root] = pairs['*.wild.example'].certificate.split(/(?<=-----END CERTIFICATE-----\n)/);
    const socket = await handshake({ servername: 'x.wild.example', ca: root, rejectUnauthorized: true });
    expect(socket.authorized).toBe(true);
    socket.destroy();
  });

  test('that the library does not take gives way to the default, with a warning once', async () => {
    const broken = { ...pairs['a.example'], key: testPair(['a.example']).key };
    await start({ certificates: { 'a.example': broken } });
    expect(await commonName()).toBe('fallback.example');
    expect(await commonName()).toBe('fallback.example');
    expect(proxy.warnings).toHaveLength(1);
    expect(proxy.warnings[0]).toContain('certificate not usable');
  });

  test('can be replaced while many shake hands: none fails, old connections live on', async () => {
    const [first, second] = [testPair(['a.example']), testPair(['a.example'])];
    // Waiting through all of this is no fault of the old connection's.
    await start({ certificates: { 'a.example': first }, settings: { clientHeaderTimeoutMs: 0 } });
    const old = new RawClient(await handshake());
    let left = 1000;
    let rotations = 0;
    const worker = async (): Promise<void> => {
      while (left-- > 0) (await handshake()).destroy();
    };
    const rotate = async (): Promise<void> => {
      for (; left > 0; rotations++) {
        const next = rotations % 2 === 0 ? second : first;
        await proxy.publish([{ upstream: [upstream.port] }], { 'a.example': next });
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all([...Array.from({ length: 20 }, worker), rotate()]);
    expect(rotations).toBeGreaterThan(10);
    expect(proxy.warnings).toEqual([]);
    old.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect((await old.response()).status).toBe(200);
    old.close();
  }, 60_000);
});

describe('resumption', () => {
  const secret = (fill: number) => Buffer.alloc(32, fill);

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('by %s, in whatever worker has the secrets', async (version) => {
    await start();
    const { session } = await ask({ maxVersion: version });
    const before = proxy;
    await start();
    await before.stop();
    expect((await ask({ maxVersion: version, session })).resumed).toBe(true);
    expect(proxy.counters.handshakes({ version, cipher: cipher(version), resumed: true })).toBe(1);
  });

  const cipher = (version: string) =>
    version === 'TLSv1.2' ? 'ECDHE-ECDSA-AES128-GCM-SHA256' : 'TLS_AES_128_GCM_SHA256';

  test('with the older secrets, not with one that is gone', async () => {
    await start();
    const { session } = await ask();
    proxy.plane.ticketSecrets = [secret(3), secret(2), secret(1)];
    expect((await ask({ session })).resumed).toBe(true);
    const newest = await ask();
    expect(newest.resumed).toBe(false);
    proxy.plane.ticketSecrets = [secret(4), secret(3), secret(2)];
    expect((await ask({ session })).resumed).toBe(false);
    expect((await ask({ session: newest.session })).resumed).toBe(true);
  });

  test('never with another certificate', async () => {
    await start();
    const { session } = await ask();
    expect((await ask({ session, servername: 'x.wild.example' })).resumed).toBe(false);
    await proxy.publish([{ upstream: [upstream.port] }], { 'a.example': testPair(['a.example']) });
    expect((await ask({ session })).resumed).toBe(false);
  });
});

describe('hostile clients', () => {
  test('a ClientHello in pieces of a byte, or in many records, is a ClientHello', async () => {
    await start();
    const hello = await clientHello();
    const client = await RawClient.connect(proxy.tlsPort);
    for (const byte of hello) client.send(Buffer.of(byte));
    expect((await client.until((received) => received.length > 5)).charCodeAt(0)).toBe(22);
    client.close();

    const inRecords = await RawClient.connect(proxy.tlsPort);
    const body = hello.subarray(5);
    const size = Math.ceil(body.length / 20);
    for (let at = 0; at < body.length; at += size) {
      const piece = body.subarray(at, at + size);
      inRecords.send(Buffer.concat([Buffer.of(22, 3, 1, piece.length >> 8, piece.length & 0xff), piece]));
    }
    expect((await inRecords.until((received) => received.length > 5)).charCodeAt(0)).toBe(22);
    inRecords.close();
  });

  test.each([
    ['noise', Buffer.alloc(300, 0xfe)],
    ['another kind of record', Buffer.of(23, 3, 3, 0, 1, 0)],
    ['another message', Buffer.of(22, 3, 1, 0, 4, 2, 0, 0, 0)],
    ['an endless one', Buffer.of(22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff)],
    ['empty records', Buffer.of(22, 3, 1, 0, 0)],
    ['lengths that lie', Buffer.of(22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3)],
  ])('%s ends the connection', async (_, bytes) => {
    await start();
    expect(await exchangeBytes(proxy.tlsPort, bytes)).toBe('');
    expect(proxy.counters.handshakeFailures('garbage')).toBe(1);
  });

  test('a request in plain HTTP is told so', async () => {
    await start();
    const answer = await exchangeBytes(proxy.tlsPort, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/\r\n\r\n400 Bad Request: plain HTTP on a port for HTTPS\n$/);
    expect(proxy.counters.handshakeFailures('plain-http')).toBe(1);
    expect(upstream.requests).toHaveLength(0);
  });

  test.each([
    ['silent', 0],
    ['stopping in the ClientHello', 20],
    ['stopping behind it', Infinity],
  ])('one that is %s is cut when its time is up', async (_, bytes) => {
    await start({ clock: () => now, tls: { handshakeTimeoutMs: 10_000 } });
    const client = await RawClient.connect(proxy.tlsPort);
    client.send((await clientHello()).subarray(0, bytes));
    if (bytes > 20) await client.until((received) => received.length > 5);
    now += 10_500;
    await client.untilEnd();
    expect(proxy.counters.handshakeFailures('timeout')).toBe(1);
  });

  test('no renegotiation', async () => {
    await start();
    const socket = await handshake({ maxVersion: 'TLSv1.2' });
    const refused = once(socket, 'error');
    socket.on('error', () => undefined);
    socket.renegotiate({}, () => undefined);
    expect(((await refused)[0] as NodeJS.ErrnoException).code).toBe('ERR_SSL_NO_RENEGOTIATION');
    socket.destroy();
  });

  test('a version or cipher that is not offered', async () => {
    await start({ tls: { minVersion: 'TLSv1.3' } });
    expect(await failure({ maxVersion: 'TLSv1.2' })).toMatch(/ALERT_PROTOCOL_VERSION/);
    expect(proxy.counters.handshakeFailures('version')).toBe(1);
    await proxy.stop();
    await start();
    expect(await failure({ maxVersion: 'TLSv1.2', ciphers: 'AES256-SHA' })).toMatch(/HANDSHAKE_FAILURE/);
    expect(proxy.counters.handshakeFailures('cipher')).toBe(1);
  });

  test('connections that break off in the handshake leave nothing behind', async () => {
    await start();
    const hello = await clientHello();
    for (let round = 0; round < 200; round++) {
      const socket = connectPlain(proxy.tlsPort, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      if (round % 2 === 0) {
        socket.end(hello.subarray(0, (round * 37) % hello.length));
        socket.resume();
      } else {
        // Leaves when the server has answered.
        socket.write(hello);
        await once(socket, 'data');
        if (round % 4 === 1) socket.end().resume();
        else socket.destroy();
      }
      await once(socket, 'close');
    }
    await proxy.plane.closeListeners();
    await eventually(
      () => Promise.resolve(proxy.counters.handshakeFailures('closed')),
      (count) => count === 200,
    );
    expect(proxy.counters.handshakeFailures('timeout')).toBe(0);
    await proxy.plane.drain();
    expect(proxy.counters.read('connectionsActive')).toBe(0);
  });
});

test('the reader of a ClientHello never throws, and asks for more until it is whole', async () => {
  await start();
  const hello = await clientHello();
  for (let length = 0; length < hello.length; length++) {
    expect(readClientHello(hello.subarray(0, length))).toBe('more');
  }
  expect(readClientHello(hello)).toMatchObject({ kind: 'hello', hello: { serverName: 'a.example' } });
  for (let at = 0; at < hello.length; at++) {
    for (const value of [0, 0x7f, 0xff]) {
      const broken = Buffer.from(hello);
      broken[at] = value;
      expect(() => readClientHello(broken)).not.toThrow();
    }
  }
});
