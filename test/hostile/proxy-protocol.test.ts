import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';

import { afterEach, describe, expect, test } from '@jest/globals';

import type { ProxyHeaderFailure } from '../../src/telemetry/protocol-cells.ts';
import { proxyHeaderFailures, proxyHeaderVersions } from '../../src/telemetry/protocol-cells.ts';
import { writeProxyHeader } from '../../src/util/proxy-protocol/write-proxy-header.ts';
import { testPair } from '../support/certificates.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { RawClient } from '../support/raw-client.ts';
import type { RawResponse } from '../support/raw-client.ts';
import { RawHttp2Client } from '../support/raw-http2-client.ts';
import { RawUpstream } from '../support/raw-upstream.ts';

// Connections that must begin with a PROXY protocol header (rows X07 and H01): from whom one is taken, which are, and that
// no byte behind it is lost. What is refused is closed without an answer, and never seen by an upstream.

const certificates = { 'a.example': testPair(['a.example']) };
const v1 = 'PROXY TCP4 203.0.113.7 198.51.100.1 4711 80\r\n';
const v2 = writeProxyHeader(
  { sourceAddress: '2001:db8::7', sourcePort: 4712, destinationAddress: '2001:db8::1', destinationPort: 80 },
  { checksum: true },
);
const local = writeProxyHeader(undefined);
const ask = (fields = ''): string => `GET /x HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`;
const bytesOf = (value: string | Buffer): Buffer =>
  typeof value === 'string' ? Buffer.from(value, 'latin1') : value;

let upstream: RawUpstream;
let proxy: TestProxy;
let offsetMs = 0;

afterEach(async () => {
  await proxy.stop();
  await upstream.stop();
});

async function start(
  settings: TestProxyOptions['settings'] = { trustedProxies: ['127.0.0.0/8'] },
): Promise<void> {
  upstream = await RawUpstream.start();
  offsetMs = 0;
  proxy = await startProxy([{ upstream: [upstream.port] }], {
    settings: { proxyProtocol: true, ...settings },
    tls: {},
    certificates,
    clock: () => performance.now() + offsetMs,
  });
}

/** Fields of the request that the upstream got last. */
function seen(...names: readonly string[]): Readonly<Record<string, string | undefined>> {
  const headers = upstream.requests.at(-1)?.headers;
  return Object.fromEntries(names.map((name) => [name, headers?.get(name)]));
}

function failures(): Partial<Record<ProxyHeaderFailure, number>> {
  const counts = proxyHeaderFailures.map((reason, place) => [
    reason,
    proxy.counters.family('proxyHeaderFailures', place),
  ]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0)) as Partial<
    Record<ProxyHeaderFailure, number>
  >;
}

const taken = (): readonly number[] =>
  proxyHeaderVersions.map((_, place) => proxy.counters.family('proxyHeaders', place));

/** Sends pieces, each once the one before has been read by the proxy's thread, and returns the answer. */
async function plain(...pieces: readonly (string | Buffer)[]): Promise<RawResponse> {
  const client = await RawClient.connect(proxy.port);
  for (const piece of pieces) {
    client.send(piece);
    await turn();
  }
  const response = await client.response();
  client.close();
  return response;
}

