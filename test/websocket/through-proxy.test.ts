import { createHash } from 'node:crypto';
import { once } from 'node:events';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';

import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions } from '../support/data-plane-harness.ts';
import { RawClient, request } from '../support/raw-client.ts';
import { startWebSocketEcho } from '../support/websocket-echo.ts';
import type { WebSocketEcho } from '../support/websocket-echo.ts';

// WebSocket as its users see it: a client and a server that know nothing of the proxy between them.

let echo: WebSocketEcho;
let proxy: TestProxy;

beforeAll(async () => {
  echo = await startWebSocketEcho({
    handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false),
  });
  proxy = await startProxy([{ upstream: [echo.port] }], { tls: {} });
});

afterAll(async () => {
  await proxy.stop();
  await echo.stop();
});

interface OpenOptions extends ClientOptions {
  readonly protocols?: string[];
  readonly path?: string;
}

/** A client, and its server's end. */
async function open(
  options: OpenOptions = {},
  through = proxy,
): Promise<{ client: WebSocket; server: WebSocket }> {
  const { protocols, path = '/', ...rest } = options;
  const client = new WebSocket(`ws://127.0.0.1:${through.port}${path}`, protocols, rest);
  client.on('error', () => undefined);
  await once(client, 'open');
  return { client, server: echo.sockets.at(-1) as WebSocket };
}

async function closed(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

/** Sends and waits for the echo. */
async function exchange(client: WebSocket, message: string | Buffer): Promise<string | Buffer> {
  const answered = once(client, 'message') as Promise<[Buffer, boolean]>;
  client.send(message);
  const [data, isBinary] = await answered;
  return isBinary ? data : data.toString();
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >>> 8)) & 0xff;
  return bytes;
}

describe('messages', () => {
  test.each(['', 'hello', 'žluťoučký kůň 🐎', 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(65_536)])(
    'text %#',
    async (text) => {
      const { client } = await open({ perMessageDeflate: false });
      expect(await exchange(client, text)).toBe(text);
      client.terminate();
    },
  );

  test.each([0, 1, 125, 126, 65_535, 65_536, 1_000_003])('%i bytes', async (length) => {
    const { client } = await open({ perMessageDeflate: false });
    expect(digest((await exchange(client, pattern(length))) as Buffer)).toBe(digest(pattern(length)));
    client.terminate();
  });

  test('32 MB in one message', async () => {
    const bytes = pattern(32 * 2 ** 20);
    const { client } = await open({ perMessageDeflate: false });
    expect(digest((await exchange(client, bytes)) as Buffer)).toBe(digest(bytes));
    client.terminate();
  });

  test('a message in fragments, with a ping between them', async () => {
    const { client } = await open({ perMessageDeflate: false });
    const answered = once(client, 'message');
    const pong = once(client, 'pong');
    client.send('one ', { fin: false });
    client.ping('between');
    client.send('two ', { fin: false });
    client.send('three', { fin: true });
    expect(String((await pong)[0])).toBe('between');
    expect(String((await answered)[0])).toBe('one two three');
    client.terminate();
  });

  test('1000 messages without waiting, in order', async () => {
    const { client } = await open();
    const received: string[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('message', (data: Buffer) => {
        received.push(data.toString());
        if (received.length === 1000) resolve();
      });
    });
    const sent = Array.from({ length: 1000 }, (_, index) => `message ${index}`);
    for (const message of sent) client.send(message);
    await all;
    expect(received).toEqual(sent);
    client.terminate();
  });

  test('ping and pong from either side', async () => {
    const { client, server } = await open();
    const atClient = once(client, 'pong');
    const atServer = once(server, 'pong');
    client.ping('to the server');
    server.ping('to the client');
    expect(String((await atClient)[0])).toBe('to the server');
    expect(String((await atServer)[0])).toBe('to the client');
    client.terminate();
  });
});

