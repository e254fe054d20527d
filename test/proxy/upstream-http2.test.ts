import { once } from 'node:events';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { afterEach, describe, expect, test } from '@jest/globals';

import { setting } from '../../src/http2/frames.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions, TestRoute } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { startHttpUpstream } from '../support/http-upstream.ts';
import { settings, settingsAck } from '../support/http2-rig.ts';
import type { Fields } from '../support/http2-rig.ts';
import { startHttp2Upstream } from '../support/http2-upstream.ts';
import type { Http2Listener, Http2Upstream } from '../support/http2-upstream.ts';
import { RawClient } from '../support/raw-client.ts';
import { RawHttp2Client, headers } from '../support/raw-http2-client.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function endpoint(...args: Parameters<typeof startHttp2Upstream>): Promise<Http2Upstream> {
  const upstream = await startHttp2Upstream(...args);
  stops.push(upstream.stop);
  return upstream;
}

async function proxyTo(
  upstreams: readonly Http2Upstream[],
  route: Partial<TestRoute> = {},
  options: TestProxyOptions = {},
): Promise<TestProxy> {
  const proxy = await startProxy(
    [
      {
        upstream: upstreams.map(({ port }) => port),
        ...route,
        policy: { protocol: 'http2', ...route.policy },
      },
    ],
    options,
  );
  stops.push(() => proxy.stop());
  return proxy;
}

async function client({ port }: TestProxy): Promise<RawClient> {
  const raw = await RawClient.connect(port);
  stops.push(() => raw.socket.destroy());
  return raw;
}

/** Until a number has stayed what it is for so many looks at it. */
async function standstill(read: () => number, looks = 10): Promise<void> {
  let last = -1;
  let same = 0;
  await eventually(
    () => {
      const now = read();
      same = now > 0 && now === last ? same + 1 : 0;
      last = now;
      return Promise.resolve(same);
    },
    (count) => count >= looks,
  );
}

const echo: Http2Listener = (request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    response.setHeader('x-seen', JSON.stringify(request.headers));
    response.setHeader('x-trailers', JSON.stringify(request.trailers));
    response.end(Buffer.concat(parts));
  });
};