/** The same through TLS, which begins behind the header. */
async function encrypted(header: string | Buffer, request: string): Promise<RawResponse> {
  const raw = await RawClient.connect(proxy.tlsPort);
  raw.socket.removeAllListeners('data');
  raw.send(header);
  const socket = connectTls({ socket: raw.socket, servername: 'a.example', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const client = new RawClient(socket);
  client.send(request);
  const response = await client.response();
  socket.destroy();
  return response;
}

/** Both ends are in this thread: a few turns of the event loop take written bytes to the other one. */
async function turn(): Promise<void> {
  for (let count = 0; count < 3; count++) await new Promise((resolve) => setImmediate(resolve));
}

/** Sends what must be refused: closed without a byte, counted by its reason alone, unseen by the upstream. */
async function refused(bytes: string | Buffer, reason: ProxyHeaderFailure, port = proxy.port): Promise<void> {
  const client = await RawClient.connect(port);
  client.send(bytes);
  expect(await client.untilEnd()).toBe('');
  client.close();
  expect(failures()).toEqual({ [reason]: 1 });
  expect(upstream.bytes).toEqual([]);
}

describe('X07 who may send a header', () => {
  test('nobody outside the trusted networks, whatever it sends', async () => {
    await start({ trustedProxies: ['10.0.0.0/8', '::1'] });
    await refused(v1 + ask(), 'untrusted');
    for (const bytes of [ask(), '', bytesOf(v2)]) {
      const client = await RawClient.connect(proxy.port);
      client.send(bytes);
      expect(await client.untilEnd()).toBe('');
      client.close();
    }
    expect(failures()).toEqual({ untrusted: 4 });
    expect(upstream.bytes).toEqual([]);
    expect(taken()).toEqual([0, 0]);
  });

  test('refusals are told once in a while, not each', async () => {
    await start({ trustedProxies: ['10.0.0.0/8'] });
    const closed = async (): Promise<void> => {
      const client = await RawClient.connect(proxy.port);
      await client.untilEnd();
      client.close();
    };
    for (let count = 0; count < 5; count++) await closed();
    expect(proxy.warnings).toEqual([
      'connections without a PROXY header closed {"connections":1,"reason":"untrusted","address":"127.0.0.1"}',
    ]);
    offsetMs += 11_000;
    await closed();
    expect(proxy.warnings.slice(1)).toEqual([
      'connections without a PROXY header closed {"connections":5,"reason":"untrusted","address":"127.0.0.1"}',
    ]);
  });

  test('headers are no headers where the protocol is off', async () => {
    await start({ proxyProtocol: false, trustedProxies: ['127.0.0.0/8'] });
    const client = await RawClient.connect(proxy.port);
    client.send(v1 + ask());
    expect((await client.response()).status).toBe(501);
    client.close();
    expect(upstream.bytes).toEqual([]);
    expect([failures(), taken()]).toEqual([{}, [0, 0]]);
  });
});

describe('what a header says', () => {
  test.each<[string, string | Buffer, string]>([
    ['version 1', v1, '203.0.113.7'],
    ['version 1, IPv6', 'PROXY TCP6 2001:DB8:0::7 ::1 1 2\r\n', '2001:db8::7'],
    ['version 1, IPv4 in IPv6', 'PROXY TCP6 ::ffff:203.0.113.9 ::1 1 2\r\n', '203.0.113.9'],
    ['version 1, unknown', 'PROXY UNKNOWN\r\n', '127.0.0.1'],
    ['version 2', v2, '2001:db8::7'],
    ['version 2, local', local, '127.0.0.1'],
  ])('%s is the client, over plain connections and TLS', async (_name, header, address) => {
    await start();
    expect((await plain(Buffer.concat([bytesOf(header), bytesOf(ask())]))).status).toBe(200);
    expect(seen('x-real-ip', 'x-forwarded-for', 'x-forwarded-proto')).toEqual({
      'x-real-ip': address,
      'x-forwarded-for': address,
      'x-forwarded-proto': 'http',
    });
    expect((await encrypted(header, ask())).status).toBe(200);
    expect(seen('x-real-ip', 'x-forwarded-for', 'x-forwarded-proto')).toEqual({
      'x-real-ip': address,
      'x-forwarded-for': address,
      'x-forwarded-proto': 'https',
    });
    expect(failures()).toEqual({});
    expect(taken()).toEqual(header === v2 || header === local ? [0, 2] : [2, 0]);
  });

  test.each<[string, string | Buffer, boolean]>([
    ['version 1, TLS', v1, true],
    ['version 2, TLS', v2, true],
    ['version 1, prior knowledge', v1, false],
    ['version 2, prior knowledge', v2, false],
  ])('HTTP/2 behind it: %s', async (_name, header, isTls) => {
    await start({
      trustedProxies: ['127.0.0.0/8'],
      http2: { offered: true, plain: true, maxConcurrentStreams: 100 },
    });
    const client = await RawHttp2Client.connect(isTls ? proxy.tlsPort : proxy.port, {
      preamble: bytesOf(header),
      ...(isTls ? { tls: { servername: 'a.example' } } : {}),
    });
    const fields = [
      [':method', 'GET'],
      [':scheme', isTls ? 'https' : 'http'],
      [':path', '/x'],
      [':authority', 'a.example'],
      ['x-forwarded-for', '192.0.2.66'],
    ] as const;
    const answers = [await client.request(fields), await client.request(fields)];
    client.close();
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(upstream.requests.map(({ headers }) => headers.get('x-forwarded-for'))).toEqual(
      Array.from({ length: 2 }, () => (header === v1 ? '203.0.113.7' : '2001:db8::7')),
    );
  });

  test.each<[string, string | Buffer]>([
    ['version 1', v1],
    ['version 2', v2],
  ])('%s byte by byte, and a request likewise', async (_name, header) => {
    await start();
    const bytes = Buffer.concat([bytesOf(header), bytesOf(ask())]);
    const pieces = Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));
    expect((await plain(...pieces)).status).toBe(200);
    expect(upstream.requests).toHaveLength(1);
  });

  test.each<[string, string, readonly [proto: string, port: string]]>([
    ['443: TLS has ended before', 'PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n', ['https', '443']],
    ['any other', 'PROXY TCP4 203.0.113.7 198.51.100.1 4711 8443\r\n', ['http', '80']],
    ['none', 'PROXY UNKNOWN\r\n', ['http', '80']],
  ])('the port that it names tells what the client speaks: %s', async (_name, header, [proto, port]) => {
    await start();
    expect((await plain(header + ask())).status).toBe(200);
    expect(seen('x-forwarded-proto', 'x-forwarded-port')).toEqual({
      'x-forwarded-proto': proto,
      'x-forwarded-port': port,
    });
  });

  test('nothing behind it is lost: a large body in one write with it', async () => {
    await start();
    const body = 'x'.repeat(1_000_000);
    const head = `POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${body.length}\r\n\r\n`;
    expect((await plain(v1 + head + body)).status).toBe(200);
    expect(upstream.requests[0]?.body).toHaveLength(body.length);
  });

  test('it holds for every request of its connection', async () => {
    await start();
    const client = await RawClient.connect(proxy.port);
    client.send(v1 + ask() + ask());
    expect([(await client.response()).status, (await client.response()).status]).toEqual([200, 200]);
    client.close();
    expect(upstream.requests.map(({ headers }) => headers.get('x-real-ip'))).toEqual([
      '203.0.113.7',
      '203.0.113.7',
    ]);
  });

  test('a client that ends its side behind the request loses nothing that it gets without a header', async () => {
    await start();
    const client = await RawClient.connect(proxy.port);
    client.socket.end(v1 + ask('Connection: close\r\n'));
    await client.untilEnd();
    client.close();
    await eventually(
      () => Promise.resolve(proxy.counters.read('connectionsTotal')),
      (total) => total === 1,
    );
    expect(failures()).toEqual({});
  });
});

