import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';

import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import { startWebSocketEcho } from '../support/websocket-echo.ts';
import type { WebSocketEcho } from '../support/websocket-echo.ts';

// WebSocket over a stream of HTTP/2 (RFC 8441), towards a server that knows HTTP/1.1 alone: several beside each other and
// beside requests, on one connection of node:http2.

let echo: WebSocketEcho;
let proxy: TestProxy;
let session: ClientHttp2Session;

beforeAll(async () => {
  echo = await startWebSocketEcho({ handleProtocols: (offered) => offered.values().next().value ?? false });
  proxy = await startProxy([{ upstream: [echo.port] }], { tls: {} });
  session = await connectTo(proxy);
});

afterAll(async () => {
  session.destroy();
  await proxy.stop();
  await echo.stop();
});

async function connectTo(to: TestProxy): Promise<ClientHttp2Session> {
  const made = connect(`https://localhost:${to.tlsPort}`, { rejectUnauthorized: false });
  made.on('error', () => undefined);
  await once(made, 'remoteSettings');
  expect(made.remoteSettings.enableConnectProtocol).toBe(true);
  return made;
}

interface Accepted {
  readonly client: WebSocket;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What `ws` does behind its own handshake, which knows HTTP/1.1 alone. */
type BehindHandshake = WebSocket & {
  _isServer: boolean;
  setSocket(socket: Duplex, head: Buffer, options: { maxPayload: number; skipUTF8Validation: boolean }): void;
};

function speakOn(stream: Duplex): WebSocket {
  // Without an address it is a server's end, until told otherwise.
  const options = { autoPong: true, closeTimeout: 30_000 };
  const client = new WebSocket(null as unknown as string, undefined, options) as BehindHandshake;
  client._isServer = false;
  client.on('error', () => undefined);
  client.setSocket(stream, Buffer.alloc(0), { maxPayload: 2 ** 27, skipUTF8Validation: false });
  return client;
}

async function open(on = session, fields: Readonly<Record<string, string>> = {}): Promise<Accepted> {
  const stream: ClientHttp2Stream = on.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/chat',
      'sec-websocket-version': '13',
      ...fields,
    },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  expect(headers[':status']).toBe(200);
  const client = speakOn(stream);
  return { client, headers };
}

async function exchange(client: WebSocket, message: string | Buffer): Promise<string | Buffer> {
  const answered = once(client, 'message') as Promise<[Buffer, boolean]>;
  client.send(message);
  const [data, isBinary] = await answered;
  return isBinary ? data : data.toString();
}

async function codeOf(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('text, binary, ping', async () => {
  const { client } = await open();
  expect(await exchange(client, 'hello')).toBe('hello');
  const bytes = Buffer.alloc(8 * 2 ** 20, 'abcdefg');
  expect(digest((await exchange(client, bytes)) as Buffer)).toBe(digest(bytes));
  const pong = once(client, 'pong');
  client.ping('alive?');
  expect(String((await pong)[0])).toBe('alive?');
  client.terminate();
});

test('20 at once on one connection, and a request beside them', async () => {
  const opened = await Promise.all(Array.from({ length: 20 }, () => open()));
  const echoes = opened.map(({ client }, index) => exchange(client, `from ${index}`));
  const request = session.request({ ':path': '/' });
  const [headers] = (await once(request, 'response')) as [Record<string, unknown>];
  // The echo server knows no plain requests.
  expect(headers[':status']).toBe(426);
  request.resume();
  expect(await Promise.all(echoes)).toEqual(opened.map((_, index) => `from ${index}`));
  for (const { client } of opened) client.terminate();
});

test('what the server sees is an upgrade of HTTP/1.1', async () => {
  const { client, headers } = await open(session, {
    'sec-websocket-protocol': 'chat.v2',
    origin: 'https://a.example',
  });
  expect(echo.requests.at(-1)).toMatchObject({
    method: 'GET',
    url: '/chat',
    httpVersion: '1.1',
    headers: {
      upgrade: 'websocket',
      origin: 'https://a.example',
      'x-forwarded-proto': 'https',
    },
  });
  expect(headers['sec-websocket-protocol']).toBe('chat.v2');
  expect(headers).not.toHaveProperty('sec-websocket-accept');
  client.terminate();
});

test.each([1000, 3001])('the client closes with %i', async (code) => {
  const { client } = await open();
  const server = echo.sockets.at(-1) as WebSocket;
  const codes = Promise.all([codeOf(server), codeOf(client)]);
  client.close(code);
  expect(await codes).toEqual([code, code]);
});

test('the server closes', async () => {
  const { client } = await open();
  const server = echo.sockets.at(-1) as WebSocket;
  const codes = Promise.all([codeOf(server), codeOf(client)]);
  server.close(1011);
  expect(await codes).toEqual([1011, 1011]);
});

test('the server is cut off: the stream is, and the connection lives on', async () => {
  const { client } = await open();
  const server = echo.sockets.at(-1) as WebSocket;
  const code = codeOf(client);
  server.terminate();
  expect(await code).toBe(1006);
  const next = await open();
  expect(await exchange(next.client, 'next')).toBe('next');
  next.client.terminate();
});

test('draining: 1001 on every stream, then the connection ends', async () => {
  const own = await startProxy([{ upstream: [echo.port] }], { tls: {} });
  const on = await connectTo(own);
  const opened = await Promise.all(Array.from({ length: 5 }, () => open(on)));
  const codes = Promise.all(opened.map(({ client }) => codeOf(client)));
  const ended = once(on, 'close');
  const drained = own.plane.drain(200);
  expect(await codes).toEqual([1001, 1001, 1001, 1001, 1001]);
  await ended;
  await drained;
  await own.stop();
});