describe('what both sides agree on', () => {
  test('permessage-deflate', async () => {
    const { client } = await open({ perMessageDeflate: true });
    expect(client.extensions).toContain('permessage-deflate');
    const text = 'compressible '.repeat(10_000);
    expect(await exchange(client, text)).toBe(text);
    client.terminate();
  });

  test('no permessage-deflate where the client does not want it', async () => {
    const { client } = await open({ perMessageDeflate: false });
    expect(client.extensions).toBe('');
    client.terminate();
  });

  test('a subprotocol', async () => {
    const { client } = await open({ protocols: ['chat.v1', 'chat.v2'] });
    expect(client.protocol).toBe('chat.v2');
    client.terminate();
  });

  test('path, cookies and Origin reach the server; so does who asks', async () => {
    const { client } = await open({
      path: '/room/7?user=a%20b',
      origin: 'https://app.example',
      headers: { cookie: 'session=1' },
    });
    expect(echo.requests.at(-1)).toMatchObject({
      url: '/room/7?user=a%20b',
      headers: { origin: 'https://app.example', cookie: 'session=1', 'x-forwarded-for': '127.0.0.1' },
    });
    client.terminate();
  });

  test('over TLS', async () => {
    const client = new WebSocket(`wss://127.0.0.1:${proxy.tlsPort}/`, { rejectUnauthorized: false });
    await once(client, 'open');
    expect(await exchange(client, 'hello')).toBe('hello');
    expect(echo.requests.at(-1)?.headers['x-forwarded-proto']).toBe('https');
    client.terminate();
  });
});

describe('the end', () => {
  test.each([
    [1000, 'done'],
    [1001, ''],
    [3000, 'application'],
    [4999, 'ž'.repeat(61)],
  ])('the client closes with %i', async (code, reason) => {
    const { client, server } = await open();
    const [atServer, atClient] = [closed(server), closed(client)];
    client.close(code, reason);
    expect(await atServer).toEqual({ code, reason });
    expect((await atClient).code).toBe(code);
  });

  test.each([
    [1011, 'broken'],
    [4000, ''],
  ])('the server closes with %i', async (code, reason) => {
    const { client, server } = await open();
    const [atServer, atClient] = [closed(server), closed(client)];
    server.close(code, reason);
    expect(await atClient).toEqual({ code, reason });
    expect((await atServer).code).toBe(code);
  });

  test.each(['client', 'server'] as const)('the %s is cut off: the other side hears of it', async (who) => {
    const ends = await open();
    const other = closed(who === 'client' ? ends.server : ends.client);
    ends[who].terminate();
    // 1006: no close frame came.
    expect((await other).code).toBe(1006);
  });

  test('what the server said before it was gone still arrives', async () => {
    const { client, server } = await open({ perMessageDeflate: false });
    const answered = once(client, 'message');
    const end = closed(client);
    server.send('last words');
    server.close(1000);
    expect(String((await answered)[0])).toBe('last words');
    expect((await end).code).toBe(1000);
  });
});

describe('tables that change', () => {
  async function withProxy(
    run: (own: TestProxy) => Promise<void>,
    options: TestProxyOptions = {},
  ): Promise<void> {
    const own = await startProxy([{ host: '', upstream: [echo.port] }], options);
    try {
      await run(own);
    } finally {
      await own.stop();
    }
  }

  test('a tunnel outlives every swap', async () => {
    await withProxy(async (own) => {
      const { client } = await open({}, own);
      for (let generation = 0; generation < 20; generation++) {
        await own.publish([
          { upstream: [echo.port] },
          { path: `/other-${generation}`, upstream: [echo.port] },
        ]);
        expect(await exchange(client, `after ${generation}`)).toBe(`after ${generation}`);
      }
      client.terminate();
    });
  });

  test('it outlives its endpoint’s place in the table, and its route', async () => {
    await withProxy(async (own) => {
      const { client } = await open({}, own);
      await own.publish([{ upstream: [] }]);
      expect(await exchange(client, 'without endpoints')).toBe('without endpoints');
      await own.publish([]);
      expect(await exchange(client, 'without a route')).toBe('without a route');
      // Nobody new gets there.
      const late = new WebSocket(`ws://127.0.0.1:${own.port}/`);
      const [, response] = (await once(late, 'unexpected-response')) as [unknown, { statusCode: number }];
      expect(response.statusCode).toBe(404);
      late.on('error', () => undefined);
      late.terminate();
      const end = closed(client);
      client.close(1000);
      expect((await end).code).toBe(1000);
    });
  });
});

