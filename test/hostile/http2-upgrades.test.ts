import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { Http2HostileRig, transports, withBody } from '../support/http2-hostile-harness.ts';
import { data, reset } from '../support/http2-rig.ts';
import type { Fields } from '../support/http2-rig.ts';
import { headers } from '../support/raw-http2-client.ts';
import type { RawHttp2Client } from '../support/raw-http2-client.ts';
import type { Behaviour } from '../support/raw-upstream.ts';

// Ways out of HTTP over HTTP/2: CONNECT, extended CONNECT (RFC 8441), and Expect. Names begin with the row of the corpus.

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';
/** The upstream's agreement, with the proof that the key demands (RFC 6455 §4.2.2). */
function switched(key: string): string {
  const proof = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${proof}\r\n\r\n`;
}

const notAllowed = { status: 405, code: 'SP_METHOD_NOT_ALLOWED' } as const;

describe.each(transports)('%s', (transport) => {
  let rig: Http2HostileRig;
  let honest: Behaviour;
  let clockOffsetMs = 0;

  beforeAll(async () => {
    rig = await Http2HostileRig.start(transport, { clock: () => performance.now() + clockOffsetMs });
    honest = rig.rig.upstream.behaviour;
  });

  afterEach(() => {
    rig.rig.upstream.behaviour = honest;
  });

  afterAll(() => rig.stop());

  function answersCase(behaviour: Behaviour): void {
    rig.rig.upstream.behaviour = (request, socket) =>
      request.target === '/case' ? behaviour(request, socket) : honest(request, socket);
  }

  const connect = (authority: string, ...fields: Fields): Fields => [
    [':method', 'CONNECT'],
    [':authority', authority],
    ...fields,
  ];

  describe('methods that are not for a proxy of this kind', () => {
    test.each<[string, string]>([
      ['V12, U10 CONNECT', 'a.example:443'],
      ['U10 CONNECT to this machine', '127.0.0.1:22'],
    ])('%s', async (_, authority) => {
      await rig.refuses((stream) => headers(stream, connect(authority)), notAllowed);
    });

    test.each<[string, string]>([
      ['V12, U10 CONNECT with DATA', SMUGGLED],
      ['V12 CONNECT with an empty DATA', ''],
    ])('%s', async (_, body) => {
      await rig.refuses(withBody(connect('a.example:80'), body), notAllowed);
    });

    test.each<[string, Fields]>([
      ['U10 CONNECT with a length', [['content-length', '5']]],
      ['U10 CONNECT with a path', [[':path', '/']]],
    ])('%s', async (_, fields) => {
      const [method, authority, ...rest] = connect('a.example:80', ...fields);
      const pseudoFirst = [...rest, method, authority].filter((field) => field !== undefined);
      const ordered = [
        ...pseudoFirst.filter(([name]) => name.startsWith(':')),
        ...pseudoFirst.filter(([name]) => !name.startsWith(':')),
      ];
      await rig.resets((stream) => headers(stream, ordered, { endStream: false }));
    });

    test.each<[string, string | undefined]>([
      ['U11 TRACE', undefined],
      ['U11 TRACE with a body', 'hello'],
    ])('%s', async (_, body) => {
      const fields: Fields = [[':method', 'TRACE'], ...rig.get(['cookie', 'a=b']).slice(1)];
      await rig.refuses(body === undefined ? fields : withBody(fields, body), notAllowed);
    });
  });

  describe('Expect', () => {
    const expecting = (): Fields => rig.post(['expect', '100-continue'], ['content-length', '5']);

    async function expectHead(): Promise<{ client: RawHttp2Client; stream: number; socket: Socket }> {
      await rig.rig.canary();
      const seen = rig.watch();
      const client = await rig.connect();
      const stream = client.nextStream();
      client.send(...headers(stream, expecting(), { endStream: false }));
      await rig.rig.upstream.until(() => seen().bytes.endsWith('\r\n\r\n'));
      expect(seen().bytes.toLowerCase()).toContain('\r\nexpect: 100-continue\r\n');
      return { client, stream, socket: rig.rig.upstream.sockets.at(-1) as Socket };
    }

    test.each([
      ['one 100', 1],
      ['two, relayed once', 2],
    ])('U07 %s', async (_, count) => {
      const { client, stream, socket } = await expectHead();
      socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(count));
      await client.until(() => client.stream(stream).informational.length > 0);
      client.send(data(stream, 'hello', 1));
      expect(await client.answer(stream)).toMatchObject({
        informational: [100],
        status: 200,
        body: 'POST /case hello',
      });
      await rig.goesOn(client);
      client.close();
      await rig.rig.canary();
    });

    test('U08 403 before the body', async () => {
      const { client, stream, socket } = await expectHead();
      const seen = rig.watch();
      socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      expect(await client.answer(stream)).toMatchObject({ status: 403, body: 'no', isEnded: true });
      await rig.rig.upstream.until(() => socket.destroyed);
      client.send(data(stream, 'hello', 1));
      await rig.goesOn(client);
      client.close();
      expect(seen().bytes).not.toContain('hello');
      expect(seen()).toMatchObject({ requests: [{ target: '/goes-on' }], dials: 1 });
      await rig.rig.canary();
    });

    test.each<[string, Fields]>([
      ['y 100-continue', [['expect', 'y 100-continue']]],
      [
        'twice',
        [
          ['expect', '100-continue'],
          ['expect', '100-continue'],
        ],
      ],
      ['a list', [['expect', '100-continue, 100-continue']]],
      ['200-ok', [['expect', '200-ok']]],
      ['empty', [['expect', '']]],
    ])('U09 %s', async (_, fields) => {
      await rig.refuses(withBody(rig.post(...fields), 'hello'), { status: 417, code: 'SP_EXPECTATION' });
    });
  });

  describe('extended CONNECT', () => {
    const extended = (protocol = 'websocket', ...fields: Fields): Fields => [
      [':method', 'CONNECT'],
      [':protocol', protocol],
      ...rig.get(['sec-websocket-version', '13'], ...fields).slice(1),
    ];

    /** Agrees to the upgrade as its key demands, and tells what comes behind. */
    function acceptsCase(heard: (text: string) => void = () => undefined): void {
      answersCase((request, socket) => {
        socket.removeAllListeners('data');
        socket.on('data', (chunk: Buffer) => heard(chunk.toString('latin1')));
        return switched(request.headers.get('sec-websocket-key') ?? '');
      });
    }

    async function tunnel(): Promise<{
      client: RawHttp2Client;
      stream: number;
      socket: Socket;
      heard: () => string;
    }> {
      let heard = '';
      acceptsCase((text) => (heard += text));
      await rig.rig.canary();
      const client = await rig.connect();
      const stream = client.nextStream();
      await client.until(() => client.settings.size > 0);
      expect(client.settings.get(8)).toBe(1);
      client.send(...headers(stream, extended(), { endStream: false }));
      await client.until(() => client.stream(stream).status > 0);
      expect(client.stream(stream)).toMatchObject({ status: 200, isEnded: false });
      expect(rig.rig.proxy.counters.read('connectTunnelsActive')).toBe(1);
      return { client, stream, socket: rig.rig.upstream.sockets.at(-1) as Socket, heard: () => heard };
    }

    async function expectOver(client: RawHttp2Client, socket: Socket): Promise<void> {
      await rig.rig.upstream.until(() => socket.destroyed);
      while (rig.rig.proxy.counters.read('connectTunnelsActive') > 0)
        await new Promise((resolve) => setImmediate(resolve));
      await rig.goesOn(client);
      client.close();
      await rig.rig.canary();
    }

    test('V12 is an upgrade of HTTP/1.1 to the upstream', async () => {
      await rig.rig.canary();
      acceptsCase();
      const client = await rig.connect();
      const stream = client.nextStream();
      client.send(...headers(stream, extended(), { endStream: false }));
      await client.until(() => client.stream(stream).status > 0);
      const received = rig.rig.upstream.requests.at(-1);
      expect(received).toMatchObject({ method: 'GET', target: '/case' });
      expect(received?.headers.get('connection')?.toLowerCase()).toBe('upgrade');
      expect(received?.headers.get('upgrade')).toBe('websocket');
      expect(received?.headers.get('sec-websocket-key')).toMatch(/^[A-Za-z0-9+/]{22}==$/);
      expect(client.stream(stream).headers.has('sec-websocket-accept')).toBe(false);
      client.close();
      await rig.rig.upstream.until(() => rig.rig.upstream.sockets.at(-1)?.destroyed === true);
      await rig.rig.canary();
    });

    test.each([
      ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'],
      ['426', 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno'],
      ['302', 'HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 2\r\n\r\nno'],
      ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'],
      ['101 with the wrong proof', switched('AAAA')],
      [
        '101 without a proof',
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      ],
    ])('V12 %s is 502', async (_, bytes) => {
      answersCase(() => bytes);
      await rig.rig.canary();
      const socket = rig.rig.upstream.sockets.at(-1);
      const client = await rig.connect();
      const stream = client.nextStream();
      client.send(...headers(stream, extended(), { endStream: false }), data(stream, SMUGGLED));
      expect(await client.answer(stream)).toMatchObject({ status: 502, isEnded: true });
      await rig.rig.upstream.until(() => socket?.destroyed === true);
      expect(rig.rig.upstream.bytes.join('')).not.toContain('smuggled');
      await rig.goesOn(client);
      client.close();
      await rig.rig.canary();
    });

    test('V12 a protocol that is not WebSocket', async () => {
      await rig.rig.canary();
      const seen = rig.watch();
      const client = await rig.connect();
      const stream = client.nextStream();
      client.send(...headers(stream, extended('connect-udp'), { endStream: false }));
      expect(await client.answer(stream)).toMatchObject({ status: 501, isEnded: true });
      expect(seen()).toEqual({ requests: [], bytes: '', dials: 0 });
      await rig.goesOn(client);
      client.close();
      await rig.rig.canary();
    });

    test('U02 bytes before the agreement come behind it', async () => {
      let heard = '';
      let agree = (): void => undefined;
      answersCase((request, socket) => {
        socket.removeAllListeners('data');
        socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
        agree = () => void socket.write(switched(request.headers.get('sec-websocket-key') ?? ''));
        return undefined;
      });
      await rig.rig.canary();
      const requests = rig.rig.upstream.requests.length;
      const client = await rig.connect();
      const stream = client.nextStream();
      client.send(...headers(stream, extended(), { endStream: false }), data(stream, SMUGGLED));
      await rig.rig.upstream.until(() => rig.rig.upstream.requests.length > requests);
      await rig.goesOn(client);
      expect(heard).toBe('');
      agree();
      await client.until(() => client.stream(stream).status === 200);
      while (heard === '') await new Promise((resolve) => setImmediate(resolve));
      expect(heard).toBe(SMUGGLED);
      client.close();
    });

    test('U12 bytes both ways, then the client ends its side', async () => {
      const { client, stream, socket, heard } = await tunnel();
      socket.write('hello');
      await client.until(() => client.stream(stream).body === 'hello');
      const ended = once(socket, 'end');
      socket.allowHalfOpen = true;
      client.send(data(stream, 'bye', 1));
      await ended;
      expect(heard()).toBe('bye');
      socket.end('farewell');
      expect(await client.answer(stream)).toMatchObject({ body: 'hellofarewell', isEnded: true });
      await expectOver(client, socket);
    });

    test('U12 the upstream ends its side', async () => {
      const { client, stream, socket } = await tunnel();
      socket.end('bye');
      // No reset comes behind the end: there are clients that forget what they have not read when one does.
      expect(await client.answer(stream)).toMatchObject({ body: 'bye', isEnded: true, reset: undefined });
      client.send(data(stream, '', 1));
      await expectOver(client, socket);
    });

    test('U12 the upstream ends, and the client never does', async () => {
      const { client, stream, socket } = await tunnel();
      socket.end('bye');
      expect(await client.answer(stream)).toMatchObject({ isEnded: true, reset: undefined });
      await rig.rig.upstream.until(() => socket.destroyed);
      clockOffsetMs += 3_000;
      await client.until(() => client.stream(stream).reset !== undefined);
      expect(client.stream(stream).reset).toBe('NO_ERROR');
      await expectOver(client, socket);
    });

    test('U12 the client resets', async () => {
      const { client, stream, socket } = await tunnel();
      client.send(reset(stream));
      await expectOver(client, socket);
    });

    test('U12 the upstream resets', async () => {
      const { client, stream, socket } = await tunnel();
      socket.resetAndDestroy();
      const { isEnded, reset: code } = await client.answer(stream);
      expect(isEnded || code !== undefined).toBe(true);
      await expectOver(client, socket);
    });

    test('U12 the connection goes', async () => {
      const { client, socket } = await tunnel();
      client.close();
      await rig.rig.upstream.until(() => socket.destroyed);
      await rig.rig.canary();
    });
  });
});
