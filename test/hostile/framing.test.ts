import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { HostileRig, expectFinalRefusal, finalAnswers } from '../support/hostile-harness.ts';
import type { Refusal } from '../support/hostile-harness.ts';
import { answer } from '../support/raw-upstream.ts';

// Framing: where a message ends must be one answer for every reader (RFC 9112 §6.3). Names begin with the row of the corpus.

let rig: HostileRig;
let clockOffsetMs = 0;

beforeAll(async () => {
  rig = await HostileRig.start({
    settings: { maxRequestBodyBytes: 1_000_000 },
    clock: () => performance.now() + clockOffsetMs,
  });
});

afterAll(() => rig.stop());

const framing: Refusal = { status: 400, code: 'SP_BAD_FRAMING' };
const badRequest: Refusal = { status: 400, code: 'SP_BAD_REQUEST' };
const tooLarge: Refusal = { status: 413, code: 'SP_BODY_TOO_LARGE' };
const unknownCoding: Refusal = { status: 501, code: 'SP_NOT_IMPLEMENTED' };

/** A POST with these field lines behind Host. */
function post(fields: readonly string[], body = '', version = '1.1'): string {
  return `POST /case HTTP/${version}\r\nHost: a.example\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`;
}

function chunk(data: string): string {
  return `${data.length.toString(16)}\r\n${data}\r\n`;
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked';
const END = '0\r\n\r\n';

describe('both framings', () => {
  test.each([
    ['F01 CL before TE, leftover G', ['Content-Length: 6', CHUNKED], `${END}G`],
    ['F01 TE before CL, leftover G', [CHUNKED, 'Content-Length: 6'], `${END}G`],
    ['F01 CL.TE with a request behind', ['Content-Length: 5', CHUNKED], `${END}${SMUGGLED}`],
    ['F01 TE.CL with a request in a chunk', [CHUNKED, 'Content-Length: 4'], `${chunk(SMUGGLED)}${END}`],
  ])('%s', async (_, fields, body) => {
    await rig.refuses(post(fields, body), framing);
  });
});

describe('Content-Length', () => {
  test.each([
    ['F02 two, different', ['Content-Length: 5', 'Content-Length: 6'], 'hello!'],
    ['F02 two, the same', ['Content-Length: 5', 'Content-Length: 5'], 'hello'],
    ['F02 a list', ['Content-Length: 1, 1'], 'h'],
    ['F02 a smuggled GET as the body', ['Content-Length: 0', `Content-Length: ${SMUGGLED.length}`], SMUGGLED],
    ['F03 +1', ['Content-Length: +1'], 'h'],
    ['F03 -1', ['Content-Length: -1'], 'h'],
    ['F03 0x1', ['Content-Length: 0x1'], 'h'],
    ['F03 1_0', ['Content-Length: 1_0'], 'helloworld'],
    ['F03 1 0', ['Content-Length: 1 0'], 'helloworld'],
    ['F03 empty', ['Content-Length:'], ''],
    ['F03 beyond 2^64', ['Content-Length: 18446744073709551617'], 'h'],
    ['F04 0001', ['Content-Length: 0001'], 'h'],
    ['F04 00', ['Content-Length: 00'], ''],
  ])('%s', async (_, fields, body) => {
    await rig.refuses(post(fields, body), framing);
  });

  test('F03 VT before', async () => {
    await rig.refuses(post(['Content-Length: \x0b1'], 'h'), badRequest);
  });

  test.each([
    ['F05 2^53 + 1', '9007199254740993'],
    ['F05 999999999 without a body', '999999999'],
  ])('%s', async (_, length) => {
    await rig.refuses(post([`Content-Length: ${length}`]), tooLarge);
  });
});

describe('blanks around names', () => {
  test.each([
    ['F06 a space before the colon', post(['Content-Length : 5'], 'hello')],
    ['F06 a tab before the colon', post(['Content-Length\t: 5'], 'hello')],
    [
      'F06 a space before the first field',
      'POST / HTTP/1.1\r\n Content-Length: 5\r\nHost: a.example\r\n\r\nhello',
    ],
    [
      'F06 a tab before the first field',
      'POST / HTTP/1.1\r\n\tContent-Length: 5\r\nHost: a.example\r\n\r\nhello',
    ],
  ])('%s', async (_, bytes) => {
    await rig.refuses(bytes, badRequest);
  });
});

describe('Transfer-Encoding', () => {
  // A coding by a name that could be one is not implemented; what cannot be a coding is malformed.
  test.each<[string, readonly string[], Refusal]>([
    ['F07 xchunked', ['Transfer-Encoding: xchunked'], unknownCoding],
    ['F07 identity', ['Transfer-Encoding: identity'], framing],
    ['F07 gzip', ['Transfer-Encoding: gzip'], unknownCoding],
    ['F07 "chunked" in quotes', ['Transfer-Encoding: "chunked"'], framing],
    ['F07 chunked;a=b', ['Transfer-Encoding: chunked;a=b'], framing],
    ['F07 NBSP before', ['Transfer-Encoding: \xa0chunked'], badRequest],
    ['F07 NBSP behind', ['Transfer-Encoding: chunked\xa0'], badRequest],
    ['F08 gzip, chunked', ['Transfer-Encoding: gzip, chunked'], unknownCoding],
    ['F08 ,chunked', ['Transfer-Encoding: ,chunked'], framing],
    ['F09 chunked, gzip', ['Transfer-Encoding: chunked, gzip'], framing],
    ['F09 chunked,', ['Transfer-Encoding: chunked,'], framing],
    ['F09 two lines', [CHUNKED, CHUNKED], framing],
    ['F09 gzip and chunked on two lines', ['Transfer-Encoding: gzip', CHUNKED], framing],
    ['F09 chunked, chunked', ['Transfer-Encoding: chunked, chunked'], framing],
    ['F09 identity, chunked', ['Transfer-Encoding: identity, chunked'], framing],
    ['F09 chunked, identity', ['Transfer-Encoding: chunked, identity'], framing],
    ['F10 VT', ['Transfer-Encoding: \x0bchunked'], badRequest],
    ['F10 FF', ['Transfer-Encoding: chunked\x0c'], badRequest],
    ['F10 NUL', ['Transfer-Encoding: chunked\0'], badRequest],
    ['F10 folded', ['Transfer-Encoding:', ' chunked'], badRequest],
    ['F10 empty', ['Transfer-Encoding:'], framing],
  ])('%s', async (_, fields, refusal) => {
    await rig.refuses(post(fields, `5\r\nhello\r\n${END}`), refusal);
  });

  test.each([
    ['F11 chunked on HTTP/1.0', [CHUNKED]],
    ['F11 chunked with a length on HTTP/1.0', [CHUNKED, 'Content-Length: 15']],
  ])('%s', async (_, fields) => {
    await rig.refuses(post(fields, `5\r\nhello\r\n${END}`, '1.0'), framing);
  });
});

describe('aliases', () => {
  test.each([
    [
      'F12 Transfer_Encoding beside a length',
      ['Transfer_Encoding: chunked', 'Content-Length: 5'],
      'hello',
      'hello',
    ],
    ['F12 Content_Length beside chunks', ['Content_Length: 3', CHUNKED], `5\r\nhello\r\n${END}`, 'hello'],
    ['F12 Content_Length alone', [`Content_Length: 5`], '', ''],
    ['F12 Transfer_Encoding alone', [`Transfer_Encoding: chunked`], '', ''],
  ])('%s', async (_, fields, sent, body) => {
    const [request] = await rig.forwards(post(fields, sent), [{ method: 'POST', target: '/case', body }]);
    expect(request?.head).not.toMatch(/_/);
  });
});

describe('a request that looks like two, or two that look like one', () => {
  test.each(['GET', 'HEAD', 'OPTIONS'])('F13 %s with a request as its body', async (method) => {
    const head = `${method} /outer HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n`;
    await rig.forwards(head + SMUGGLED, [{ method, target: '/outer', body: SMUGGLED }]);
  });

  test('F14 a POST without a length and a second request', async () => {
    await rig.forwards(`POST /first HTTP/1.1\r\nHost: a.example\r\n\r\n${SMUGGLED}`, [
      { method: 'POST', target: '/first', body: '' },
      { method: 'GET', target: '/smuggled', body: '' },
    ]);
  });

  test('F15 the upstream answers before the body', async () => {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    client.send(post(['Content-Length: 100']));
    await rig.upstream.until(() => seen().bytes.endsWith('\r\n\r\n'));
    const socket = rig.upstream.sockets.at(-1);
    socket?.write(answer('early'));
    const [response, ...more] = await finalAnswers(client);
    expect(response).toMatchObject({ status: 200, body: 'early' });
    expect(response?.headers.get('connection')).toBe('close');
    expect(more).toEqual([]);
    await rig.upstream.until(() => socket?.destroyed === true);
    client.send(SMUGGLED);
    client.close();
    expect(seen().bytes).not.toContain('smuggled');
    expect(seen().requests).toEqual([]);
    await rig.canary();
  });

  test.each(['DELETE', 'OPTIONS', 'GET'])('F16 %s in chunks with a body', async (method) => {
    const head = `${method} /c HTTP/1.1\r\nHost: a.example\r\n${CHUNKED}\r\n\r\n`;
    const [request] = await rig.forwards(`${head}${chunk(SMUGGLED)}${END}`, [
      { method, target: '/c', body: SMUGGLED },
    ]);
    expect(request?.headers.get('transfer-encoding')).toBe('chunked');
    expect(request?.headers.has('content-length')).toBe(false);
  });
});

describe('bodies that do not come', () => {
  test('F17 three bytes of ten, then FIN', async () => {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    client.send(post(['Content-Length: 10'], 'abc'));
    await rig.upstream.until(() => seen().bytes.endsWith('abc'));
    const socket = rig.upstream.sockets.at(-1);
    client.socket.end();
    expectFinalRefusal(await finalAnswers(client), 400);
    client.close();
    await rig.upstream.until(() => socket?.destroyed === true);
    expect(seen()).toMatchObject({ requests: [], dials: 0 });
    await rig.canary();
    expect(seen()).toMatchObject({ requests: [{ method: 'GET' }], dials: 1 });
  });

  test('F18 bytes behind Connection: close', async () => {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    client.send(`GET /last HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n${SMUGGLED}\0garbage`);
    const answers = await finalAnswers(client);
    client.close();
    expect(answers).toMatchObject([{ status: 200, body: 'GET /last ' }]);
    expect(answers[0]?.headers.get('connection')).toBe('close');
    expect(seen().requests.map(({ target }) => target)).toEqual(['/last']);
    await rig.canary();
  });

  test('F19 50 GETs in one segment', async () => {
    const targets = Array.from({ length: 50 }, (_, index) => `/pipelined-${index}`);
    const bytes = targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a.example\r\n\r\n`).join('');
    const requests = await rig.forwards(
      bytes,
      targets.map((target) => ({ method: 'GET', target })),
    );
    // One in flight: a second one at a time would have needed a second connection.
    expect(new Set(requests.map(({ connection }) => connection)).size).toBe(1);
  });

  test('F20 a length hidden behind 2500 tiny fields', async () => {
    const hidden = [...Array.from({ length: 2500 }, () => 'a:'), 'Content-Length: 45'];
    await rig.refuses(post(hidden, SMUGGLED), { status: 431, code: 'SP_HEAD_TOO_LARGE' });
  });

  test('F21 a pause past the timeout, then what looks like a request', async () => {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    client.send(post([`Content-Length: ${SMUGGLED.length}`]));
    await rig.upstream.until(() => seen().bytes.endsWith('\r\n\r\n'));
    const socket = rig.upstream.sockets.at(-1);
    clockOffsetMs += 11_000;
    await client.until((received) => received.includes('408'));
    client.send(SMUGGLED);
    expectFinalRefusal(await finalAnswers(client), 408);
    await rig.upstream.until(() => socket?.destroyed === true);
    client.close();
    expect(seen().requests).toEqual([]);
    expect(seen().bytes).not.toContain('smuggled');
    await rig.canary();
  });
});
