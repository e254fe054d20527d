import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { HostileRig, expectFinalRefusal, finalAnswers } from '../support/hostile-harness.ts';
import type { Refusal } from '../support/hostile-harness.ts';

// The chunked coding (RFC 9112 §7.1). Each refused body comes twice: with its head, and behind a head that an upstream
// already has. Names begin with the row of the corpus.

let rig: HostileRig;

beforeAll(async () => {
  rig = await HostileRig.start();
});

afterAll(() => rig.stop());

const HEAD = 'POST /case HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';
const END = '0\r\n\r\n';

const badChunk: Refusal = { status: 400, code: 'SP_BAD_CHUNK' };
const badTrailer: Refusal = { status: 400, code: 'SP_BAD_REQUEST' };
const framingTrailer: Refusal = { status: 400, code: 'SP_BAD_FRAMING' };
const wasteful: Refusal = { status: 413, code: 'SP_BODY_TOO_LARGE' };
const longTrailer: Refusal = { status: 431, code: 'SP_HEAD_TOO_LARGE' };

const refused: readonly (readonly [name: string, body: string, refusal: Refusal])[] = [
  ['C01 size 0x1', `0x1\r\nh\r\n${END}`, badChunk],
  ['C01 size +1', `+1\r\nh\r\n${END}`, badChunk],
  ['C01 size 0_1', `0_1\r\nh\r\n${END}`, badChunk],
  ['C01 size with a space before', ` 1\r\nh\r\n${END}`, badChunk],
  ['C01 size with a space behind', `1 \r\nh\r\n${END}`, badChunk],
  ['C01 size empty', `\r\nh\r\n${END}`, badChunk],
  ['C01 size of 17 digits', `00000000000000001\r\nh\r\n${END}`, badChunk],
  ['C01 size beyond 2^64', `10000000000000001\r\nh\r\n${END}`, badChunk],
  ['C02 LF behind the size', `5\nhello\r\n${END}`, badChunk],
  ['C02 LF behind the data', `5\r\nhello\n${END}`, badChunk],
  ['C02 LF behind the last size', `5\r\nhello\r\n0\n\r\n${SMUGGLED}`, badChunk],
  ['C02 LF for the empty line', `5\r\nhello\r\n0\r\n\n${SMUGGLED}`, badTrailer],
  ['C02 CR only', `5\rhello\r0\r\r`, badChunk],
  ['C02 CR CR semicolon', `5\r\r;a\r\nhello\r\n${END}`, badChunk],
  ['C03 more data than the size', `1\r\nZZZ\r\n${END}`, badChunk],
  ['C03 no CRLF behind the data', `5\r\nhello${END}`, badChunk],
  ['C05 LF in an extension (TERM.EXT)', `5;a\nb=c\r\nhello\r\n${END}`, badChunk],
  ['C05 CR in an extension', `5;a\rb=c\r\nhello\r\n${END}`, badChunk],
  ['C05 a bare semicolon', `5;\r\nhello\r\n${END}`, badChunk],
  ['C05 NUL in an extension', `5;a=\0\r\nhello\r\n${END}`, badChunk],
  ['C05 CRLF in quotes (EXT.TERM)', `5;a="\r\n"\r\nhello\r\n${END}`, badChunk],
  ['C06 an extension of 17 KiB', `5;a=${'b'.repeat(17 * 1024)}\r\nhello\r\n${END}`, wasteful],
  ['C06 100 bytes of extension a byte', `1;a=${'b'.repeat(98)}\r\nx\r\n`.repeat(1000) + END, wasteful],
  [
    'C07 Content-Length in the trailers',
    `1\r\nh\r\n0\r\nContent-Length: 43\r\n\r\n${SMUGGLED}`,
    framingTrailer,
  ],
  [
    'C07 Transfer-Encoding in the trailers',
    '1\r\nh\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
    framingTrailer,
  ],
  ['C07 Content_Length in the trailers', '1\r\nh\r\n0\r\nContent_Length: 43\r\n\r\n', framingTrailer],
  ['C09 trailers of 9 KiB', `1\r\nh\r\n0\r\nX-A: ${'b'.repeat(9 * 1024)}\r\n\r\n`, longTrailer],
  ['C09 33 trailers', `1\r\nh\r\n0\r\n${'X-A: b\r\n'.repeat(33)}\r\n`, longTrailer],
];

