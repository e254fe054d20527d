import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, test } from '@jest/globals';

import type { UpstreamTls } from '../../src/table/route-table.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions, TestRoute, UpstreamTrust } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Upstream } from '../support/http2-upstream.ts';
import { request } from '../support/raw-client.ts';
import type { RawResponse } from '../support/raw-client.ts';
import { TestAuthority, expired } from '../support/test-authority.ts';
import { startTlsUpstream } from '../support/tls-upstream.ts';
import type { TlsUpstream } from '../support/tls-upstream.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const root = TestAuthority.root();
const between = root.intermediate();
const names = ['a.example'];
const good = root.client('a.example', { names, purposes: ['server'] });

const verified: UpstreamTls = { verify: true, name: 'a.example', sendName: true };
const believed: UpstreamTrust = { ca: root.certificate };

async function endpoint(...args: Parameters<typeof startTlsUpstream>): Promise<TlsUpstream> {
  const upstream = await startTlsUpstream(...args);
  stops.push(upstream.stop);
  return upstream;
}

/** An endpoint with this certificate. */
function showing(pair: { readonly certificate: string; readonly key: string }): Promise<TlsUpstream> {
  return endpoint({ cert: pair.certificate, key: pair.key });
}

async function proxyOver(routes: readonly TestRoute[], options: TestProxyOptions = {}): Promise<TestProxy> {
  const proxy = await startProxy(routes, options);
  stops.push(() => proxy.stop());
  return proxy;
}

function route(
  { port }: { readonly port: number },
  tls: Partial<UpstreamTls> = {},
  rest: Partial<TestRoute> = {},
): TestRoute {
  const policy = { protocol: 'http1', tls: { ...verified, ...tls }, ...rest.policy } as const;
  return { upstream: [port], trust: believed, retry: { tries: 1 }, ...rest, policy };
}

