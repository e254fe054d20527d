import { once } from 'node:events';
import type { Socket } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { tunnelEnds } from '../../src/telemetry/protocol-cells.ts';
import type { TunnelEndReason } from '../../src/telemetry/protocol-cells.ts';
import { HostileRig, expectFinalRefusal, finalAnswers } from '../support/hostile-harness.ts';
import type { Refusal } from '../support/hostile-harness.ts';
import type { RawClient } from '../support/raw-client.ts';
import { answer } from '../support/raw-upstream.ts';
import type { Behaviour } from '../support/raw-upstream.ts';

// Ways out of HTTP (Upgrade, CONNECT) and Expect: bytes belong to nobody before both sides have agreed. Names begin with
// the row of the corpus. Requests for /case are answered with the case's bytes, all others honestly.

let rig: HostileRig;
let honest: Behaviour;

beforeAll(async () => {
  rig = await HostileRig.start();
  honest = rig.upstream.behaviour;
});

afterEach(() => {
  rig.upstream.behaviour = honest;
});

afterAll(() => rig.stop());

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';
const SETTINGS = 'HTTP2-Settings: AAMAAABkAAQAAP__';
const websocket = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const badRequest: Refusal = { status: 400, code: 'SP_BAD_REQUEST' };

function head(fields: readonly string[], line = 'GET /case HTTP/1.1'): string {
  return `${line}\r\nHost: a.example\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
}

function switched(fields: readonly string[]): string {
  return `HTTP/1.1 101 Switching Protocols\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
}

