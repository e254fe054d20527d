import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PREFACE, flag, frameType, setting } from '../../src/http2/frames.ts';
import { testPair } from '../support/certificates.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { data, frame, get, goaway, post, windowUpdate } from '../support/http2-rig.ts';
import { RawClient, request } from '../support/raw-client.ts';
import { RawHttp2Client, headers } from '../support/raw-http2-client.ts';
import type { RawHttp2Options } from '../support/raw-http2-client.ts';
import { RawUpstream, answer } from '../support/raw-upstream.ts';

// How connections of HTTP/2 begin, what they are given time for, and how they end. The proxy's clock is turned forward
// instead of waiting.

const certificates = { 'a.example': testPair(['a.example']) };
const MAX_STREAM = 2 ** 31 - 1;
const NONE_TO_COME = { last: MAX_STREAM, code: 'NO_ERROR' };

let upstream: RawUpstream;
let proxy: TestProxy;
let offsetMs: number;
const clients: RawHttp2Client[] = [];

beforeEach(async () => {
  offsetMs = 0;
  upstream = await RawUpstream.start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await proxy.stop();
  await upstream.stop();
});

async function start(settings: TestProxyOptions['settings'] = {}): Promise<void> {
  const timeouts = { readMs: 1_000_000 };
  proxy = await startProxy([{ upstream: [upstream.port], timeouts }], {
    tls: {},
    certificates,
    clock: () => performance.now() + offsetMs,
    settings,
  });
}

async function connect(options: RawHttp2Options = {}): Promise<RawHttp2Client> {
  const client = await RawHttp2Client.connect(proxy.tlsPort, {
    tls: { servername: 'a.example' },
    ...options,
  });
  clients.push(client);
  return client;
}

/** Lets time pass, until a silent connection of HTTP/1 has been seen to die of it: every deadline was looked at. */
async function forward(ms: number): Promise<void> {
  const witness = await RawClient.connect(proxy.port);
  // Connections are accepted in order: the witness's time runs when a later one has its answer.
  await request(proxy.port, 'GET /later HTTP/1.1\r\nHost: a.example\r\n\r\n');
  offsetMs += ms;
  await witness.untilEnd();
  witness.close();
}

