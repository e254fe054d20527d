import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { frameType } from '../../src/http2/frames.ts';
import { Http2HostileRig, transports, withBody } from '../support/http2-hostile-harness.ts';
import type { Fields } from '../support/http2-rig.ts';
import { frame } from '../support/http2-rig.ts';
import { headers, literalBlock } from '../support/raw-http2-client.ts';
import { badHosts, goodHosts } from './rows/host-rows.ts';

// Heads of requests over HTTP/2 (RFC 9113 §8.2, §8.3): a malformed one resets its stream, one that is well-formed but must
// not be served is answered, and neither reaches an upstream. Names begin with the row of the corpus.

const badRequest = { status: 400, code: 'SP_BAD_REQUEST' } as const;
const badHost = { status: 400, code: 'SP_BAD_HOST' } as const;

describe.each(transports)('%s', (transport) => {
  let rig: Http2HostileRig;

  beforeAll(async () => {
    rig = await Http2HostileRig.start(transport);
  });

  afterAll(() => rig.stop());

  describe('bytes of names and values', () => {
    test.each<[string, string, string]>([
      ['V01 CR in a value', 'x-a', 'a\rb'],
      ['V01 LF in a value', 'x-a', 'a\nb'],
      ['V01 CR LF in a value', 'x-a', 'a\r\nx-b: c'],
      ['V01 NUL in a value', 'x-a', 'a\0b'],
      ['V01 a space in front of a value', 'x-a', ' a'],
      ['V01 a space behind a value', 'x-a', 'a '],
      ['V01 a tab in front of a value', 'x-a', '\ta'],
      ['V01 a tab behind a value', 'x-a', 'a\t'],
      ['V01 a value of one space', 'x-a', ' '],
      ['V01 DEL in a value', 'x-a', 'a\x7f'],
      ['V01 a colon in a name', 'x:a', 'b'],
      ['V01 a colon behind a name', 'x-a:', 'b'],
      ['V01 a space in a name', 'x a', 'b'],
      ['V01 a tab in a name', 'x\ta', 'b'],
      ['V01 CR LF in a name', 'x-a\r\nx-b', 'c'],
      ['V01 NUL in a name', 'x\0a', 'b'],
      ['V01 8-bit in a name', 'x-\xe9', 'b'],
      ['V01 no name', '', 'b'],
      ['V02 X-A', 'X-A', 'b'],
      ['V02 one capital in the middle', 'x-aBc', 'b'],
      ['V02 Host', 'Host', 'a.example'],
      ['V02 Content-Length', 'Content-Length', '0'],
    ])('%s', async (_, name, value) => {
      await rig.resets(rig.get([name, value]));
    });
  });

  describe(':path', () => {
    test.each([
      ['V03 a space', '/a b'],
      ['V03 a tab', '/a\tb'],
      ['V03 CR LF', '/a\r\nx: y'],
      ['V03 NUL', '/a\0'],
      ['V03 no slash in front', 'case'],
      ['V03 empty', ''],
      ['V03 *', '*'],
      ['V03 absolute', 'http://a.example/case'],
      ['V03 an authority', 'a.example:80'],
      ['V03 a question mark', '?a'],
    ])('%s', async (_, path) => {
      await rig.resets(rig.instead(':path', path));
    });

    test('V03 missing', async () => {
      await rig.resets(rig.without(':path'));
    });

    test.each([
      ['V04 a fragment', '/a#b'],
      ['V04 a fragment alone', '/#'],
      ['V04 é in latin1', '/caf\xe9'],
      ['V04 é in UTF-8', '/caf\xc3\xa9'],
    ])('%s', async (_, path) => {
      await rig.refuses(rig.instead(':path', path), badRequest);
    });

    test('L12 17 KiB', async () => {
      await rig.refuses(rig.instead(':path', `/${'a'.repeat(17 * 1024)}`), {
        status: 414,
        code: 'SP_URI_TOO_LONG',
      });
    });
  });

  describe(':method', () => {
    test.each([
      ['V05 a space', 'GE T'],
      ['V05 CR LF', 'GET\r\nx: y'],
      ['V05 a request line', 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n'],
      ['V05 empty', ''],
    ])('%s', async (_, method) => {
      await rig.resets(rig.instead(':method', method));
    });

    test('V05 missing', async () => {
      await rig.resets(rig.without(':method'));
    });

    test('V05 twice', async () => {
      await rig.resets([[':method', 'GET'], ...rig.get()]);
    });

    test('V05 get', async () => {
      await rig.refuses(rig.instead(':method', 'get'), badRequest);
    });
  });

  describe(':scheme', () => {
    test.each([
      ['V06 ftp', 'ftp'],
      ['V06 another URL', 'https://evil.example/?'],
      ['V06 CR LF', 'http\r\nx: y'],
      ['V06 empty', ''],
    ])('%s', async (_, scheme) => {
      await rig.resets(rig.instead(':scheme', scheme));
    });

    test('V06 missing', async () => {
      await rig.resets(rig.without(':scheme'));
    });

    test('V06 twice', async () => {
      await rig.resets([[':scheme', rig.scheme], ...rig.get()]);
    });

    test('V06 that of the other port', async () => {
      const other = rig.scheme === 'http' ? 'https' : 'http';
      await rig.refuses(rig.instead(':scheme', other), badRequest);
    });
  });

  describe(':authority', () => {
    test.each([
      ['V07 userinfo', 'u@a.example'],
      ['V07 a space', 'a b'],
      ['V07 a path', 'a.example/b'],
      ['V07 a query', 'a.example?b'],
      ['V07 a backslash', 'a.example\\b'],
      ['V07 CR LF', 'a.example\r\nx: y'],
      ['V07 8-bit', 'b\xc3\xbccher.example'],
      ['V07 empty', ''],
    ])('%s', async (_, authority) => {
      await rig.resets(rig.instead(':authority', authority));
    });

    test('V07 missing, and no host', async () => {
      await rig.resets(rig.without(':authority'));
    });

    // What the bytes of an authority can be; the others are V07.
    const wellFormed = badHosts.filter(([, host]) => /^[^@/ ?]+$/.test(host));

    test.each([['V07 a list', 'a,b'], ...wellFormed])('%s', async (_, authority) => {
      await rig.refuses(rig.instead(':authority', authority), badHost);
    });

    test.each(goodHosts)('%s', async (_, sent, host) => {
      const received = await rig.forwards(rig.at('/case', sent), { target: '/case' });
      expect(received.headers.get('host')).toBe(host);
      expect(received.headers.get('x-forwarded-host')).toBe(host);
    });

    test.each<[string, Fields]>([
      ['V08 another host', [['host', 'evil.example']]],
      ['V08 another port', [['host', 'a.example:81']]],
      ['V08 an empty host', [['host', '']]],
      [
        'V08 the same host twice',
        [
          ['host', 'a.example'],
          ['host', 'a.example'],
        ],
      ],
      [
        'V08 the same host, then another',
        [
          ['host', 'a.example'],
          ['host', 'evil.example'],
        ],
      ],
    ])('%s', async (_, fields) => {
      await rig.refuses(rig.get(...fields), badRequest);
    });

    test.each<[string, (of: Http2HostileRig) => Fields]>([
      ['V08 the same host', (of) => of.get(['host', 'a.example'])],
      ['V08 the same host in another case', (of) => of.get(['host', 'A.Example'])],
      ['V08 host alone', (of) => [...of.without(':authority'), ['host', 'a.example']]],
    ])('%s is one name', async (_, fields) => {
      const received = await rig.forwards(fields(rig), { method: 'GET', target: '/case' });
      expect(received.headers.get('host')).toBe('a.example');
    });
  });

  describe('fields of a connection of HTTP/1.1', () => {
    test.each([
      ['V09 transfer-encoding: chunked', 'transfer-encoding', 'chunked'],
      ['V09 transfer-encoding: identity', 'transfer-encoding', 'identity'],
      ['V09 connection: close', 'connection', 'close'],
      ['V09 connection: x-forwarded-for', 'connection', 'x-forwarded-for'],
      ['V09 upgrade: websocket', 'upgrade', 'websocket'],
      ['U01 upgrade: h2c', 'upgrade', 'h2c'],
      ['V09 keep-alive', 'keep-alive', 'timeout=5'],
      ['V09 proxy-connection', 'proxy-connection', 'keep-alive'],
      ['V09 te: gzip', 'te', 'gzip'],
      ['V09 te: trailers, gzip', 'te', 'trailers, gzip'],
    ])('%s', async (_, name, value) => {
      await rig.resets(rig.get([name, value]));
    });

    test('V09 H2.TE with a request in its body', async () => {
      const body = '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';
      await rig.resets(withBody(rig.post(['transfer-encoding', 'chunked']), body));
    });

    test('V09 te: trailers passes', async () => {
      const received = await rig.forwards(rig.get(['te', 'trailers']), { target: '/case' });
      expect(received.headers.get('te')).toBe('trailers');
    });
  });

  describe('rules of pseudo-fields', () => {
    test.each<[string, (of: Http2HostileRig) => Fields]>([
      ['V11 behind a regular field', (of) => [...of.without(':path'), ['x-a', 'b'], [':path', '/case']]],
      ['V11 behind all fields', (of) => [['x-a', 'b'], ...of.get()]],
      ['V11 unknown', (of) => [...of.get(), [':odd', 'a']]],
      ['V11 no name but a colon', (of) => [...of.get(), [':', 'a']]],
      ['V11 :status', (of) => [...of.get(), [':status', '200']]],
      ['V11 :protocol in a GET', (of) => [...of.get(), [':protocol', 'websocket']]],
      ['V11 :path twice', (of) => [...of.get(), [':path', '/admin']]],
      ['V11 :authority twice', (of) => [...of.get(), [':authority', 'evil.example']]],
    ])('%s', async (_, fields) => {
      await rig.resets(fields(rig));
    });

    test('V11 in trailers', async () => {
      await rig.cuts((stream) => [
        ...headers(stream, rig.post(), { endStream: false }),
        ...headers(stream, [[':path', '/admin']]),
      ]);
    });

    test('V11 HEADERS without any field', async () => {
      await rig.resets((stream) => headers(stream, []));
    });
  });

  describe('how a head comes', () => {
    test('V15 in CONTINUATION frames, an octet each', async () => {
      const block = literalBlock(rig.get());
      const parts = [0, 1, 2, 3, 4].map((at) => block.subarray(at, at === 4 ? undefined : at + 1));
      await rig.forwards(
        (stream) =>
          parts.map((part, index) =>
            frame(
              index === 0 ? frameType.headers : frameType.continuation,
              index === 4 ? 4 : Number(index === 0),
              stream,
              part,
            ),
          ),
        { target: '/case' },
      );
    });

    test('V15 a byte at a time', async () => {
      const client = await rig.connect({ silent: true });
      client.drip(
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        frame(frameType.settings, 0, 0),
        ...headers(1, rig.get()),
      );
      expect(await client.answer(1)).toMatchObject({ status: 200, body: 'GET /case ' });
      client.close();
      await rig.rig.canary();
    });

    test('F20 framing behind 2500 tiny fields', async () => {
      const hidden = Array.from({ length: 2500 }, (): [string, string] => ['a', '']);
      await rig.resets(rig.post(...hidden, ['transfer-encoding', 'chunked']), 'ENHANCE_YOUR_CALM');
    });
  });
});