const accepted = switched(['Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Accept: ${ACCEPT}`]);

function answersCase(behaviour: Behaviour): void {
  rig.upstream.behaviour = (request, socket) =>
    request.target === '/case' ? behaviour(request, socket) : honest(request, socket);
}

/** Sends bytes that are answered by one final answer, behind which the connection ends. */
async function finalAnswer(bytes: string): Promise<{ status: number; body: string }> {
  const client = await rig.connect();
  client.send(bytes);
  const answers = await finalAnswers(client);
  client.close();
  expect(answers).toHaveLength(1);
  expect(answers[0]?.headers.get('connection')).toBe('close');
  return { status: answers[0]?.status ?? 0, body: answers[0]?.body ?? '' };
}

describe('h2c', () => {
  test.each([
    ['h2c', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', SETTINGS]],
    ['H2C', ['Connection: upgrade, http2-settings', 'Upgrade: H2C', SETTINGS]],
    ['h2c without its settings named', ['Connection: Upgrade', 'Upgrade: h2c', SETTINGS]],
    ['h2c beside websocket', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: websocket, h2c', SETTINGS]],
    ['h2c before websocket', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c,websocket', SETTINGS]],
    ['h2c in a field of its own', ['Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c', SETTINGS]],
    ['h2', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2', SETTINGS]],
    ['HTTP/2.0', ['Connection: Upgrade', 'Upgrade: HTTP/2.0', SETTINGS]],
  ])('U01 %s', async (_, fields) => {
    const [received] = await rig.forwards(head(fields), [{ method: 'GET', target: '/case', body: '' }]);
    for (const name of ['upgrade', 'http2-settings', 'connection'])
      expect(received?.headers.has(name)).toBe(false);
  });

  test('U01 h2c, then its preface at once: served as HTTP/1.1, then refused', async () => {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    const fields = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', SETTINGS];
    client.send(`${head(fields)}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`);
    const [first, ...rest] = await finalAnswers(client);
    client.close();
    expect(first).toMatchObject({ status: 200, body: 'GET /case ' });
    expectFinalRefusal(rest, 400);
    expect(seen().bytes).not.toContain('PRI');
    await rig.canary();
  });
});

describe('bytes before the 101', () => {
  test.each([
    ['foo, 200', ['Connection: Upgrade', 'Upgrade: foo'], ''],
    ['websocket, 200', websocket, ''],
    ['foo, 200, bytes later', ['Connection: Upgrade', 'Upgrade: foo'], 'later'],
  ])('U02 %s: never sent', async (_, fields, when) => {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    client.send(head(fields) + (when === '' ? SMUGGLED : ''));
    await rig.upstream.until(() => seen().requests.length > 0);
    if (when !== '') client.send(SMUGGLED);
    const answers = await finalAnswers(client);
    client.close();
    expect(answers).toMatchObject([{ status: 200, body: 'GET /case ' }]);
    expect(answers[0]?.headers.get('connection')).toBe('close');
    await rig.canary();
    expect(seen().bytes).not.toContain('smuggled');
    expect(seen().requests).toHaveLength(2);
  });

  test('U02 sent behind a 101, not before', async () => {
    await rig.canary();
    const seen = rig.watch();
    let socket: Socket | undefined;
    answersCase((_, opened) => {
      socket = opened;
      opened.removeAllListeners('data');
      return undefined;
    });
    const client = await rig.connect();
    client.send(head(websocket) + SMUGGLED);
    await rig.upstream.until(() => seen().requests.length > 0).catch(() => undefined);
    const arrived = once(socket as unknown as Socket, 'data');
    (socket as unknown as Socket).write(accepted);
    const [bytes] = (await arrived) as [Buffer];
    expect(bytes.toString('latin1')).toBe(SMUGGLED);
    expect(client.received === '' || client.received.startsWith('HTTP/1.1 101 ')).toBe(true);
    client.close();
    rig.upstream.requests.splice(-1);
    await rig.canary();
  });
});

describe('an upgrade with a body', () => {
  test.each([
    ['a length', [...websocket, 'Content-Length: 5'], 'hello'],
    ['a length and a request in it', [...websocket, `Content-Length: ${SMUGGLED.length}`], SMUGGLED],
    ['chunks', [...websocket, 'Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'],
    ['no chunk', [...websocket, 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['h2c and a length', ['Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 5'], 'hello'],
  ])('U03 %s', async (_, fields, body) => {
    await rig.refuses(head(fields) + body, badRequest);
  });
});

describe('a handshake that the upstream does not accept', () => {
  test.each([
    ['version 777, 426', ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 777'], 426],
    ['no key, 400', ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'], 400],
    ['all well, 200', websocket, 200],
    ['all well, 403', websocket, 403],
  ])('U04 %s', async (_, fields, status) => {
    answersCase(() => `HTTP/1.1 ${status} Whatever\r\nContent-Length: 2\r\n\r\nno`);
    await rig.canary();
    const seen = rig.watch();
    expect(await finalAnswer(head(fields) + SMUGGLED)).toEqual({ status, body: 'no' });
    expect(rig.proxy.counters.read('tunnelsActive')).toBe(0);
    await rig.canary();
    expect(seen().requests).toHaveLength(2);
    expect(seen().bytes).not.toContain('smuggled');
  });
});

describe('a 101 that does not fit', () => {
  const proof = `Sec-WebSocket-Accept: ${ACCEPT}`;
  test.each([
    ['another protocol', websocket, ['Connection: Upgrade', 'Upgrade: h2c', proof]],
    ['no Upgrade', websocket, ['Connection: Upgrade', proof]],
    ['no Connection', websocket, ['Upgrade: websocket', proof]],
    [
      'the wrong proof',
      websocket,
      ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Accept: AAAA'],
    ],
    ['no proof', websocket, ['Connection: Upgrade', 'Upgrade: websocket']],
    ['not asked', [], ['Connection: Upgrade', 'Upgrade: websocket', proof]],
    [
      'asked without Connection',
      ['Upgrade: websocket'],
      ['Connection: Upgrade', 'Upgrade: websocket', proof],
    ],
    ['h2c', ['Connection: Upgrade', 'Upgrade: h2c'], ['Connection: Upgrade', 'Upgrade: h2c']],
  ])('U05 %s', async (_, fields, response) => {
    answersCase(() => `${switched(response)}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
    await rig.canary();
    const seen = rig.watch();
    const socket = rig.upstream.sockets.at(-1);
    expect(await finalAnswer(head(fields) + SMUGGLED)).toEqual({ status: 502, body: '502 Bad Gateway\n' });
    await rig.upstream.until(() => socket?.destroyed === true);
    expect(rig.proxy.counters.read('tunnelsActive')).toBe(0);
    await rig.canary();
    expect(seen().bytes).not.toContain('smuggled');
    expect(seen()).toMatchObject({ dials: 1 });
  });
});

describe('what is no upgrade', () => {
  test.each([
    ['without Connection', head(websocket.slice(1)), 'GET', ''],
    ['Connection names something else', head(['Connection: keep-alive', ...websocket.slice(1)]), 'GET', ''],
    ['POST', `${head([...websocket, 'Content-Length: 5'], 'POST /case HTTP/1.1')}hello`, 'POST', 'hello'],
    ['HTTP/1.0', head(websocket, 'GET /case HTTP/1.0'), 'GET', ''],
  ])('U06 %s', async (_, bytes, method, body) => {
    const [received] = await rig.forwards(bytes, [{ method, target: '/case', body }]);
    expect(received?.headers.has('upgrade')).toBe(false);
    expect(received?.headers.has('connection')).toBe(false);
  });
});

describe('Expect', () => {
  const POST = 'POST /case HTTP/1.1';
  const expecting = head(['Expect: 100-continue', 'Content-Length: 5'], POST);

  /** The upstream sees the head before any body: it is there that the 100 comes from. */
  async function expectHead(): Promise<{
    client: RawClient;
    socket: Socket;
    seen: ReturnType<HostileRig['watch']>;
  }> {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    client.send(expecting);
    await rig.upstream.until(() => seen().bytes.endsWith('\r\n\r\n'));
    expect(client.received).toBe('');
    return { client, socket: rig.upstream.sockets.at(-1) as Socket, seen };
  }

  test.each([
    ['one 100', 1],
    ['two, relayed once', 2],
  ])('U07 %s', async (_, count) => {
    const { client, socket } = await expectHead();
    socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(count));
    expect((await client.response()).status).toBe(100);
    client.send('hello');
    expect(await client.response()).toMatchObject({ status: 200, body: 'POST /case hello' });
    expect(client.received).toBe('');
    client.close();
    await rig.canary();
  });

  test('U07 no 100, the client goes on by itself', async () => {
    const { client } = await expectHead();
    client.send('hello');
    expect(await client.response()).toMatchObject({ status: 200, body: 'POST /case hello' });
    client.close();
    await rig.canary();
  });

  test('U07 a 100 that was not asked for is not relayed', async () => {
    answersCase(() => `HTTP/1.1 100 Continue\r\n\r\n${answer('hello')}`);
    await rig.canary();
    const client = await rig.connect();
    client.send(head([]));
    expect(await client.response()).toMatchObject({ status: 200, body: 'hello' });
    client.close();
    await rig.canary();
  });

  test.each([
    ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', 403],
    ['417', 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno', 417],
  ])('U08 %s before the body', async (_, bytes, status) => {
    const { client, socket, seen } = await expectHead();
    socket.write(bytes);
    const response = await client.response();
    expect(response).toMatchObject({ status, body: 'no' });
    expect(response.headers.get('connection')).toBe('close');
    client.send(`hello${SMUGGLED}`);
    await client.untilEnd();
    expect(client.received).toBe('');
    client.close();
    await rig.upstream.until(() => socket.destroyed);
    await rig.canary();
    expect(seen().bytes).not.toMatch(/hello|smuggled/);
    expect(seen()).toMatchObject({ dials: 1 });
    expect(seen().requests).toHaveLength(1);
  });

  test.each([
    ['y 100-continue', ['Expect: y 100-continue']],
    ['100-continue y', ['Expect: 100-continue y']],
    ['twice', ['Expect: 100-continue', 'Expect: 100-continue']],
    ['a list', ['Expect: 100-continue, 100-continue']],
    ['200-ok', ['Expect: 200-ok']],
    ['empty', ['Expect:']],
  ])('U09 %s', async (_, fields) => {
    await rig.refuses(`${head([...fields, 'Content-Length: 5'], POST)}hello`, {
      status: 417,
      code: 'SP_EXPECTATION',
    });
  });
});

describe('methods that are not for a proxy of this kind', () => {
  const refusal: Refusal = { status: 405, code: 'SP_METHOD_NOT_ALLOWED' };

  test.each([
    ['U10 CONNECT', 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n'],
    [
      'U10 CONNECT with bytes behind it',
      `CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n${SMUGGLED}`,
    ],
    [
      'U10 CONNECT with a body',
      `CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    ],
    [
      'U10 CONNECT with chunks',
      'CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['U10 CONNECT to this machine', 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n'],
    ['U11 TRACE', 'TRACE / HTTP/1.1\r\nHost: a.example\r\nCookie: a=b\r\n\r\n'],
    ['U11 TRACE with a body', 'TRACE / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello'],
  ])('%s', async (_, bytes) => {
    await rig.refuses(bytes, refusal);
  });
});

describe('the end of a tunnel', () => {
  let before: readonly number[];
  const ends = ({ proxy }: HostileRig): readonly number[] =>
    tunnelEnds.map((_, place) => proxy.counters.family('tunnelsClosed', place));

  async function tunnel(): Promise<{ client: RawClient; socket: Socket; heard: () => string }> {
    await rig.canary();
    before = ends(rig);
    let heard = '';
    answersCase((_, socket) => {
      socket.removeAllListeners('data');
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
      return accepted;
    });
    const client = await rig.connect();
    client.send(head(websocket));
    await client.until((received) => received.endsWith('\r\n\r\n'));
    expect(rig.proxy.counters.read('tunnelsActive')).toBe(1);
    return { client, socket: rig.upstream.sockets.at(-1) as Socket, heard: () => heard };
  }

  async function expectOver(client: RawClient, socket: Socket, reason: TunnelEndReason): Promise<void> {
    await client.untilEnd();
    client.close();
    await rig.upstream.until(() => socket.destroyed);
    // The proxy hears of the client's close a turn later.
    while (rig.proxy.counters.read('tunnelsActive') > 0)
      await new Promise((resolve) => setImmediate(resolve));
    expect(ends(rig).map((count, place) => count - (before[place] ?? 0))).toEqual(
      tunnelEnds.map((end) => (end === reason ? 1 : 0)),
    );
    await rig.canary();
  }

  test('U12 the client half-closes: the upstream may still speak', async () => {
    const { client, socket, heard } = await tunnel();
    const ended = once(socket, 'end');
    socket.allowHalfOpen = true;
    client.socket.end('bye');
    await ended;
    expect(heard()).toBe('bye');
    socket.end('farewell');
    expect(await client.untilEnd()).toMatch(/farewell$/);
    await expectOver(client, socket, 'client');
  });

  test('U12 the upstream half-closes', async () => {
    const { client, socket } = await tunnel();
    socket.end('bye');
    expect(await client.untilEnd()).toMatch(/bye$/);
    await expectOver(client, socket, 'upstream');
  });

  test('U12 the client resets', async () => {
    const { client, socket } = await tunnel();
    client.socket.resetAndDestroy();
    await rig.upstream.until(() => socket.destroyed);
    await expectOver(client, socket, 'client');
  });

  test('U12 the upstream resets', async () => {
    const { client, socket } = await tunnel();
    socket.resetAndDestroy();
    await expectOver(client, socket, 'upstream');
  });

  test('U12 nobody speaks for too long', async () => {
    const quiet = await HostileRig.start({ settings: { tunnelIdleMs: 200 } });
    try {
      const own = quiet.upstream.behaviour;
      quiet.upstream.behaviour = (request, socket) =>
        request.target === '/case' ? accepted : own(request, socket);
      const client = await quiet.connect();
      client.send(head(websocket));
      await client.untilEnd();
      expectGoingAway(client.received);
      client.close();
      await quiet.upstream.until(() => quiet.upstream.sockets[0]?.destroyed === true);
      expect(ends(quiet)[tunnelEnds.indexOf('idle')]).toBe(1);
      await quiet.canary();
    } finally {
      await quiet.stop();
    }
  });
});

/** A WebSocket gets its close frame, 1001, and no HTTP. */
function expectGoingAway(received: string): void {
  expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toBe('\x88\x02\x03\xe9');
}