describe('with its head', () => {
  test.each(refused)('%s', async (_, body, refusal) => {
    await rig.refuses(HEAD + body, refusal, 1);
  });
});

describe('behind its head', () => {
  test.each(refused)('%s', async (_, body, refusal) => {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    client.send(HEAD);
    await rig.upstream.until(() => seen().bytes.endsWith('\r\n\r\n'));
    const socket = rig.upstream.sockets.at(-1);
    client.send(body);
    expectFinalRefusal(await finalAnswers(client), refusal.status);
    await rig.upstream.until(() => socket?.destroyed === true);
    client.close();
    // Neither complete there, nor tried again elsewhere.
    expect(seen()).toMatchObject({ requests: [], dials: 0 });
    expect(seen().bytes).not.toContain('smuggled');
    await rig.canary();
  });
});

describe('forwarded', () => {
  test.each([
    ['C04 1;a=b', '5;a=b\r\nhello\r\n'],
    ['C04 a name alone', '5;flag\r\nhello\r\n'],
    ['C04 a quoted value', '5;a="b;\\"c"\r\nhello\r\n'],
    ['C04 blanks that are allowed', '5 ; a = b\r\nhello\r\n'],
  ])('%s, without the extension', async (_, chunks) => {
    const seen = rig.watch();
    await rig.forwards(HEAD + chunks + END, [{ method: 'POST', target: '/case', body: 'hello' }]);
    expect(seen().bytes).toContain('\r\n\r\n5\r\nhello\r\n0\r\n\r\n');
  });

  test.each([
    'Host: evil.example',
    'Authorization: Basic ZXZpbA==',
    'Cookie: evil=1',
    'X-Forwarded-For: 6.6.6.6',
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: https',
    'x_forwarded_for: 6.6.6.6',
    'SSL-Client-Verify: SUCCESS',
    'ssl_client_subject_dn: CN=root',
    'Client-Cert: :AAAA:',
    'Client-Cert-Chain: :AAAA:',
  ])('C08 the trailer %s is dropped', async (field) => {
    const seen = rig.watch();
    const [request] = await rig.forwards(`${HEAD}1\r\nh\r\n0\r\n${field}\r\nX-Sum: 7\r\n\r\n`, [
      { target: '/case', body: 'h' },
    ]);
    expect(seen().bytes).toContain('\r\n0\r\nX-Sum: 7\r\n\r\n');
    expect(seen().bytes).not.toContain(field);
    expect(request?.headers.get('host')).toBe('a.example');
    expect(request?.headers.get('x-forwarded-for')).toBe('127.0.0.1');
  });

  test('C11 100,000 chunks of one byte', async () => {
    const letters = 'abcdefghijklmnopqrst'.repeat(5_000);
    const chunks = letters.replaceAll(/./g, (letter) => `1\r\n${letter}\r\n`);
    const [request] = await rig.forwards(HEAD + chunks + END, [{ method: 'POST', target: '/case' }]);
    // Not by toBe: its message about two such texts would take longer than the test.
    expect(request?.body === letters).toBe(true);
  }, 20_000);
});

test('C10 no last chunk, then FIN', async () => {
  await rig.canary();
  const seen = rig.watch();
  const client = await rig.connect();
  client.send(`${HEAD}5\r\nhello\r\n`);
  await rig.upstream.until(() => seen().bytes.endsWith('hello\r\n'));
  const socket = rig.upstream.sockets.at(-1);
  client.socket.end();
  expectFinalRefusal(await finalAnswers(client), 400);
  await rig.upstream.until(() => socket?.destroyed === true);
  client.close();
  expect(seen()).toMatchObject({ requests: [], dials: 0 });
  expect(seen().bytes).not.toContain('0\r\n\r\n');
  await rig.canary();
});