describe('H01 who may speak for others behind it', () => {
  const spoofed = [
    'X-Forwarded-For: 192.0.2.66',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Port: 444',
    'X-Real-IP: 192.0.2.66',
    'Forwarded: for=192.0.2.66',
    'X-Original-Forwarded-For: 192.0.2.66',
  ];
  const names = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'forwarded'];

  test.each<[string, string | Buffer]>([
    ['version 1', v1],
    ['version 2', v2],
  ])('not the client that it names (%s), though it came through a trusted peer', async (_name, header) => {
    await start();
    const address = header === v1 ? '203.0.113.7' : '2001:db8::7';
    const request = ask(`${spoofed.join('\r\n')}\r\n`);
    expect((await plain(Buffer.concat([bytesOf(header), bytesOf(request)]))).status).toBe(200);
    expect(seen(...names)).toEqual({
      'x-forwarded-for': address,
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.example',
      'x-real-ip': address,
      forwarded: undefined,
    });
    expect((await encrypted(header, request)).status).toBe(200);
    expect(seen(...names)).toMatchObject({ 'x-forwarded-for': address, 'x-forwarded-host': 'a.example' });
  });

  test('one that is trusted itself, in whichever spelling', async () => {
    await start({ trustedProxies: ['127.0.0.0/8', '203.0.113.0/24'] });
    for (const source of ['TCP4 203.0.113.7 198.51.100.1', 'TCP6 ::ffff:203.0.113.7 ::1']) {
      const header = `PROXY ${source} 1 2\r\n`;
      expect((await plain(header + ask('X-Forwarded-For: 192.0.2.66\r\n'))).status).toBe(200);
      expect(seen('x-real-ip')).toEqual({ 'x-real-ip': '192.0.2.66' });
    }
  });

  test('the peer, where the header leaves it the word', async () => {
    await start();
    const request = bytesOf(ask('X-Forwarded-For: 192.0.2.66\r\n'));
    expect((await plain(Buffer.concat([local, request]))).status).toBe(200);
    expect(seen('x-real-ip')).toEqual({ 'x-real-ip': '192.0.2.66' });
  });
});

