import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { HostileRig, expectFinalRefusal, finalAnswers } from '../support/hostile-harness.ts';
import type { Refusal } from '../support/hostile-harness.ts';

// Lines and fields (RFC 9112 §2, §3, §5). Names begin with the row of the corpus.

let rig: HostileRig;

beforeAll(async () => {
  rig = await HostileRig.start();
});

afterAll(() => rig.stop());

const badRequest: Refusal = { status: 400, code: 'SP_BAD_REQUEST' };
const otherVersion: Refusal = { status: 505, code: 'SP_VERSION' };
const unknownMethod: Refusal = { status: 501, code: 'SP_NOT_IMPLEMENTED' };
const longTarget: Refusal = { status: 414, code: 'SP_URI_TOO_LONG' };
const longHead: Refusal = { status: 431, code: 'SP_HEAD_TOO_LARGE' };

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** A GET with these lines behind Host. */
function get(lines: string): string {
  return `GET /case HTTP/1.1\r\nHost: a.example\r\n${lines}\r\n`;
}

describe('line ends', () => {
  test.each([
    ['L01 LF behind the request line', 'GET /case HTTP/1.1\nHost: a.example\r\n\r\n'],
    ['L01 LF behind a field', 'GET /case HTTP/1.1\r\nHost: a.example\nX-A: b\r\n\r\n'],
    ['L01 LF for the empty line', 'GET /case HTTP/1.1\r\nHost: a.example\r\n\n'],
    ['L01 LF everywhere', 'GET /case HTTP/1.1\nHost: a.example\n\n'],
    ['L02 CR in a value', get('X-A: b\rc\r\n')],
    ['L02 CR between two fields', get('X-A: b\rContent-Length: 43\r\n') + SMUGGLED],
    ['L02 CR LF CR X for the end', `GET /case HTTP/1.1\r\nHost: a.example\r\n\rX${SMUGGLED}`],
    ['L02 CR behind the request line', 'GET /case HTTP/1.1\rHost: a.example\r\n\r\n'],
    ['L03 a folded value', get('X-A: b\r\n c\r\n')],
    ['L03 a value folded by a tab', get('X-A: b\r\n\tc\r\n')],
    ['L03 a folded Transfer-Encoding', `${get('Transfer-Encoding: chunked\r\n , identity\r\n')}0\r\n\r\n`],
  ])('%s', async (_, bytes) => {
    await rig.refuses(bytes, badRequest);
  });
});

describe('bytes', () => {
  test.each([
    ['L04 NUL in a value', 'X-A: b\0c\r\n'],
    ['L04 0x01 in a value', 'X-A: b\x01c\r\n'],
    ['L04 DEL in a value', 'X-A: b\x7fc\r\n'],
    ['L04 NUL in a name', 'X-\0A: b\r\n'],
    ['L04 an 8-bit byte in a name', 'X-\xc3\xa9: b\r\n'],
    ['L04 a quote in a name', 'X-"A": b\r\n'],
    ['L04 no name', ': b\r\n'],
    ['L04 no colon', 'X-A\r\n'],
  ])('%s', async (_, lines) => {
    await rig.refuses(get(lines), badRequest);
  });

  test.each([
    ['L05 0xff inside', 'b\xffc'],
    ['L05 0xa0 at both edges', '\xa0b\xa0'],
    ['L05 0x85 at both edges', '\x85b\x85'],
    ['L05 UTF-8', 'caf\xc3\xa9'],
  ])('%s of a value goes on byte for byte', async (_, value) => {
    const [request] = await rig.forwards(get(`X-A: ${value}\r\n`), [{ target: '/case' }]);
    expect(request?.headers.get('x-a')).toBe(value);
  });

  test.each([
    'Transfer-Encoding: chunked\xff',
    'Content-Length: 5\xa0',
    'Content-Length: \xb2',
    'Connection: close\x85',
    'Upgrade: web\xffsocket',
    'Expect: 100-continue\xff',
    'Authorization: Basic \xffabc',
    'Proxy-Authorization: Basic \xffabc',
    'Forwarded: for=\xff',
    'X-Forwarded-For: 1.1.1.1\xa0',
    'X-Forwarded-Host: a\xff',
    'X-Forwarded-Proto: https\xa0',
    'X-Forwarded-Port: 443\xa0',
    'X-Real-IP: 1.1.1.1\xa0',
  ])('L05 8-bit byte in %j', async (line) => {
    await rig.refuses(get(`${line}\r\n`), badRequest);
  });

  test('L05 8-bit byte in Host', async () => {
    await rig.refuses('GET /case HTTP/1.1\r\nHost: a\xff.example\r\n\r\n', badRequest);
  });
});

