import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { Http2HostileRig, transports, withBody } from '../support/http2-hostile-harness.ts';
import { data, reset } from '../support/http2-rig.ts';
import type { Fields } from '../support/http2-rig.ts';
import { headers } from '../support/raw-http2-client.ts';
import { answer } from '../support/raw-upstream.ts';
import type { Behaviour } from '../support/raw-upstream.ts';

// Bodies and trailers over HTTP/2, towards an upstream that speaks HTTP/1.1: what is one request stays one (H2.CL, H2.0).
// Names begin with the row of the corpus.

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';

describe.each(transports)('%s', (transport) => {
  let rig: Http2HostileRig;
  let honest: Behaviour;
  let clockOffsetMs = 0;

  beforeAll(async () => {
    rig = await Http2HostileRig.start(transport, {
      settings: { maxRequestBodyBytes: 1024 * 1024 },
      clock: () => performance.now() + clockOffsetMs,
    });
    honest = rig.rig.upstream.behaviour;
  });

  afterEach(() => {
    rig.rig.upstream.behaviour = honest;
  });

  afterAll(() => rig.stop());

  describe('content-length against DATA', () => {
    test.each<[string, string, readonly string[]]>([
      ['V10 more DATA', '5', ['hello!']],
      ['V10 more DATA, a request behind', '0', [SMUGGLED]],
      ['V10 more DATA in a second frame', '5', ['hello', '!']],
      ['V10 less DATA', '6', ['hello']],
      ['V10 no DATA but an empty frame', '6', ['']],
    ])('%s', async (_, length, pieces) => {
      await rig.cuts(withBody(rig.post(['content-length', length]), ...pieces));
    });

    test.each<[string, readonly string[]]>([
      ['V10 twice, different', ['5', '6']],
      ['V10 twice, the same', ['5', '5']],
      ['V10 a list', ['5, 5']],
      ['V10 +0', ['+0']],
      ['V10 +5', ['+5']],
      ['V10 -5', ['-5']],
      ['V10 0x5', ['0x5']],
      ['V10 05', ['05']],
      ['V10 5_0', ['5_0']],
      ['V10 empty', ['']],
      ['V10 beyond 2^64', ['18446744073709551621']],
    ])('%s', async (_, lengths) => {
      const fields = lengths.map((length): [string, string] => ['content-length', length]);
      await rig.resets(withBody(rig.post(...fields), 'hello'));
    });

    test('V10 on HEADERS that end the stream', async () => {
      await rig.resets(rig.post(['content-length', '5']));
    });

    test('V10 trailers before it is reached', async () => {
      await rig.cuts((stream) => [
        ...headers(stream, rig.post(['content-length', '5']), { endStream: false }),
        data(stream, 'hell'),
        ...headers(stream, [['x-sum', '1']]),
      ]);
    });

    test('V10 trailers behind more', async () => {
      await rig.cuts((stream) => [
        ...headers(stream, rig.post(['content-length', '5']), { endStream: false }),
        data(stream, 'hello!'),
        ...headers(stream, [['x-sum', '1']]),
      ]);
    });

    test('F05 999999999 without a body', async () => {
      await rig.refuses(
        (stream) => headers(stream, rig.post(['content-length', '999999999']), { endStream: false }),
        { status: 413, code: 'SP_BODY_TOO_LARGE' },
      );
    });
  });

  describe('bodies that look like HTTP/1.1', () => {
    test.each<[string, Fields, string]>([
      ['V16 an end of chunks and a request', [], `0\r\n\r\n${SMUGGLED}`],
      ['V16 a request', [], SMUGGLED],
      ['V16 a chunk', [], `2b\r\n${SMUGGLED}\r\n0\r\n\r\n`],
      ['V16 with a length', [['content-length', String(SMUGGLED.length)]], SMUGGLED],
      ['F12 beside transfer_encoding', [['transfer_encoding', 'chunked']], `0\r\n\r\n${SMUGGLED}`],
      ['F12 beside content_length', [['content_length', '0']], SMUGGLED],
    ])('%s', async (_, fields, body) => {
      const received = await rig.forwards(withBody(rig.post(...fields), body), {
        method: 'POST',
        target: '/case',
        body,
      });
      const hasLength = fields.some(([name]) => name === 'content-length');
      expect(received.headers.get('transfer-encoding')).toBe(hasLength ? undefined : 'chunked');
      expect(received.headers.get('content-length')).toBe(hasLength ? String(body.length) : undefined);
      expect(received.head).not.toMatch(/_/);
    });

    test.each(['GET', 'HEAD', 'OPTIONS', 'DELETE'])(
      'F13, F16 %s with a request as its body',
      async (method) => {
        const fields: Fields = [[':method', method], ...rig.get().slice(1)];
        await rig.forwards(withBody(fields, SMUGGLED.slice(0, 10), SMUGGLED.slice(10)), {
          method,
          target: '/case',
          body: SMUGGLED,
        });
      },
    );

    test('F14 a POST that ends with its head', async () => {
      const received = await rig.forwards(rig.post(), { method: 'POST', target: '/case', body: '' });
      expect(received.headers.get('content-length') ?? '0').toBe('0');
      expect(received.headers.has('transfer-encoding')).toBe(false);
    });
  });

  describe('trailers', () => {
    const sent =
      (...trailers: Fields) =>
      (stream: number) => [
        ...headers(stream, rig.post(), { endStream: false }),
        data(stream, 'hello'),
        ...headers(stream, trailers),
      ];

    test.each<[string, string, string]>([
      ['C07 content-length', 'content-length', '5'],
      ['C07 transfer-encoding', 'transfer-encoding', 'chunked'],
      ['C07 connection', 'connection', 'close'],
    ])('%s', async (_, name, value) => {
      await rig.cuts(sent([name, value]));
    });

    test.each<[string, string]>([
      ['host', 'evil.example'],
      ['authorization', 'Basic eDp5'],
      ['cookie', 'a=b'],
      ['x-forwarded-for', '10.0.0.1'],
      ['x-real-ip', '10.0.0.1'],
      ['x-request-id', 'abc'],
      ['ssl-client-verify', 'SUCCESS'],
      ['client-cert', ':AAAA:'],
    ])('C08 %s is dropped', async (name, value) => {
      const seen = rig.watch();
      const received = await rig.forwards(sent([name, value], ['x-sum', '1']), {
        body: 'hello',
        target: '/case',
      });
      expect(received.head).not.toContain(value);
      expect(seen().bytes.slice(seen().bytes.indexOf('hello'))).not.toContain(value);
    });

    test.each<[string, Fields]>([
      ['C09 33 fields', Array.from({ length: 33 }, (_, index) => [`x-${index}`, ''])],
      ['C09 9 KiB', [['x-a', 'b'.repeat(9 * 1024)]]],
    ])('%s', async (_, trailers) => {
      await rig.cuts(sent(...trailers), 'ENHANCE_YOUR_CALM');
    });
  });

  describe('bodies that do not come', () => {
    test('F17 three bytes of ten, then RST_STREAM', async () => {
      await rig.rig.canary();
      const seen = rig.watch();
      const client = await rig.connect();
      const stream = client.nextStream();
      client.send(
        ...headers(stream, rig.post(['content-length', '10']), { endStream: false }),
        data(stream, 'abc'),
      );
      await rig.rig.upstream.until(() => seen().bytes.endsWith('abc'));
      const socket = rig.rig.upstream.sockets.at(-1);
      client.send(reset(stream));
      await rig.rig.upstream.until(() => socket?.destroyed === true);
      await rig.goesOn(client);
      client.close();
      expect(seen()).toMatchObject({ requests: [{ target: '/goes-on' }], dials: 1 });
      await rig.rig.canary();
    });

    test('F15, R11 the upstream answers before the body', async () => {
      await rig.rig.canary();
      const seen = rig.watch();
      const client = await rig.connect();
      const stream = client.nextStream();
      client.send(...headers(stream, rig.post(['content-length', '100']), { endStream: false }));
      await rig.rig.upstream.until(() => seen().bytes.endsWith('\r\n\r\n'));
      const socket = rig.rig.upstream.sockets.at(-1);
      socket?.write(answer('early'));
      expect(await client.answer(stream)).toMatchObject({ status: 200, body: 'early', isEnded: true });
      await rig.rig.upstream.until(() => socket?.destroyed === true);
      client.send(data(stream, SMUGGLED));
      await rig.goesOn(client);
      client.close();
      expect(seen().bytes).not.toContain('smuggled');
      expect(seen().requests).toMatchObject([{ target: '/goes-on' }]);
      await rig.rig.canary();
    });

    test('F21 a pause past the timeout, then what looks like a request', async () => {
      await rig.rig.canary();
      const seen = rig.watch();
      const client = await rig.connect();
      const stream = client.nextStream();
      client.send(...headers(stream, rig.post(['content-length', '45']), { endStream: false }));
      await rig.rig.upstream.until(() => seen().bytes.endsWith('\r\n\r\n'));
      const socket = rig.rig.upstream.sockets.at(-1);
      clockOffsetMs += 11_000;
      expect(await client.answer(stream)).toMatchObject({ status: 408 });
      client.send(data(stream, SMUGGLED));
      await rig.rig.upstream.until(() => socket?.destroyed === true);
      client.close();
      expect(seen().requests).toEqual([]);
      expect(seen().bytes).not.toContain('smuggled');
      await rig.rig.canary();
    });
  });

  describe('many at once', () => {
    test('F19 50 GETs in one segment, each its own answer', async () => {
      const client = await rig.connect();
      const streams = Array.from({ length: 50 }, () => client.nextStream());
      client.send(...streams.flatMap((stream) => headers(stream, rig.at(`/s-${stream}`))));
      for (const stream of streams) {
        expect(await client.answer(stream)).toMatchObject({ status: 200, body: `GET /s-${stream} ` });
      }
      await rig.goesOn(client);
      client.close();
      await rig.rig.canary();
    });

    test('R07 an answer that is cut resets its stream alone', async () => {
      rig.rig.upstream.behaviour = (request, socket) => {
        if (request.target !== '/case') return honest(request, socket);
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
        return undefined;
      };
      const client = await rig.connect();
      const cut = await client.request(rig.get());
      expect(cut).toMatchObject({ isEnded: false });
      expect(cut.reset).toMatch(/^(INTERNAL_ERROR|CANCEL)$/);
      await rig.goesOn(client);
      client.close();
      await rig.rig.canary();
    });
  });
});