function get({ port }: TestProxy, host = 'x.example'): Promise<RawResponse> {
  return request(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
}

describe('an endpoint over TLS', () => {
  test('is told its name, verified, and used again', async () => {
    const upstream = await showing(good);
    const proxy = await proxyOver([route(upstream)]);
    expect(await get(proxy)).toMatchObject({ status: 200, body: 'secure' });
    expect(await get(proxy)).toMatchObject({ status: 200, body: 'secure' });
    expect(upstream.connections).toHaveLength(1);
    expect(upstream.connections[0]).toMatchObject({ serverName: 'a.example', version: 'TLSv1.3' });
  });

  test('is not told its name where that is not wished, nor an address', async () => {
    const upstream = await showing(root.client('x', { names: ['a.example'], purposes: ['server'] }));
    const proxy = await proxyOver([
      route(upstream, { sendName: false }, { host: 'a.test' }),
      route(upstream, { name: '127.0.0.1', verify: false }, { host: 'b.test' }),
    ]);
    expect((await get(proxy, 'a.test')).status).toBe(200);
    expect((await get(proxy, 'b.test')).status).toBe(200);
    expect(upstream.connections.map(({ serverName }) => serverName)).toEqual(['', '']);
  });

  test.each([
    ['for another name', root.client('b.example', { names: ['b.example'], purposes: ['server'] })],
    ['expired', root.client('a.example', { names, purposes: ['server'], ...expired })],
    ['for clients', root.client('a.example', { names, purposes: ['client'] })],
    [
      'signed by another authority',
      TestAuthority.root().client('a.example', { names, purposes: ['server'] }),
    ],
  ])('X06 with a certificate %s is refused, unless nobody asks', async (_, pair) => {
    const upstream = await showing(pair);
    const proxy = await proxyOver([
      route(upstream, {}, { host: 'verified.test' }),
      route(upstream, { verify: false }, { host: 'any.test' }),
    ]);
    expect((await get(proxy, 'any.test')).status).toBe(200);
    expect((await get(proxy, 'verified.test')).status).toBe(502);
    expect((await get(proxy, 'any.test')).status).toBe(200);
    expect((await get(proxy, 'verified.test')).status).toBe(502);
    expect(proxy.counters.errors('SP_UPSTREAM_TLS')).toBe(2);
  });

  test('a wildcard is for a whole label', async () => {
    const whole = await showing(root.client('x', { names: ['*.a.example'], purposes: ['server'] }));
    const part = await showing(root.client('x', { names: ['a*.a.example'], purposes: ['server'] }));
    const proxy = await proxyOver([
      route(whole, { name: 'abc.a.example' }, { host: 'a.test' }),
      route(part, { name: 'abc.a.example' }, { host: 'b.test' }),
    ]);
    expect((await get(proxy, 'a.test')).status).toBe(200);
    expect((await get(proxy, 'b.test')).status).toBe(502);
  });

  test('a revoked certificate is refused', async () => {
    const upstream = await showing(good);
    const other = root.client('other');
    const proxy = await proxyOver([
      route(upstream, {}, { host: 'a.test', trust: { ...believed, crl: root.revoke([good]) } }),
      route(upstream, {}, { host: 'b.test', trust: { ca: root.certificate, crl: root.revoke([other]) } }),
    ]);
    expect((await get(proxy, 'a.test')).status).toBe(502);
  });

  test('a list that revokes others refuses nobody else', async () => {
    const upstream = await showing(good);
    const trust = { ...believed, crl: root.revoke([root.client('other')]) };
    const proxy = await proxyOver([route(upstream, {}, { trust })]);
    expect((await get(proxy)).status).toBe(200);
  });

  test.each([
    [0, 502],
    [1, 200],
    [undefined, 200],
  ] as const)('a chain with one certificate between and a limit of %s: %s', async (verifyDepth, status) => {
    const upstream = await showing(between.client('a.example', { names, purposes: ['server'] }));
    const tls = verifyDepth === undefined ? {} : { verifyDepth };
    const proxy = await proxyOver([route(upstream, tls)]);
    expect((await get(proxy)).status).toBe(status);
  });

  test('gets the certificate that the upstream is to show', async () => {
    const upstream = await endpoint({
      cert: good.certificate,
      key: good.key,
      ca: root.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const proxy = await proxyOver([
      route(upstream, {}, { host: 'a.test', trust: { ...believed, pair: root.client('proxy') } }),
      route(upstream, {}, { host: 'b.test' }),
    ]);
    expect((await get(proxy, 'a.test')).status).toBe(200);
    expect(upstream.connections.at(-1)?.clientName).toContain('CN=proxy');
    expect((await get(proxy, 'b.test')).status).toBe(502);
    expect(proxy.counters.errors('SP_UPSTREAM_TLS')).toBe(1);
  });

  test('gets the certificate of the newest table, without a request that fails', async () => {
    const upstream = await endpoint({
      cert: good.certificate,
      key: good.key,
      ca: root.certificate,
      requestCert: true,
    });
    const showsOne = (name: string): TestRoute =>
      route(upstream, {}, { trust: { ...believed, pair: root.client(name) } });
    const proxy = await proxyOver([showsOne('first')]);
    expect((await get(proxy)).status).toBe(200);
    const busy = Promise.all(Array.from({ length: 20 }, () => get(proxy)));
    await proxy.publish([showsOne('second')]);
    expect((await get(proxy)).status).toBe(200);
    expect((await busy).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const seen = upstream.connections.map(({ clientName }) => clientName);
    expect(seen[0]).toContain('CN=first');
    expect(seen.at(-1)).toContain('CN=second');
  });

  test('speaks versions and suites that the upstream allows', async () => {
    const upstream = await showing(good);
    const old = await endpoint({ cert: good.certificate, key: good.key, maxVersion: 'TLSv1.2' });
    const proxy = await proxyOver([
      route(
        upstream,
        { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
        { host: 'a.test' },
      ),
      route(old, { minVersion: 'TLSv1.3' }, { host: 'b.test' }),
    ]);
    expect((await get(proxy, 'a.test')).status).toBe(200);
    expect(upstream.connections[0]?.version).toBe('TLSv1.2');
    expect((await get(proxy, 'b.test')).status).toBe(502);
  });

  test('that fails is tried elsewhere, POST too', async () => {
    const bad = await showing(TestAuthority.root().client('a.example', { names, purposes: ['server'] }));
    let attempts = 0;
    bad.server.on('connection', () => attempts++);
    const upstream = await showing(good);
    const proxy = await proxyOver([
      route(upstream, {}, { upstream: [bad.port, upstream.port], retry: { tries: 2 } }),
    ]);
    for (let count = 0; count < 2; count++) {
      const bytes = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi';
      expect((await request(proxy.port, bytes)).status).toBe(200);
    }
    expect(attempts).toBeGreaterThan(0);
  });

  test('a handshake counts as connecting', async () => {
    const mute = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    stops.push(() => mute.close());
    const target = { port: (mute.address() as AddressInfo).port };
    const proxy = await proxyOver([route(target, {}, { timeouts: { connectMs: 200 } })]);
    expect((await get(proxy)).status).toBe(504);
    expect(proxy.counters.errors('SP_UPSTREAM_CONNECT_TIMEOUT')).toBe(1);
  });

  test('that speaks no TLS is refused', async () => {
    const plain = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    }).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    stops.push(() => plain.close());
    const proxy = await proxyOver([route({ port: (plain.address() as AddressInfo).port })]);
    expect((await get(proxy)).status).toBe(502);
    expect(proxy.counters.errors('SP_UPSTREAM_TLS')).toBe(1);
  });

  test('streams large bodies both ways', async () => {
    const upstream = await endpoint({ cert: good.certificate, key: good.key }, (message, response) => {
      message.pipe(response);
    });
    const proxy = await proxyOver([route(upstream)]);
    const body = 'x'.repeat(3_000_000);
    const head = `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
    const answer = await request(proxy.port, head + body);
    expect(answer.body === body).toBe(true);
  });
});

describe('sessions of TLS', () => {
  const closing: Parameters<typeof startTlsUpstream>[1] = (_, response) => {
    response.setHeader('connection', 'close');
    response.end('secure');
  };

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('are resumed by the next connection, %s', async (maxVersion) => {
    const upstream = await endpoint({ cert: good.certificate, key: good.key, maxVersion }, closing);
    const proxy = await proxyOver([route(upstream)]);
    for (let count = 0; count < 3; count++) expect((await get(proxy)).status).toBe(200);
    expect(upstream.connections.map(({ isResumed }) => isResumed)).toEqual([false, true, true]);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'X06 are no upstream’s but the one that made them, %s',
    async (maxVersion) => {
      const upstream = await endpoint({ cert: good.certificate, key: good.key, maxVersion }, closing);
      const proxy = await proxyOver([
        route(upstream, { verify: false }, { host: 'any.test' }),
        route(upstream, {}, { host: 'a.test' }),
        route(upstream, { name: 'b.example' }, { host: 'b.test' }),
        route(upstream, {}, { host: 'c.test', trust: { ca: TestAuthority.root().certificate } }),
        route(upstream, {}, { host: 'd.test', trust: { ...believed, pair: root.client('proxy') } }),
      ]);
      for (let round = 0; round < 2; round++) {
        expect((await get(proxy, 'any.test')).status).toBe(200);
        expect((await get(proxy, 'a.test')).status).toBe(200);
        expect((await get(proxy, 'b.test')).status).toBe(502);
        expect((await get(proxy, 'c.test')).status).toBe(502);
        expect((await get(proxy, 'd.test')).status).toBe(200);
      }
      const resumed = upstream.connections.filter(({ isResumed }) => isResumed);
      expect(resumed).toHaveLength(3);
      expect(upstream.connections.at(0)?.isResumed).toBe(false);
    },
  );

  test('X06 end with the table that changes what they were verified by', async () => {
    const upstream = await endpoint({ cert: good.certificate, key: good.key }, closing);
    const proxy = await proxyOver([route(upstream)]);
    await get(proxy);
    await proxy.publish([route(upstream, {}, { timeouts: { readMs: 999 } })]);
    await get(proxy);
    await proxy.publish([route(upstream, {}, { trust: { ca: root.certificate + between.certificate } })]);
    await get(proxy);
    expect(upstream.connections.map(({ isResumed }) => isResumed)).toEqual([false, true, false]);
    await proxy.publish([route(upstream, {}, { trust: { ca: TestAuthority.root().certificate } })]);
    expect((await get(proxy)).status).toBe(502);
  });

  test('are not kept beyond an hour', async () => {
    let now = 0;
    const upstream = await endpoint({ cert: good.certificate, key: good.key }, closing);
    const proxy = await proxyOver([route(upstream)], { clock: () => now });
    await get(proxy);
    now += 1_800_000;
    await get(proxy);
    expect(upstream.connections.map(({ isResumed }) => isResumed)).toEqual([false, true]);
    now += 1_900_000;
    // The moment is noticed at the next sweep.
    await eventually(
      async () => {
        await get(proxy);
        return upstream.connections.at(-1)?.isResumed;
      },
      (isResumed) => isResumed === false,
    );
  });
});

describe('what an upstream refers to and the table does not have', () => {
  test.each([
    ['an authority', { ca: root.certificate, missing: true }],
    ['a certificate', { pair: root.client('proxy'), missing: true }],
    ['a key of another certificate', { pair: { ...root.client('proxy'), key: good.key } }],
    ['no PEM', { ca: root.certificate, pair: { certificate: 'x', key: 'y' } }],
  ] as const)('%s: nothing is sent', async (_, trust) => {
    let dials = 0;
    const watched = createServer((socket) => {
      dials++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(watched, 'listening');
    stops.push(() => watched.close());
    const { port } = watched.address() as AddressInfo;
    const proxy = await proxyOver([route({ port }, {}, { trust })]);
    expect((await get(proxy)).status).toBe(502);
    expect(proxy.counters.errors('SP_UPSTREAM_TLS')).toBe(1);
    expect(dials).toBe(0);
  });
});

describe('HTTP/2 over TLS', () => {
  test('is spoken with an endpoint that chooses it, and told the scheme of its connection', async () => {
    const upstream = await startHttp2Upstream(
      (message, response) => response.end(`${message.headers[':scheme']} ${'encrypted' in message.socket}`),
      { cert: good.certificate, key: good.key },
    );
    stops.push(upstream.stop);
    const proxy = await proxyOver([route(upstream, {}, { policy: { protocol: 'http2' } })]);
    expect(await get(proxy)).toMatchObject({ status: 200, body: 'https true' });
  });

  test('is not spoken with one that does not', async () => {
    const upstream = await showing(good);
    const proxy = await proxyOver([route(upstream, {}, { policy: { protocol: 'http2' } })]);
    expect((await get(proxy)).status).toBe(502);
    expect(proxy.counters.errors('SP_UPSTREAM_TLS')).toBe(1);
  });
});

describe('an endpoint that may choose', () => {
  const auto = { policy: { protocol: 'auto' } } as const;

  test('HTTP/2: all who wait are served by one connection', async () => {
    const upstream = await startHttp2Upstream((message, response) => response.end(message.httpVersion), {
      cert: good.certificate,
      key: good.key,
      allowHTTP1: true,
    });
    stops.push(upstream.stop);
    const proxy = await proxyOver([route(upstream, {}, auto)]);
    const answers = await Promise.all(Array.from({ length: 5 }, () => get(proxy)));
    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 5 }, () => '2.0'));
    expect(upstream.sessions).toHaveLength(1);
  });

  test('HTTP/1.1: each who waits gets a connection, which serves others later', async () => {
    const upstream = await showing(good);
    const proxy = await proxyOver([route(upstream, {}, auto)]);
    const answers = await Promise.all(Array.from({ length: 5 }, () => get(proxy)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 200));
    expect(upstream.connections).toHaveLength(5);
    expect((await get(proxy)).status).toBe(200);
    expect(upstream.connections).toHaveLength(5);
  });

  test('fields are the same either way', async () => {
    const seen: string[] = [];
    const note = (headers: NodeJS.Dict<string | string[]>): void => {
      seen.push(String(headers['x-forwarded-proto']), String(headers['x-real-ip']));
    };
    const pair = { cert: good.certificate, key: good.key };
    const newer = await startHttp2Upstream((message, response) => {
      note(message.headers);
      response.end();
    }, pair);
    stops.push(newer.stop);
    const older = await endpoint(pair, (message, response) => {
      note(message.headers);
      response.end();
    });
    const proxy = await proxyOver([
      route(newer, {}, { ...auto, host: 'a.test' }),
      route(older, {}, { ...auto, host: 'b.test' }),
    ]);
    await get(proxy, 'a.test');
    await get(proxy, 'b.test');
    expect(seen).toEqual(['http', '127.0.0.1', 'http', '127.0.0.1']);
  });
});