describe('time', () => {
  test('a connection without requests is told to go, and closed', async () => {
    await start({ clientKeepAliveMs: 75_000 });
    const client = await connect();
    expect(await client.request(get)).toMatchObject({ status: 200 });
    await forward(60_000);
    expect(client.goaways).toEqual([]);
    offsetMs += 20_000;
    await client.untilClosed();
    expect(client.goaways).toEqual([NONE_TO_COME, { last: 1, code: 'NO_ERROR' }]);
    client.close();
    await eventually(
      () => Promise.resolve(proxy.counters.read('connectionsActive')),
      (open) => open === 0,
    );
  });

  test('a client that does not take our SETTINGS is told so', async () => {
    await start();
    const client = await connect({ withoutAck: true });
    expect(await client.request(get)).toMatchObject({ status: 200 });
    offsetMs += 11_000;
    await client.untilClosed();
    expect(client.goaways).toEqual([{ last: 1, code: 'SETTINGS_TIMEOUT' }]);
  });

  test('a head that drips ends the connection', async () => {
    await start();
    const client = await connect();
    expect(await client.request(get)).toMatchObject({ status: 200 });
    const [head = Buffer.alloc(0)] = headers(3, get);
    for (let sent = 0; sent < 11; sent++) {
      client.send(head.subarray(sent, sent + 1));
      // oxlint-disable-next-line no-await-in-loop -- a byte a second
      await request(proxy.port, 'GET /later HTTP/1.1\r\nHost: a.example\r\n\r\n');
      offsetMs += 1_000;
    }
    await client.untilClosed();
    expect(client.goaways).toEqual([{ last: 1, code: 'ENHANCE_YOUR_CALM' }]);
  });

  test('a body that is too slow is answered with 408, and the connection goes on', async () => {
    await start({ minBodyBytesPerSecond: 500 });
    const client = await connect();
    client.send(...headers(client.nextStream(), post, { endStream: false }), data(1, 'slow'));
    await upstream.until(() => upstream.bytes.join('').includes('slow'));
    offsetMs += 11_000;
    expect(await client.answer(1)).toMatchObject({ status: 408 });
    expect(await client.request(get)).toMatchObject({ status: 200 });
  });

  test('bytes of a frame that is not complete count for its rate', async () => {
    await start({ minBodyBytesPerSecond: 500 });
    upstream.behaviour = ({ body }) => answer(String(body.length));
    const client = await connect();
    await client.request(get);
    const body = frame(frameType.data, flag.endStream, 3, Buffer.alloc(16_384));
    client.send(...headers(3, post, { endStream: false }), body.subarray(0, 8_000));
    await upstream.until(() => upstream.bytes.join('').includes('POST'));
    await forward(11_000);
    client.send(body.subarray(8_000));
    expect(await client.answer(3)).toMatchObject({ status: 200, body: '16384' });
  });

  test('an answer that the client opens no window for is given up', async () => {
    await start({ clientWriteTimeoutMs: 60_000 });
    upstream.behaviour = () => answer('x'.repeat(1_000));
    const client = await connect({ settings: [[setting.initialWindowSize, 10]], stalled: true });
    client.send(...headers(1, get));
    await client.until(() => client.stream(1).body.length === 10);
    await forward(50_000);
    expect(client.stream(1).reset).toBeUndefined();
    // Ten bytes more are progress.
    client.send(windowUpdate(1, 10));
    await client.until(() => client.stream(1).body.length === 20);
    await forward(50_000);
    expect(client.stream(1).reset).toBeUndefined();
    offsetMs += 70_000;
    await client.until(() => client.stream(1).reset !== undefined);
    expect(client.stream(1).reset).toBe('CANCEL');
    await client.untilClosed();
    expect(client.goaways.at(-1)).toEqual({ last: 1, code: 'NO_ERROR' });
  });

  test('a client that reads nothing is dropped', async () => {
    await start({ clientWriteTimeoutMs: 60_000 });
    upstream.behaviour = ({ target }) => answer(target === '/' ? 'x'.repeat(32_000_000) : 'ok');
    const client = await connect({ settings: [[setting.initialWindowSize, MAX_STREAM]], stalled: true });
    client.send(windowUpdate(0, 100_000_000), ...headers(1, get));
    await client.until(() => client.stream(1).body !== '');
    client.socket.pause();
    while (proxy.counters.errors('SP_CLIENT_SLOW') === 0) {
      // oxlint-disable-next-line no-await-in-loop -- until all buffers between are full and time is over
      await forward(61_000);
    }
    expect(proxy.counters.read('requestsActive')).toBe(0);
    await upstream.until(() => upstream.sockets.some(({ destroyed }) => destroyed));
  });

  test('a client that has gone without a word is found out while it has streams', async () => {
    await start();
    upstream.behaviour = ({ target }) => (target === '/' ? undefined : answer('ok'));
    const client = await connect();
    client.send(...headers(1, get));
    await upstream.until(() => upstream.requests.length === 1);
    // It answers a ping.
    await forward(61_000);
    await forward(21_000);
    await forward(61_000);
    expect(client.isClosed).toBe(false);
    expect(proxy.counters.read('requestsActive')).toBe(1);
    client.socket.pause();
    await forward(61_000);
    await forward(21_000);
    await upstream.until(() => upstream.sockets[0]?.destroyed === true);
    expect(proxy.counters.errors('SP_CLIENT_GONE')).toBe(1);
  });
});

