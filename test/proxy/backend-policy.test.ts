import { afterEach, describe, expect, test } from '@jest/globals';

import { EndpointBoard } from '../../src/balance/endpoint-board.ts';
import type { TableUpstream } from '../../src/table/route-table.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions, TestRoute } from '../support/data-plane-harness.ts';
import { startDeafListener } from '../support/deaf-listener.ts';
import { RawClient, request } from '../support/raw-client.ts';
import { RawUpstream, answer } from '../support/raw-upstream.ts';

// What a BackendPolicy sets, field by field, on real sockets.

type Policy = Partial<TableUpstream>;

const started: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop();
});

async function upstreams<const N extends number>(count: N): Promise<readonly [RawUpstream, RawUpstream]> {
  const list = await Promise.all(Array.from({ length: count }, () => RawUpstream.start()));
  started.push(...list);
  return list as unknown as [RawUpstream, RawUpstream];
}

async function proxyTo(
  to: readonly (number | RawUpstream)[],
  policy: Policy,
  { route, ...options }: TestProxyOptions & { readonly route?: Partial<TestRoute> } = {},
): Promise<TestProxy> {
  const ports = to.map((each) => (typeof each === 'number' ? each : each.port));
  const proxy = await startProxy([{ ...route, policy, upstream: ports }], options);
  started.push(proxy);
  return proxy;
}

const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;
const silent = (): undefined => undefined;
const once = { tries: 1 };

/** A request whose answer is not waited for. */
async function begin(proxy: TestProxy, path: string): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port);
  client.send(get(path));
  return client;
}