describe('X07 headers that are none', () => {
  test.each<[string, string | Buffer, ProxyHeaderFailure]>([
    ['a request without one', ask(), 'garbage'],
    ['TLS without one', Buffer.from('160301020001', 'hex'), 'garbage'],
    ['another word', 'PROXI TCP4', 'garbage'],
    ['an address of the other family', 'PROXY TCP4 ::1 ::1 1 2\r\n', 'garbage'],
    ['a host name', 'PROXY TCP4 a.example b.example 1 2\r\n', 'garbage'],
    ['a port too large', 'PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n', 'garbage'],
    ['a line feed alone', 'PROXY UNKNOWN\n', 'garbage'],
    ['a line without end', `PROXY UNKNOWN ${'x'.repeat(200)}`, 'oversize'],
    ['version 3', Buffer.concat([v2.subarray(0, 12), Buffer.from('3111000c', 'hex')]), 'garbage'],
    ['a length of 64 KiB', Buffer.concat([v2.subarray(0, 13), Buffer.from('21ffff', 'hex')]), 'oversize'],
    ['a checksum that is wrong', v2.with(20, 0xff) as Buffer, 'checksum'],
  ])('%s', async (_name, bytes, reason) => {
    await start();
    await refused(Buffer.concat([bytesOf(bytes), bytesOf(ask())]), reason);
    expect(proxy.warnings).toHaveLength(1);
  });

  test('not on the port of TLS either', async () => {
    await start();
    await refused(ask(), 'garbage', proxy.tlsPort);
    expect(proxy.counters.handshakeFailures('plain-http')).toBe(0);
  });

  test.each<[string, Buffer, number]>([
    ['version 1, then 2', Buffer.concat([bytesOf(v1), v2]), 400],
    ['version 2, then 1', Buffer.concat([v2, bytesOf(v1)]), 501],
    ['version 1 twice', bytesOf(v1 + v1), 501],
    ['LOCAL, then one that names a client', Buffer.concat([local, bytesOf(v1)]), 501],
  ])('a second one is no request: %s', async (_name, headers, status) => {
    await start();
    const client = await RawClient.connect(proxy.port);
    client.send(Buffer.concat([headers, bytesOf(ask())]));
    expect((await client.response()).status).toBe(status);
    expect(await client.untilEnd()).toBe('');
    client.close();
    expect(upstream.bytes).toEqual([]);
  });

  test('a second one is no TLS', async () => {
    await start();
    const client = await RawClient.connect(proxy.tlsPort);
    client.send(Buffer.concat([bytesOf(v1), v2]));
    expect(await client.untilEnd()).toBe('');
    client.close();
    expect(proxy.counters.handshakeFailures('garbage')).toBe(1);
  });
});

describe('X07 headers that do not come', () => {
  test.each<[string, Buffer]>([
    ['silence', Buffer.alloc(0)],
    ['half of version 1', bytesOf(v1.slice(0, 20))],
    ['half of version 2', v2.subarray(0, 30)],
    ['a carriage return', bytesOf('\r')],
  ])('%s ends after five seconds', async (_name, bytes) => {
    await start();
    const [first, second] = await Promise.all([
      RawClient.connect(proxy.port),
      RawClient.connect(proxy.tlsPort),
    ]);
    for (const client of [first, second]) client.send(bytes);
    await plain(v1 + ask());
    offsetMs += 4_500;
    await plain(v1 + ask());
    expect([first.isEnded, second.isEnded]).toEqual([false, false]);
    offsetMs += 1_000;
    expect(await Promise.all([first.untilEnd(), second.untilEnd()])).toEqual(['', '']);
    for (const client of [first, second]) client.close();
    expect(failures()).toEqual({ timeout: 2 });
  });

  test('drips do not keep it alive', async () => {
    await start();
    const client = await RawClient.connect(proxy.port);
    for (let second = 0; second < 7 && !client.isEnded; second++) {
      client.send(v1.slice(second, second + 1));
      await plain(v1 + ask());
      offsetMs += 1_000;
    }
    expect(await client.untilEnd()).toBe('');
    client.close();
    expect(failures()).toEqual({ timeout: 1 });
  });

  test('whoever leaves is counted, and told of only if it had begun', async () => {
    await start();
    for (const bytes of ['', 'PROXY TCP4']) {
      const client = await RawClient.connect(proxy.port);
      client.socket.end(bytes);
      await client.untilEnd();
      client.close();
    }
    expect(failures()).toEqual({ closed: 2 });
    expect(proxy.warnings).toHaveLength(1);
  });

  test('the header comes at once and TLS or the request does not: their own times run', async () => {
    await start();
    const client = await RawClient.connect(proxy.tlsPort);
    client.send(v1);
    await eventually(
      () => Promise.resolve(taken()),
      ([first]) => first === 1,
    );
    offsetMs += 9_000;
    await plain(v1 + ask());
    expect(client.isEnded).toBe(false);
    offsetMs += 2_000;
    expect(await client.untilEnd()).toBe('');
    client.close();
    expect(proxy.counters.handshakeFailures('timeout')).toBe(1);
    expect(failures()).toEqual({});
  });

  test('draining waits two seconds for it, not five', async () => {
    await start();
    const client = await RawClient.connect(proxy.port);
    await plain(v1 + ask());
    const drained = proxy.plane.drain();
    offsetMs += 2_500;
    expect(await client.untilEnd()).toBe('');
    client.close();
    await drained;
    expect(failures()).toEqual({ timeout: 1 });
  });
});