describe('ends', () => {
  test('shutting down lets streams end, tells the last one, and closes', async () => {
    await start();
    upstream.behaviour = () => undefined;
    const client = await connect();
    client.send(...headers(1, get));
    await upstream.until(() => upstream.requests.length === 1);
    const drained = proxy.plane.drain();
    await client.until(() => client.goaways.length === 2);
    expect(client.goaways).toEqual([NONE_TO_COME, { last: 1, code: 'NO_ERROR' }]);
    // Beyond the last stream: not dealt with, which the client knows.
    client.send(...headers(3, get));
    upstream.sockets[0]?.write(answer('done'));
    expect(await client.answer(1)).toMatchObject({ status: 200, body: 'done' });
    await client.untilClosed();
    await drained;
    expect(upstream.requests).toHaveLength(1);
  });

  test('shutting down, a request on its way is served', async () => {
    await start();
    const client = await connect({ silent: true });
    client.send(PREFACE, frame(frameType.settings, 0, 0));
    await client.until(() => client.settings.size > 0);
    const drained = proxy.plane.drain();
    await client.until(() => client.goaways.length === 1);
    client.send(...headers(1, get));
    expect(await client.answer(1)).toMatchObject({ status: 200 });
    await client.untilClosed();
    await drained;
    expect(client.goaways).toEqual([NONE_TO_COME, { last: 1, code: 'NO_ERROR' }]);
  });

  test('a client that says goodbye gets its answers first', async () => {
    await start();
    upstream.behaviour = () => undefined;
    const client = await connect();
    client.send(...headers(1, get), goaway(0));
    await upstream.until(() => upstream.requests.length === 1);
    upstream.sockets[0]?.write(answer('done'));
    expect(await client.answer(1)).toMatchObject({ status: 200, body: 'done' });
    await client.untilClosed();
  });

  test('after so many requests the client is asked to go', async () => {
    await start({ clientKeepAliveRequests: 3 });
    const client = await connect();
    for (let count = 0; count < 3; count++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await client.request(get)).toMatchObject({ status: 200 });
    }
    await client.untilClosed();
    expect(client.goaways).toEqual([NONE_TO_COME, { last: 5, code: 'NO_ERROR' }]);
  });

  test('what breaks the protocol is told, and the connection closed', async () => {
    await start();
    const client = await connect();
    client.send(...headers(2, get));
    await client.untilClosed();
    expect(client.goaways).toEqual([{ last: 0, code: 'PROTOCOL_ERROR' }]);
  });
});

describe('plain connections', () => {
  const h2c = { http2: { offered: true, plain: true, maxConcurrentStreams: 100 } };

  async function connectPlain(options: RawHttp2Options = {}): Promise<RawHttp2Client> {
    const client = await RawHttp2Client.connect(proxy.port, options);
    clients.push(client);
    return client;
  }

  test('the preface of HTTP/2 is refused unless it was asked for', async () => {
    await start();
    const client = await RawClient.connect(proxy.port);
    client.send(PREFACE);
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 400 /);
    client.close();
  });

  test('where it was asked for, it may come in pieces', async () => {
    await start(h2c);
    const client = await connectPlain({ silent: true });
    client.drip(PREFACE, frame(frameType.settings, 0, 0), ...headers(1, get.map(onHttp)));
    expect(await client.answer(1)).toMatchObject({ status: 200 });
    expect(client.settings.get(setting.maxConcurrentStreams)).toBe(100);
  });

  test('HTTP/1 is served beside it', async () => {
    await start(h2c);
    for (const method of ['GET', 'POST', 'PUT', 'PROPFIND']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status } = await request(
        proxy.port,
        `${method} /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n`,
      );
      expect(status).toBe(200);
    }
  });

  test('what is neither is refused', async () => {
    await start(h2c);
    const client = await RawClient.connect(proxy.port);
    client.send('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n');
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 400 /);
    client.close();
  });

  test('who says nothing is closed', async () => {
    await start(h2c);
    const [silent, begun] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    begun.send(PREFACE.subarray(0, 10));
    await request(proxy.port, 'GET /later HTTP/1.1\r\nHost: a.example\r\n\r\n');
    offsetMs += 11_000;
    await Promise.all([silent.untilEnd(), begun.untilEnd()]);
    await proxy.plane.drain();
  });
});

function onHttp([name, value]: readonly [string, string]): readonly [string, string] {
  return name === ':scheme' ? [name, 'http'] : [name, value];
}