describe('timeouts', () => {
  test('connect', async () => {
    const deaf = await startDeafListener();
    started.push(deaf);
    const proxy = await proxyTo([deaf.port], { timeouts: { connectMs: 200 }, retry: once });
    expect((await request(proxy.port, get())).status).toBe(504);
    expect(proxy.counters.errors('SP_UPSTREAM_CONNECT_TIMEOUT')).toBe(1);
  });

  test('send', async () => {
    const [upstream] = await upstreams(1);
    upstream.behaviour = silent;
    const proxy = await proxyTo([upstream], { timeouts: { sendMs: 200 }, retry: once });
    const client = await RawClient.connect(proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    await upstream.until(() => upstream.sockets.length === 1);
    upstream.sockets[0]?.pause();
    for (let sent = 0; sent < 40; sent++) client.send('z'.repeat(1_000_000));
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 504 /);
    client.close();
  });

  test.each([
    ['read', { readMs: 150 }, 'SP_UPSTREAM_TIMEOUT'],
    ['request', { requestMs: 150 }, 'SP_REQUEST_TIMEOUT'],
  ] as const)('%s', async (_, timeouts, code) => {
    const [upstream] = await upstreams(1);
    upstream.behaviour = silent;
    const proxy = await proxyTo([upstream], { timeouts, retry: once });
    expect((await request(proxy.port, get())).status).toBe(504);
    expect(proxy.counters.errors(code)).toBe(1);
  });

  test("the route's own goes before it, member by member", async () => {
    const [upstream] = await upstreams(1);
    upstream.behaviour = silent;
    const policy = { timeouts: { readMs: 60_000, requestMs: 60_000 }, retry: { tries: 5 } };
    const proxy = await proxyTo([upstream], policy, { route: { timeouts: { readMs: 150 }, retry: once } });
    expect((await request(proxy.port, get())).status).toBe(504);
    expect(proxy.counters.errors('SP_UPSTREAM_TIMEOUT')).toBe(1);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('retries', () => {
  const unavailable = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';

  test('tries', async () => {
    const [upstream] = await upstreams(1);
    upstream.behaviour = (_, socket) => void socket.destroy();
    const proxy = await proxyTo([upstream], { retry: { tries: 2 } });
    expect((await request(proxy.port, get())).status).toBe(502);
    expect(upstream.requests).toHaveLength(2);
  });

  test('retryOn', async () => {
    const [first, second] = await upstreams(2);
    for (const upstream of [first, second]) upstream.behaviour = () => unavailable;
    const proxy = await proxyTo([first, second], { retry: { onStatus: [503] } });
    second.behaviour = () => answer('well');
    for (const path of ['/1', '/2', '/3']) expect((await request(proxy.port, get(path))).body).toBe('well');
    expect(first.requests.length).toBeGreaterThan(0);
  });

  test.each([
    ['of a length', 'Content-Length: 9\r\n\r\nHTTP/1.1 '],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nHTTP\r\n5\r\n/1.1 \r\n0\r\n\r\n'],
    ['up to the end', 'Connection: close\r\n\r\nHTTP/1.1 '],
  ])('nothing of an answer that is tried again reaches the client: a body %s', async (_, rest) => {
    const [first, second] = await upstreams(2);
    first.behaviour = () => `HTTP/1.1 503 Service Unavailable\r\n${rest}`;
    second.behaviour = () => answer('well');
    const proxy = await proxyTo([first, second], { retry: { onStatus: [503] } });
    const client = await RawClient.connect(proxy.port);
    client.send(get('/1') + get('/2') + get('/3'));
    const received = await client.until((text) => text.split('well').length === 4);
    expect([received.startsWith('HTTP/1.1 200 OK'), received.split('HTTP/1.1 ').length]).toEqual([true, 4]);
    expect(first.requests.length).toBeGreaterThan(0);
    client.close();
  });

  test('timeout', async () => {
    const [upstream] = await upstreams(1);
    let now = 0;
    upstream.behaviour = () => {
      now += 500;
      return unavailable;
    };
    const policy = { retry: { tries: 9, onStatus: [503], timeoutMs: 1_000 } };
    const proxy = await proxyTo([upstream], policy, { clock: () => now });
    expect((await request(proxy.port, get())).status).toBe(503);
    expect(upstream.requests).toHaveLength(2);
  });
});

describe('requests at a time', () => {
  const one: Policy = { connections: { maxRequests: 1 } };

  /** Answers `/held…` when told to. */
  function holdBack(upstream: RawUpstream): () => void {
    const held: (() => void)[] = [];
    upstream.behaviour = ({ target }, socket) => {
      if (!target.startsWith('/held')) return answer(target);
      held.push(() => void socket.write(answer(target)));
      return undefined;
    };
    return () => {
      for (const release of held.splice(0)) release();
    };
  }

  test('one at its limit gets no more, and is told by a code of its own; afterwards it serves again', async () => {
    const [upstream] = await upstreams(1);
    const release = holdBack(upstream);
    const proxy = await proxyTo([upstream], one);
    const client = await begin(proxy, '/held');
    await upstream.until(() => upstream.requests.length === 1);
    const refused = await request(proxy.port, get('/more'));
    expect(refused.status).toBe(503);
    expect(proxy.counters.errors('SP_ENDPOINTS_BUSY')).toBe(1);
    expect(proxy.counters.errors('SP_NO_ENDPOINTS')).toBe(0);
    release();
    expect((await client.response()).body).toBe('/held');
    expect((await request(proxy.port, get('/after'))).body).toBe('/after');
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/held', '/after']);
    client.close();
  });

  test.each(['round-robin', 'least-request'] as const)('%s skips those at their limit', async (balance) => {
    const [first, second] = await upstreams(2);
    holdBack(first);
    holdBack(second);
    const proxy = await proxyTo([first, second], { ...one, balance });
    const clients = [await begin(proxy, '/held/1')];
    await Promise.race([first, second].map((each) => each.until(() => each.requests.length === 1)));
    clients.push(await begin(proxy, '/held/2'));
    await Promise.all([first, second].map((each) => each.until(() => each.requests.length === 1)));
    expect((await request(proxy.port, get('/held/3'))).status).toBe(503);
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
    for (const client of clients) client.close();
  });

  test('a client that leaves makes room', async () => {
    const [upstream] = await upstreams(1);
    holdBack(upstream);
    const proxy = await proxyTo([upstream], one);
    const client = await begin(proxy, '/held');
    await upstream.until(() => upstream.requests.length === 1);
    client.close();
    await upstream.until(() => upstream.sockets[0]?.destroyed === true);
    expect((await request(proxy.port, get('/after'))).body).toBe('/after');
  });

  test('a failed connection, a broken answer and a refused retry leave nothing counted', async () => {
    const [upstream] = await upstreams(1);
    upstream.behaviour = (_, socket) => void socket.destroy();
    const board = new EndpointBoard(EndpointBoard.allocate(4));
    const gone = await RawUpstream.start();
    await gone.stop();
    const proxy = await proxyTo([upstream, gone.port], one, { board });
    for (const path of ['/1', '/2', '/3']) expect((await request(proxy.port, get(path))).status).toBe(502);
    expect([0, 1].map((slot) => board.inFlight(slot))).toEqual([0, 0]);
  });

  test('upgraded connections count for as long as they last', async () => {
    const [upstream] = await upstreams(1);
    upstream.behaviour = ({ target }, socket) => {
      if (target !== '/ws') return answer(target);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n');
      return undefined;
    };
    const proxy = await proxyTo([upstream], one);
    const client = await RawClient.connect(proxy.port);
    client.send('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n');
    await client.until((received) => received.startsWith('HTTP/1.1 101'));
    expect((await request(proxy.port, get())).status).toBe(503);
    client.close();
    await upstream.until(() => upstream.sockets[0]?.destroyed === true);
    expect((await request(proxy.port, get('/after'))).body).toBe('/after');
  });

  test('hold for all workers of a pod together', async () => {
    const [upstream] = await upstreams(1);
    const release = holdBack(upstream);
    const memory = EndpointBoard.allocate(4, 2);
    const [first, second] = (await Promise.all(
      [0, 1].map((writer) =>
        proxyTo(
          [upstream],
          { connections: { maxRequests: 2 } },
          { board: new EndpointBoard(memory, writer) },
        ),
      ),
    )) as [TestProxy, TestProxy];
    const clients = [await begin(first, '/held/1'), await begin(second, '/held/2')];
    await upstream.until(() => upstream.requests.length === 2);
    for (const proxy of [first, second]) expect((await request(proxy.port, get('/3'))).status).toBe(503);
    release();
    for (const client of clients) expect((await client.response()).status).toBe(200);
    for (const proxy of [first, second]) expect((await request(proxy.port, get('/4'))).status).toBe(200);
    for (const client of clients) client.close();
  });
});

describe('connections', () => {
  /** Sends requests one after the other; returns how many connections they took. */
  async function connectionsFor(count: number, policy: Policy, options: TestProxyOptions = {}) {
    const [upstream] = await upstreams(1);
    const proxy = await proxyTo([upstream], policy, options);
    for (let sent = 0; sent < count; sent++) expect((await request(proxy.port, get())).status).toBe(200);
    return { upstream, connections: new Set(upstream.requests.map(({ connection }) => connection)).size };
  }

  test('maxIdle', async () => {
    expect((await connectionsFor(3, {})).connections).toBe(1);
    expect((await connectionsFor(3, { connections: { maxIdle: 0 } })).connections).toBe(3);
  });

  test('maxRequestsPerConnection', async () => {
    expect((await connectionsFor(6, { connections: { maxRequestsPerConnection: 2 } })).connections).toBe(3);
  });

  test.each([
    [{}, 1],
    [{ maxLifetimeMs: 1_000 }, 2],
  ])('maxLifetime: %j', async (connections, expected) => {
    let now = 0;
    const [upstream] = await upstreams(1);
    upstream.behaviour = ({ target }) => (target === '/held' ? undefined : answer(target));
    const policy = { connections, timeouts: { requestMs: 1_500 } };
    const proxy = await proxyTo([upstream], policy, { clock: () => now });
    const held = await begin(proxy, '/held');
    await upstream.until(() => upstream.requests.length === 1);
    expect((await request(proxy.port, get('/1'))).body).toBe('/1');
    now = 2_000;
    // Its end shows that the clock has been looked at.
    expect((await held.response()).status).toBe(504);
    held.close();
    expect((await request(proxy.port, get('/2'))).body).toBe('/2');
    expect(upstream.requests.slice(1).map(({ connection }) => connection)).toEqual([1, expected]);
  });

  test('idleTimeout', async () => {
    let now = 0;
    const limits = { connections: { idleTimeoutMs: 5_000 } };
    const { upstream } = await connectionsFor(1, limits, { clock: () => now });
    now = 6_000;
    await upstream.until(() => upstream.sockets[0]?.destroyed === true);
    expect(upstream.sockets).toHaveLength(1);
  });
});