describe('the request line', () => {
  // A version that is none is malformed; one that could be is not supported.
  test.each<[string, string, Refusal]>([
    ['L06 HTTP/0.9', 'GET /case\r\n', badRequest],
    ['L06 HTTP/0.9 with a blank', 'GET /case \r\n', badRequest],
    ['L07 HTTP/2.0', 'GET /case HTTP/2.0\r\nHost: a.example\r\n\r\n', otherVersion],
    ['L07 HTTP/1.2', 'GET /case HTTP/1.2\r\nHost: a.example\r\n\r\n', otherVersion],
    ['L07 http/1.1', 'GET /case http/1.1\r\nHost: a.example\r\n\r\n', badRequest],
    ['L07 HTTP/01.1', 'GET /case HTTP/01.1\r\nHost: a.example\r\n\r\n', badRequest],
    ['L08 two spaces before the target', 'GET  /case HTTP/1.1\r\nHost: a.example\r\n\r\n', badRequest],
    ['L08 two spaces before the version', 'GET /case  HTTP/1.1\r\nHost: a.example\r\n\r\n', badRequest],
    ['L08 a tab before the target', 'GET\t/case HTTP/1.1\r\nHost: a.example\r\n\r\n', badRequest],
    ['L08 a tab before the version', 'GET /case\tHTTP/1.1\r\nHost: a.example\r\n\r\n', badRequest],
    ['L08 a space at the end', 'GET /case HTTP/1.1 \r\nHost: a.example\r\n\r\n', badRequest],
    ['L08 a space at the start', ' GET /case HTTP/1.1\r\nHost: a.example\r\n\r\n', badRequest],
    ['L10 get', 'get /case HTTP/1.1\r\nHost: a.example\r\n\r\n', badRequest],
    ['L10 FOO', 'FOO /case HTTP/1.1\r\nHost: a.example\r\n\r\n', unknownMethod],
  ])('%s', async (_, bytes, refusal) => {
    await rig.refuses(bytes, refusal);
  });

  test('L09 one empty line before', async () => {
    await rig.forwards('\r\nGET /case HTTP/1.1\r\nHost: a.example\r\n\r\n', [{ target: '/case' }]);
  });

  test('L09 two empty lines before', async () => {
    await rig.refuses('\r\n\r\nGET /case HTTP/1.1\r\nHost: a.example\r\n\r\n', badRequest);
  });

  test('L09 a drip: no byte gives more time', async () => {
    const dripped = await HostileRig.start({ settings: { clientHeaderTimeoutMs: 300 } });
    await dripped.canary();
    const seen = dripped.watch();
    const client = await dripped.connect();
    // Ends only because the proxy ends it: well before the request line could be too long.
    for (let drops = '\r\nGET /'; !client.isEnded; drops = drops.slice(1) || 'a') {
      client.send(drops.slice(0, 1));
      await dripped.canary();
    }
    expectFinalRefusal(await finalAnswers(client), 408);
    client.close();
    expect(dripped.errors('SP_CLIENT_TIMEOUT')).toBe(1);
    expect(seen().requests.filter(({ target }) => !target.startsWith('/canary-'))).toEqual([]);
    await dripped.stop();
  });
});

/** Bytes that only look random (a linear congruence), the same in every run. */
function noise(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

const tlsHello = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), noise(7, 506)]);

describe('not HTTP/1', () => {
  test.each<[string, string | Buffer]>([
    ['L11 noise, 1', noise(1, 64)],
    ['L11 noise, 2', noise(2, 512)],
    ['L11 noise, 3', noise(3, 4096)],
    ['L11 a TLS hello', tlsHello],
    ['L11 the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0`],
  ])('%s', async (_, bytes) => {
    await rig.refuses(bytes, badRequest);
  });
});

describe('sizes', () => {
  test.each<[string, string, Refusal]>([
    [
      'L12 a target of 17 KiB',
      `GET /${'a'.repeat(17 * 1024)} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
      longTarget,
    ],
    ['L12 a target of 17 KiB without its end', `GET /${'a'.repeat(17 * 1024)}`, longTarget],
    ['L12 a value of 17 KiB', get(`X-A: ${'b'.repeat(17 * 1024)}\r\n`), longHead],
    ['L12 a head of 33 KiB without its end', get(`X-A: ${'b'.repeat(33 * 1024)}`), longHead],
    ['L12 101 fields', get('X-A: b\r\n'.repeat(100)), longHead],
    ['L12 3000 fields', get('a:b\r\n'.repeat(2999)), longHead],
  ])('%s', async (_, bytes, refusal) => {
    await rig.refuses(bytes, refusal);
  });

  test('L12 100 fields are fine', async () => {
    await rig.forwards(get('X-A: b\r\n'.repeat(99)), [{ target: '/case' }]);
  });
});

describe('names', () => {
  test.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf'])('L13 %s', async (name) => {
    const bytes = `GET /case?${name}=1 HTTP/1.1\r\nHost: a.example\r\n${name}: 2\r\n\r\n`;
    const [request] = await rig.forwards(bytes, [{ target: `/case?${name}=1` }]);
    // Underscores are dropped with every other alias; the others go on.
    expect(request?.headers.get(name.toLowerCase())).toBe(name.includes('_') ? undefined : '2');
  });

  test('L14 90 names like integers', async () => {
    const names = Array.from({ length: 90 }, (_, index) => String(index * 2 ** 24));
    const lines = names.map((name) => `${name}: ${name}\r\n`).join('');
    const [request] = await rig.forwards(get(lines), [{ target: '/case' }]);
    expect(names.filter((name) => request?.headers.get(name) === name)).toEqual(names);
  });

  test('L14 as many query keys as a request line holds', async () => {
    // 10⁴ keys do not fit within the limits of a request line.
    const keys = Array.from({ length: 1300 }, (_, index) => `${index}=`).join('&');
    await rig.forwards(`GET /case?${keys} HTTP/1.1\r\nHost: a.example\r\n\r\n`, [
      { target: `/case?${keys}` },
    ]);
  });
});