describe('draining', () => {
  test('each gets 1001, spread over the window', async () => {
    const own = await startProxy([{ upstream: [echo.port] }]);
    const count = 20;
    const ends: { client: WebSocket; server: WebSocket }[] = [];
    for (let each = 0; each < count; each++) ends.push(await open({}, own));
    const order: number[] = [];
    const codes = ends.map(({ client, server }, index) =>
      Promise.all([closed(client), closed(server)]).then((both) => {
        order.push(index);
        return both.map(({ code }) => code);
      }),
    );
    const drained = own.plane.drain(1000);
    await codes[0];
    // The others are still served while their turn has not come.
    expect(order.length).toBeLessThan(count);
    expect(await exchange(ends.at(-1)?.client as WebSocket, 'still here')).toBe('still here');
    expect(await Promise.all(codes)).toEqual(Array.from({ length: count }, () => [1001, 1001]));
    await drained;
    await own.stop();
  });

  test('a handshake that ends behind the beginning of the drain gets it too', async () => {
    let accept = (): void => undefined;
    let asked = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const slow = await startWebSocketEcho({
      verifyClient: (_info, answer) => {
        accept = () => answer(true);
        asked();
      },
    });
    const own = await startProxy([{ upstream: [slow.port] }]);
    const client = new WebSocket(`ws://127.0.0.1:${own.port}/`);
    client.on('error', () => undefined);
    const end = closed(client);
    await isAsked;
    const drained = own.plane.drain(1000);
    accept();
    expect((await end).code).toBe(1001);
    await drained;
    await own.stop();
    await slow.stop();
  });

  test('a close frame is not put into the middle of a message', async () => {
    const own = await startProxy([{ upstream: [echo.port] }]);
    const { client, server } = await open({ perMessageDeflate: false }, own);
    // Half a frame: the header says 10 bytes, 5 come.
    const raw = (server as unknown as { _socket: NodeJS.WritableStream })._socket;
    const half = once((client as unknown as { _socket: NodeJS.ReadableStream })._socket, 'data');
    raw.write(Buffer.from([0x81, 10, ...Buffer.from('hello')]));
    await half;
    const messages: string[] = [];
    client.on('message', (data: Buffer) => messages.push(data.toString()));
    const end = closed(client);
    const drained = own.plane.drain(0);
    // Cut rather than garbled.
    expect((await end).code).toBe(1006);
    expect(messages).toEqual([]);
    await drained;
    await own.stop();
  });
});

describe('silence', () => {
  let offsetMs = 0;
  const clock = (): number => performance.now() + offsetMs;

  test('a silent tunnel ends with 1001, one that pings does not', async () => {
    const own = await startProxy([{ upstream: [echo.port] }], {
      settings: { tunnelIdleMs: 60_000 },
      clock,
    });
    const silent = await open({}, own);
    const pinging = await open({}, own);
    const end = closed(silent.client);
    for (let minute = 0; minute < 2; minute++) {
      // A connection that says nothing dies of the same clock: by then the sweep has been.
      const witness = await RawClient.connect(own.port);
      await request(own.port, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').catch(
        () => undefined,
      );
      offsetMs += 40_000;
      await witness.untilEnd();
      witness.close();
      const pong = once(pinging.client, 'pong');
      pinging.client.ping();
      await pong;
    }
    expect((await end).code).toBe(1001);
    expect(await exchange(pinging.client, 'alive')).toBe('alive');
    pinging.client.terminate();
    await own.stop();
  });
});