const get = (path = '/', fields = ''): string => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`;

describe('a request over HTTP/2 to an endpoint', () => {
  test('bears what a request of HTTP/1.1 bears, and nothing of its connection', async () => {
    const proxy = await proxyTo([await endpoint(echo)]);
    const raw = await client(proxy);
    raw.send(
      get(
        '/p?q=1',
        'Connection: keep-alive, x-hop\r\nX-Hop: 1\r\nTE: trailers, gzip\r\nCookie: a=1; b=2\r\n',
      ),
    );
    const { status, headers } = await raw.response();
    expect(status).toBe(200);
    const seen = JSON.parse(headers.get('x-seen') ?? '') as Record<string, string>;
    expect(seen).toMatchObject({
      ':method': 'GET',
      ':scheme': 'http',
      ':authority': 'a.example',
      ':path': '/p?q=1',
      te: 'trailers',
      cookie: 'a=1; b=2',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'a.example',
    });
    for (const name of ['connection', 'keep-alive', 'x-hop', 'host', 'transfer-encoding'])
      expect(seen).not.toHaveProperty(name);
  });

  test('sends its body, of a length and chunked, with trailers', async () => {
    const proxy = await proxyTo([await endpoint(echo)]);
    const raw = await client(proxy);
    raw.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    const first = await raw.response();
    expect(first.body).toBe('hello');
    expect(JSON.parse(first.headers.get('x-seen') ?? '')).toMatchObject({ 'content-length': '5' });
    raw.send(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
    const second = await raw.response();
    expect(second.body).toBe('abc');
    expect(JSON.parse(second.headers.get('x-trailers') ?? '')).toEqual({ 'x-sum': '1' });
  });

  test('of HEAD, and answers without a body, state what GET would have stated', async () => {
    const upstream = await endpoint((request, response) => {
      if (request.url === '/none') response.writeHead(204).end();
      else if (request.url === '/empty') response.stream.respond({ ':status': 200 }, { endStream: true });
      else response.writeHead(200, { 'content-length': '7' }).end('content');
    });
    const proxy = await proxyTo([upstream]);
    const raw = await client(proxy);
    raw.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    const head = await raw.until((text) => text.includes('\r\n\r\n'));
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(head).toContain('\r\nContent-Length: 7\r\n');
    expect(head.endsWith('\r\n\r\n')).toBe(true);
    const other = await client(proxy);
    other.send(get('/none') + get('/empty'));
    const text = await other.until((received) => received.split('\r\n\r\n').length > 2);
    expect(text).toMatch(/^HTTP\/1.1 204 No Content\r\n/);
    expect(text).toContain('Content-Length: 0\r\n');
    expect(text).not.toContain('Transfer-Encoding');
  });

  test('passes on informational answers and trailers', async () => {
    const upstream = await endpoint((_, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.addTrailers({ 'x-sum': '9', 'set-cookie': 'no=1' });
      response.end('body');
    });
    const raw = await client(await proxyTo([upstream]));
    raw.send(get('/', 'TE: trailers\r\n'));
    const text = await raw.until((received) => received.endsWith('x-sum: 9\r\n\r\n'));
    expect(text).toMatch(/^HTTP\/1.1 103 Early Hints\r\nlink: /);
    expect(text).toContain('4\r\nbody\r\n0\r\nx-sum: 9\r\n\r\n');
    expect(text).not.toContain('no=1');
  });

  test('waits for 100 where the client does', async () => {
    const upstream = await endpoint(echo);
    upstream.server.on('checkContinue', (request: Http2ServerRequest, response: Http2ServerResponse) => {
      response.writeContinue();
      echo(request, response);
    });
    const raw = await client(await proxyTo([upstream]));
    raw.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
    await raw.until((text) => text.includes('100 Continue\r\n\r\n'));
    raw.send('hi');
    const text = await raw.until((received) => received.includes('\r\nhi\r\n'));
    expect(text).toContain('HTTP/1.1 200 OK');
  });

  test('that is answered before it is complete is cut off, and its stream with it', async () => {
    const codes: number[] = [];
    const upstream = await endpoint((request, response) => {
      request.stream.on('close', () => codes.push(request.stream.rstCode));
      response.writeHead(413).end('no');
    });
    const raw = await client(await proxyTo([upstream]));
    raw.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx');
    expect(await raw.untilEnd()).toMatch(/^HTTP\/1.1 413 [\s\S]*Connection: close[\s\S]*\r\nno\r\n/);
    await eventually(
      () => Promise.resolve(codes.length),
      (count) => count === 1,
    );
  });
});

describe('connections of HTTP/2', () => {
  test('carry many requests at a time, and no more than the endpoint allows', async () => {
    const open: (() => void)[] = [];
    const upstream = await endpoint((_, response) => open.push(() => response.end('ok')), {
      settings: { maxConcurrentStreams: 4 },
    });
    const proxy = await proxyTo([upstream]);
    const clients = await Promise.all(Array.from({ length: 10 }, () => client(proxy)));
    for (const raw of clients) raw.send(get());
    await eventually(
      () => Promise.resolve(open.length),
      (count) => count === 10,
    );
    expect(upstream.sessions).toHaveLength(3);
    for (const answer of open) answer();
    const answers = await Promise.all(clients.map((raw) => raw.response()));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    clients[0]?.send(get());
    await eventually(
      () => Promise.resolve(open.length),
      (count) => count === 11,
    );
    open.at(-1)?.();
    await clients[0]?.response();
    expect(upstream.sessions).toHaveLength(3);
  });

  test('are not asked for again and again of an endpoint that allows no streams', async () => {
    const upstream = await endpoint(echo, { settings: { maxConcurrentStreams: 0 } });
    const raw = await client(await proxyTo([upstream], { retry: { tries: 2 } }));
    raw.send(get());
    expect((await raw.response()).status).toBe(502);
    expect(upstream.sessions).toHaveLength(2);
  });

  test('hold the endpoint back when the client does not read, without holding others back', async () => {
    let sent = 0;
    const upstream = await endpoint((request, response) => {
      if (request.url === '/small') {
        response.end('small');
        return;
      }
      const more = (): void => {
        while (sent < 64 * 1024 * 1024) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, 120))) break;
        }
        if (sent >= 64 * 1024 * 1024) response.end();
      };
      response.on('drain', more);
      more();
    });
    const proxy = await proxyTo([upstream]);
    const slow = await client(proxy);
    slow.socket.pause();
    slow.send(get('/large'));
    await standstill(() => sent);
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    const other = await client(proxy);
    other.send(get('/small'));
    expect((await other.response()).body).toBe('small');
    expect(upstream.sessions).toHaveLength(1);
    slow.socket.resume();
    await slow.until((text) => text.length > 64 * 1024 * 1024);
  });

  test('answers that one client does not take hold back nobody else', async () => {
    const upstream = await endpoint((request, response) => {
      let left = request.url === '/large' ? 40 : 3;
      const more = (): void => {
        while (left-- > 0) if (!response.write(Buffer.alloc(50_000, 120))) return;
        response.end();
      };
      response.on('drain', more);
      more();
    });
    const options = { settings: { http2: { offered: true, plain: true, maxConcurrentStreams: 100 } } };
    const proxy = await proxyTo([upstream], {}, options);
    const stalled = await RawHttp2Client.connect(proxy.port, {
      stalled: true,
      settings: [[setting.initialWindowSize, 0]],
    });
    stops.push(() => stalled.close());
    const ids = Array.from({ length: 100 }, () => stalled.nextStream());
    const large: Fields = [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/large'],
      [':authority', 'a'],
    ];
    stalled.send(...ids.flatMap((id) => headers(id, large)));
    await stalled.until(() => ids.every((id) => stalled.stream(id).status === 200));
    const other = await client(proxy);
    for (let count = 0; count < 3; count++) {
      other.send(get('/other'));
      expect((await other.response()).body).toHaveLength(150_000);
    }
    expect(upstream.sessions).toHaveLength(1);
    expect(ids.filter((id) => stalled.stream(id).reset !== undefined)).toEqual([]);
  });

  test('hold the client back when the endpoint does not read', async () => {
    let resume: (() => void) | undefined;
    const upstream = await endpoint((request, response) => {
      let bytes = 0;
      request.pause();
      resume = () => {
        request.on('data', (part: Buffer) => (bytes += part.length));
        request.on('end', () => response.end(String(bytes)));
        request.resume();
      };
    });
    let carrier: Socket | undefined;
    upstream.server.on('connection', (socket: Socket) => (carrier = socket));
    const raw = await client(await proxyTo([upstream]));
    const length = 32 * 1024 * 1024;
    raw.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
    raw.send(Buffer.alloc(length, 97));
    await eventually(
      () => Promise.resolve(resume !== undefined),
      (isThere) => isThere,
    );
    await standstill(() => carrier?.bytesRead ?? 0);
    // All of it would have left, were it not held back.
    expect(raw.socket.writableLength).toBe(length);
    resume?.();
    expect((await raw.response()).body).toBe(String(length));
  });

  test('take the bodies of many at a time, although the endpoint does not read', async () => {
    const waiting: (() => void)[] = [];
    const upstream = await endpoint((request, response) => {
      request.pause();
      waiting.push(() => {
        let bytes = 0;
        request.on('data', (part: Buffer) => (bytes += part.length));
        request.on('end', () => response.end(String(bytes)));
        request.resume();
      });
    });
    const proxy = await proxyTo([upstream]);
    const clients = await Promise.all(Array.from({ length: 60 }, () => client(proxy)));
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n';
    for (const raw of clients) raw.send(head + 'x'.repeat(300_000));
    await eventually(
      () => Promise.resolve(waiting.length),
      (count) => count === 60,
    );
    for (const read of waiting) read();
    const answers = await Promise.all(clients.map((raw) => raw.response()));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['300000']));
    expect(upstream.sessions).toHaveLength(1);
  });

  test('end after so many requests, and when they are idle for too long', async () => {
    const upstream = await endpoint((_, response) => response.end('ok'));
    let now = 0;
    const proxy = await proxyTo(
      [upstream],
      { policy: { protocol: 'http2', connections: { maxRequestsPerConnection: 2, idleTimeoutMs: 5000 } } },
      { clock: () => now },
    );
    const raw = await client(proxy);
    for (let count = 0; count < 3; count++) {
      raw.send(get());
      await raw.response();
    }
    expect(upstream.sessions).toHaveLength(2);
    const [first, second] = upstream.sessions;
    await eventually(
      () => Promise.resolve(first?.closed),
      (closed) => closed === true,
    );
    expect(second?.closed).toBe(false);
    now += 6000;
    await eventually(
      () => Promise.resolve(second?.closed),
      (closed) => closed === true,
    );
  });

  test('that are silent under a request are pinged, and not often', async () => {
    const upstream = await endpoint(() => undefined);
    let now = 0;
    const proxy = await proxyTo([upstream], { timeouts: { readMs: 3_600_000 } }, { clock: () => now });
    const raw = await client(proxy);
    raw.send(get());
    await eventually(
      () => Promise.resolve(upstream.sessions.length),
      (count) => count === 1,
    );
    let pings = 0;
    upstream.sessions[0]?.on('ping', () => pings++);
    now += 16_000;
    await eventually(
      () => Promise.resolve(pings),
      (count) => count === 1,
    );
    // The next one comes minutes later: servers take offence at more.
    now += 311_000;
    await eventually(
      () => Promise.resolve(pings),
      (count) => count === 2,
    );
  });

  test('that do not answer a ping are given up, and what runs on them goes elsewhere', async () => {
    let heard = Buffer.alloc(0);
    const mute = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => (heard = Buffer.concat([heard, bytes])));
      socket.write(Buffer.concat([settings(), settingsAck()]));
    }).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    stops.push(() => mute.close());
    const healthy = await endpoint((_, response) => response.end('healthy'));
    let now = 0;
    const { port } = mute.address() as AddressInfo;
    const proxy = await startProxy(
      [
        {
          upstream: [port, healthy.port],
          timeouts: { readMs: 3_600_000 },
          retry: { tries: 2 },
          policy: { protocol: 'http2' },
        },
      ],
      { clock: () => now },
    );
    stops.push(() => proxy.stop());
    const clients = [await client(proxy), await client(proxy)];
    for (const raw of clients) raw.send(get());
    await eventually(
      () => Promise.resolve(heard.includes('/')),
      (isThere) => isThere,
    );
    now += 16_000;
    await eventually(
      () => Promise.resolve(heard.includes('alive?!?')),
      (isThere) => isThere,
    );
    now += 11_000;
    const answers = await Promise.all(clients.map((raw) => raw.response()));
    expect(answers.map(({ body }) => body)).toEqual(['healthy', 'healthy']);
  });
});

describe('an endpoint that ends streams', () => {
  test('refused ones are sent elsewhere, POST too', async () => {
    const refusing = await endpoint((request) => request.stream.close(7));
    const healthy = await endpoint(echo);
    const raw = await client(await proxyTo([refusing, healthy], { retry: { tries: 2 } }));
    for (let count = 0; count < 4; count++) {
      raw.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
      expect(await raw.response()).toMatchObject({ status: 200, body: 'hello' });
    }
    expect(refusing.sessions).toHaveLength(1);
  });

  test('an answer without a body that is tried again is no answer', async () => {
    let tries = 0;
    const upstream = await endpoint(({ url }, response) => {
      if (++tries === 1) response.stream.respond({ ':status': 503 }, { endStream: true });
      else response.end(url);
    });
    const raw = await client(await proxyTo([upstream], { retry: { tries: 2, onStatus: [503] } }));
    raw.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n');
    const bodies = [await raw.response(), await raw.response()].map(({ body }) => body);
    expect([bodies, tries]).toEqual([['/first', '/second'], 3]);
  });

  test('a POST that was reset in any other way is not repeated', async () => {
    const cancelling = await endpoint((request) => request.stream.close(8));
    const raw = await client(await proxyTo([cancelling, cancelling], { retry: { tries: 3 } }));
    raw.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    expect((await raw.response()).status).toBe(502);
  });

  test('streams beyond the last of a GOAWAY go elsewhere, those before it are answered', async () => {
    const answers: (() => void)[] = [];
    const leaving = await endpoint((request, response) => {
      if (request.url === '/first') answers.push(() => response.end('first'));
    });
    const proxy = await proxyTo([leaving], { retry: { tries: 2 } });
    const first = await client(proxy);
    first.send(get('/first'));
    await eventually(
      () => Promise.resolve(answers.length),
      (count) => count === 1,
    );
    const second = await client(proxy);
    second.send('POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
    const session = leaving.sessions[0];
    await eventually(
      () => Promise.resolve(session?.state.lastProcStreamID ?? 0),
      (last) => last >= 3,
    );
    leaving.server.removeAllListeners('request');
    leaving.server.on('request', (_: Http2ServerRequest, response: Http2ServerResponse) => {
      response.end('again');
    });
    session?.goaway(0, 1);
    expect(await second.response()).toMatchObject({ status: 200, body: 'again' });
    expect(leaving.sessions).toHaveLength(2);
    for (const answer of answers) answer();
    expect(await first.response()).toMatchObject({ status: 200, body: 'first' });
  });

  test('in the middle of an answer: the client sees that it was cut', async () => {
    const upstream = await endpoint((request, response) => {
      response.write('half');
      setImmediate(() => setImmediate(() => request.stream.close(2)));
    });
    const raw = await client(await proxyTo([upstream]));
    raw.send(get());
    const text = await raw.untilEnd();
    expect(text).toContain('half');
    expect(text).not.toContain('\r\n0\r\n\r\n');
  });
});

describe('an endpoint that does not answer', () => {
  test('no SETTINGS: the time to connect runs out', async () => {
    const mute = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    stops.push(() => mute.close());
    const { port } = mute.address() as AddressInfo;
    const proxy = await startProxy([
      { upstream: [port], timeouts: { connectMs: 200 }, policy: { protocol: 'http2' } },
    ]);
    stops.push(() => proxy.stop());
    const raw = await client(proxy);
    raw.send(get());
    expect((await raw.response()).status).toBe(504);
    expect(proxy.counters.errors('SP_UPSTREAM_CONNECT_TIMEOUT')).toBe(1);
  });

  test('an endpoint of HTTP/1.1 is no endpoint of HTTP/2', async () => {
    const old = await startHttpUpstream((_, response) => response.end('old'));
    stops.push(old.stop);
    const proxy = await startProxy([{ upstream: [old.port], policy: { protocol: 'http2' } }]);
    stops.push(() => proxy.stop());
    const raw = await client(proxy);
    raw.send(get());
    expect((await raw.response()).status).toBe(502);
    expect(proxy.counters.errors('SP_UPSTREAM_PROTOCOL')).toBe(1);
  });

  test('no response in time: 504, and the connection goes on', async () => {
    const upstream = await endpoint((request, response) => {
      if (request.url === '/fast') response.end('fast');
    });
    const proxy = await proxyTo([upstream], { timeouts: { readMs: 200 }, retry: { tries: 1 } });
    const raw = await client(proxy);
    raw.send(get('/slow'));
    expect((await raw.response()).status).toBe(504);
    raw.send(get('/fast'));
    expect((await raw.response()).body).toBe('fast');
    expect(upstream.sessions).toHaveLength(1);
  });
});

test('a table that leaves the upstream as it is leaves its connections, another one does not', async () => {
  const upstream = await endpoint((_, response) => response.end('ok'));
  const route: TestRoute = { upstream: [upstream.port], policy: { protocol: 'http2' } };
  const proxy = await startProxy([route]);
  stops.push(() => proxy.stop());
  const raw = await client(proxy);
  raw.send(get());
  await raw.response();
  await proxy.publish([{ ...route, timeouts: { readMs: 1234 } }]);
  raw.send(get());
  await raw.response();
  expect(upstream.sessions).toHaveLength(1);
  await proxy.publish([{ ...route, policy: { protocol: 'http2', connections: { maxIdle: 7 } } }]);
  raw.send(get());
  await raw.response();
  expect(upstream.sessions).toHaveLength(2);
});
