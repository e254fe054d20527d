import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { afterEach, describe, expect, test } from '@jest/globals';

import type { UpstreamTls } from '../../src/table/route-table.ts';
import { renderProtocolFamilies } from '../../src/telemetry/protocol-families.ts';
import { testPair } from '../support/certificates.ts';
import { ClientCertificateRig } from '../support/client-certificate-rig.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions, TestRoute } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Upstream } from '../support/http2-upstream.ts';
import type { Http2Listener } from '../support/http2-upstream.ts';
import { data, goaway, reset } from '../support/http2-rig.ts';
import type { Fields } from '../support/http2-rig.ts';
import { RawHttp2Client, headers } from '../support/raw-http2-client.ts';
import { request } from '../support/raw-client.ts';
import { RawUpstream } from '../support/raw-upstream.ts';
import { TestAuthority, expired } from '../support/test-authority.ts';

// What `/metrics` shows of protocols, after traffic that is known to the frame.

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const root = TestAuthority.root();
const serverOf = (name: string, validity = {}) =>
  root.client(name, { names: [name], purposes: ['server'], ...validity });
const verified: UpstreamTls = { verify: true, name: 'a.example', sendName: true };

const get = (scheme: string): Fields => [
  [':method', 'GET'],
  [':scheme', scheme],
  [':path', '/'],
  [':authority', 'a.example'],
];

async function start(route: TestRoute, options: TestProxyOptions = {}): Promise<TestProxy> {
  const proxy = await startProxy([{ retry: { tries: 1 }, ...route }], {
    tls: {},
    certificates: { 'a.example': testPair(['a.example']) },
    settings: { http2: { offered: true, plain: true, maxConcurrentStreams: 100 } },
    ...options,
  });
  stops.push(() => proxy.stop());
  return proxy;
}

async function http2Endpoint(listener: Http2Listener, pair?: { certificate: string; key: string }) {
  const upstream = await startHttp2Upstream(
    listener,
    pair === undefined ? {} : { cert: pair.certificate, key: pair.key },
  );
  stops.push(upstream.stop);
  return upstream;
}

/** Port of an endpoint that does this with every connection. */
async function listens(accept: (socket: Socket) => void): Promise<number> {
  const server = createServer(accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Series of the protocols that are not 0: name without `sallyport_` and labels → value. */
function shown({ counters }: TestProxy): Readonly<Record<string, number>> {
  const lines = renderProtocolFamilies([counters]).matchAll(/^sallyport_(\w+)\{(.*)\} (\d+)$/gm);
  const series = [...lines].map(([, name = '', labels = '', value]): [string, number] => {
    const values = [...labels.matchAll(/(\w+)="([^"]*)"/g)].filter(([, label]) => label !== 'worker');
    return [`${name.replace(/_total$/, '')} ${values.map((match) => match[2]).join(' ')}`, Number(value)];
  });
  return Object.fromEntries(series.filter(([, value]) => value !== 0));
}

/** What is shown once it is this: the other side's last frames may still be on their way. */
async function shows(proxy: TestProxy, expected: Readonly<Record<string, number>>): Promise<void> {
  const fits = (series: Readonly<Record<string, number>>): boolean =>
    Object.entries(expected).every(([name, value]) => (series[name] ?? 0) === value);
  const signal = AbortSignal.timeout(5000);
  const seen = await eventually(() => Promise.resolve(shown(proxy)), fits, signal).catch(() => shown(proxy));
  expect(seen).toMatchObject(Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== 0)));
  expect(fits(seen)).toBe(true);
}

describe('HTTP/2', () => {
  test('sessions and streams on both sides, from their begin to their end', async () => {
    const upstream = await http2Endpoint((_, response) => response.end('ok'), serverOf('a.example'));
    const proxy = await start({
      upstream: [upstream.port],
      trust: { ca: root.certificate },
      policy: { protocol: 'http2', tls: verified },
    });
    const client = await RawHttp2Client.connect(proxy.tlsPort, { tls: { servername: 'a.example' } });
    for (let count = 0; count < 3; count++) expect((await client.request(get('https'))).status).toBe(200);
    await shows(proxy, {
      'http2_sessions_active client': 1,
      'http2_sessions_active upstream': 1,
      'http2_streams_active client': 0,
      'http2_streams_active upstream': 0,
      'http2_sessions client': 1,
      'http2_sessions upstream': 1,
      'http2_streams client': 3,
      'http2_streams upstream': 3,
      'request_versions HTTP/2': 3,
      'upstream_tls_handshakes false': 1,
    });
    client.close();
    for (const session of upstream.sessions) session.destroy();
    await shows(proxy, {
      'http2_sessions_active client': 0,
      'http2_sessions_active upstream': 0,
      'http2_sessions client': 1,
      'http2_sessions upstream': 1,
    });
  });

  test('what a client takes back and why it leaves', async () => {
    const upstream = await RawUpstream.start(() => '');
    stops.push(() => upstream.stop());
    const proxy = await start({ upstream: [upstream.port] });
    const client = await RawHttp2Client.connect(proxy.port);
    client.send(
      ...headers(1, get('http')),
      reset(1, 8),
      ...headers(3, get('http')),
      reset(3, 0xabc),
      goaway(0, 2),
    );
    await shows(proxy, {
      'http2_resets client received CANCEL': 1,
      'http2_resets client received other': 1,
      'http2_goaways client received INTERNAL_ERROR': 1,
    });
    client.close();
  });

  test('what a client is told', async () => {
    const upstream = await RawUpstream.start();
    stops.push(() => upstream.stop());
    const proxy = await start({ upstream: [upstream.port] });
    const client = await RawHttp2Client.connect(proxy.port);
    client.send(...headers(1, get('http'), { endStream: false }), data(1, 'x'), data(1, '', 1), data(9, 'x'));
    await client.untilClosed();
    client.close();
    await shows(proxy, { 'http2_goaways client sent PROTOCOL_ERROR': 1, 'http2_sessions_active client': 0 });
  });

  test('what an endpoint does', async () => {
    const upstream = await http2Endpoint((_, response) => {
      response.stream.session?.goaway(0xb);
      response.stream.close(2);
    });
    const proxy = await start({ upstream: [upstream.port], policy: { protocol: 'http2' } });
    expect((await request(proxy.port, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')).status).toBe(502);
    await shows(proxy, {
      'http2_resets upstream received INTERNAL_ERROR': 1,
      'http2_goaways upstream received ENHANCE_YOUR_CALM': 1,
      'request_versions HTTP/1.1': 1,
    });
  });
});

describe('tunnels', () => {
  const fields: Fields = [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'a.example'],
    ['sec-websocket-version', '13'],
  ];

  test.each<[string, (client: RawHttp2Client, socket: Socket, proxy: TestProxy) => unknown]>([
    ['client', (client) => client.send(data(1, '', 1))],
    ['upstream', (_, socket) => socket.end()],
    ['shutdown', (_client, _socket, proxy) => void proxy.plane.drain()],
  ])('over HTTP/2, ended by %s', async (reason, end) => {
    const upstream = await RawUpstream.start(({ headers: asked }, socket) => {
      socket.on('end', () => socket.end());
      return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${proofOf(asked.get('sec-websocket-key'))}\r\n\r\n`;
    });
    stops.push(() => upstream.stop());
    const proxy = await start({ upstream: [upstream.port] });
    const client = await RawHttp2Client.connect(proxy.port);
    stops.push(() => client.close());
    const stream = client.nextStream();
    await client.until(() => client.settings.size > 0);
    client.send(...headers(stream, fields, { endStream: false }));
    await client.until(() => client.stream(stream).status === 200);
    await shows(proxy, { 'tunnels_active connect': 1, 'tunnels_active upgrade': 0, 'tunnels connect': 1 });
    end(client, upstream.sockets.at(-1) as Socket, proxy);
    if (reason !== 'client') {
      await client.until(() => client.stream(stream).isEnded);
      client.send(data(stream, '', 1));
    }
    await shows(proxy, {
      'tunnels_active connect': 0,
      'tunnels connect': 1,
      [`tunnels_closed ${reason}`]: 1,
    });
  });
});

describe('TLS', () => {
  test('with endpoints, by what was wrong', async () => {
    const serve: Http2Listener = (_, response) => response.end('ok');
    const ports = {
      name: (await http2Endpoint(serve, serverOf('b.example'))).port,
      certificate: (await http2Endpoint(serve, serverOf('a.example', expired))).port,
      protocol: await listens((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      closed: await listens((socket) => socket.destroy()),
    };
    for (const [reason, port] of Object.entries(ports)) {
      const trust = { ca: root.certificate };
      const proxy = await start({ upstream: [port], trust, policy: { protocol: 'http2', tls: verified } });
      expect((await request(proxy.port, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')).status).toBe(502);
      await shows(proxy, { [`upstream_tls_handshake_failures ${reason}`]: 1 });
      expect(Object.keys(shown(proxy)).filter((name) => name.startsWith('upstream_tls'))).toHaveLength(1);
    }
  });

  test('with clients that are asked who they are', async () => {
    const clients = { ca: root.certificate };
    const rig = await ClientCertificateRig.start({
      'secure.example': { ...testPair(['secure.example']), clients },
    });
    stops.push(() => rig.stop());
    const statuses = [
      await rig.ask({ client: root.client('alice') }),
      await rig.ask(),
      await rig.ask({ client: TestAuthority.root('another').client('mallory') }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 400, 400]);
    await shows(rig.proxy, {
      'client_certificates success': 1,
      'client_certificates none': 1,
      'client_certificates failed': 1,
    });
  });
});

/** RFC 6455 §4.2.2. */
function proofOf(key = ''): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
