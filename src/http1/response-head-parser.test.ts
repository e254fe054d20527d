import { describe, expect, test } from '@jest/globals';

import { isRefusal, readResponse, testLimits } from '../../test/support/codec-harness.ts';
import type { ReadResponse } from '../../test/support/codec-harness.ts';
import { ResponseHeadParser } from './response-head-parser.ts';

function withFields(...lines: readonly string[]): string {
  return `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

function accepted(text: string, method = 'GET'): ReadResponse {
  const read = readResponse(text, method);
  if (read === undefined || isRefusal(read)) throw new Error(`not accepted: ${JSON.stringify(read)}`);
  return read;
}

function outcome(text: string, method = 'GET'): string {
  const read = readResponse(text, method);
  if (read === undefined) return 'incomplete';
  return isRefusal(read) ? read.code : 'accepted';
}

describe('a head that is in order', () => {
  test('is read field by field', () => {
    const text = 'HTTP/1.1 404 Not \xe4t all\r\nServer: x\r\nContent-Length: 3\r\n\r\n';
    expect(accepted(`${text}abc`)).toEqual({
      consumed: text.length,
      status: 404,
      reason: 'Not \xe4t all',
      minor: 1,
      fields: [
        ['Server', 'x'],
        ['Content-Length', '3'],
      ],
      framing: 'length',
      contentLength: 3,
      keepAlive: true,
      tokens: [],
      upgrade: undefined,
    });
  });

  test.each([
    ['HTTP/1.1 200 \r\n\r\n', ''],
    ['HTTP/1.1 200\r\n\r\n', ''],
    ['HTTP/1.0 200 OK\r\n\r\n', 'OK'],
  ])('%j', (text, reason) => {
    expect(accepted(text)).toMatchObject({ status: 200, reason });
  });

  test('the next one is read with the same object', () => {
    const parser = new ResponseHeadParser(testLimits);
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n';
    const bytes = Buffer.from(`${early}${withFields('Content-Length: 1')}x`, 'latin1');
    expect(parser.parse(bytes, 0, bytes.length, 'GET')).toBe(early.length);
    expect(parser.head).toMatchObject({ status: 103, framing: 'none' });
    expect(parser.parse(bytes, early.length, bytes.length, 'GET')).toBe(bytes.length - 1);
    expect(parser.head).toMatchObject({ status: 200, framing: 'length', contentLength: 1 });
  });
});

describe('framing', () => {
  test.each([
    ['GET', 200, ['Content-Length: 0'], 'length', 0],
    ['GET', 200, ['Content-Length: 12'], 'length', 12],
    ['GET', 200, ['Transfer-Encoding: Chunked'], 'chunked', 0],
    ['GET', 200, [], 'close', 0],
    ['HEAD', 200, ['Content-Length: 12'], 'none', 0],
    ['HEAD', 200, ['Transfer-Encoding: chunked'], 'none', 0],
    ['HEAD', 200, [], 'none', 0],
    ['GET', 204, [], 'none', 0],
    ['GET', 204, ['Content-Length: 12'], 'none', 0],
    ['GET', 304, ['Content-Length: 12'], 'none', 0],
    ['GET', 100, [], 'none', 0],
    ['GET', 101, ['Connection: upgrade', 'Upgrade: websocket'], 'none', 0],
    ['POST', 599, [], 'close', 0],
  ] as const)('%s %i %j', (method, status, lines, ...[framing, contentLength]) => {
    const text = withFields(...lines).replace('200 OK', `${status} X`);
    expect(accepted(text, method)).toMatchObject({
      status,
      framing,
      contentLength,
      keepAlive: framing !== 'close',
    });
  });

  test('an upgrade is told when Connection names it', () => {
    expect(accepted(withFields('Connection: Upgrade', 'Upgrade: WebSocket')).upgrade).toBe('websocket');
    expect(accepted(withFields('Upgrade: WebSocket')).upgrade).toBeUndefined();
  });

  test.each([
    ['HTTP/1.1', [], true],
    ['HTTP/1.1', ['Connection: close'], false],
    ['HTTP/1.0', [], false],
    ['HTTP/1.0', ['Connection: keep-alive'], true],
  ] as const)('%s with %j keeps the connection: %s', (version, lines, keepAlive) => {
    const text = withFields('Content-Length: 0', ...lines).replace('HTTP/1.1', version);
    expect(accepted(text).keepAlive).toBe(keepAlive);
  });
});

describe('refusals', () => {
  test.each([
    ['R01 CL+TE', withFields('Content-Length: 3', 'Transfer-Encoding: chunked')],
    ['R01 CL twice, different', withFields('Content-Length: 3', 'Content-Length: 4')],
    ['R01 CL twice, same', withFields('Content-Length: 3', 'Content-Length: 3')],
    ['R01 CL list', withFields('Content-Length: 3, 3')],
    ['R01 CL +1', withFields('Content-Length: +1')],
    ['R01 CL empty', withFields('Content-Length:')],
    ['R01 CL beyond 2^53', withFields('Content-Length: 9007199254740992')],
    ['R01 bare LF behind the status line', 'HTTP/1.1 200 OK\nA: b\r\n\r\n'],
    ['R01 bare LF behind a field', withFields('A: b\nC: d')],
    ['R01 folded', withFields('A: b', ' c')],
    ['R01 NUL in a value', withFields('A: b\0')],
    ['R01 CR in a value', withFields('A: b\rc')],
    ['R01 NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    ['R01 CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n'],
    ['R01 bad name', withFields('A b: c')],
    ['R01 blank before the colon', withFields('A : c')],
    ['R01 no colon', withFields('A')],
    ['R02 TE xchunked', withFields('Transfer-Encoding: xchunked')],
    ['R02 TE chunked, gzip', withFields('Transfer-Encoding: chunked, gzip')],
    ['R02 TE gzip, chunked', withFields('Transfer-Encoding: gzip, chunked')],
    ['R02 TE twice', withFields('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
    ['R02 TE empty', withFields('Transfer-Encoding:')],
    ['R02 TE with a tab behind', withFields('Transfer-Encoding: chunked\t')],
    ['R01 CL with a tab before', withFields('Content-Length:\t3')],
    ['TE on HTTP/1.0', withFields('Transfer-Encoding: chunked').replace('1.1', '1.0')],
    ['8-bit in a framing field', withFields('Connection: close\xff')],
    ['R05 status 099', 'HTTP/1.1 099 X\r\n\r\n'],
    ['R05 status 600', 'HTTP/1.1 600 X\r\n\r\n'],
    ['R05 status 2000', 'HTTP/1.1 2000 X\r\n\r\n'],
    ['R05 status of two digits', 'HTTP/1.1 20 Xyz\r\n\r\n'],
    ['R05 status of letters', 'HTTP/1.1 OK! X\r\n\r\n'],
    ['R08 head of 40 KB', withFields(`A: ${'b'.repeat(40_000)}`)],
    ['R08 reason of 40 KB', `HTTP/1.1 200 ${'b'.repeat(40_000)}`],
    ['R08 300 fields', withFields(...Array.from({ length: 300 }, () => 'A: b'))],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['two blanks', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['leading empty line', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['HTTP/0.9', '<html></html>'],
  ])('%s', (_label, text) => {
    expect(outcome(text)).toBe('SP_UPSTREAM_PROTOCOL');
  });

  test('framing faults count for HEAD too', () => {
    expect(outcome(withFields('Content-Length: x'), 'HEAD')).toBe('SP_UPSTREAM_PROTOCOL');
  });

  test('8-bit bytes pass in every other field', () => {
    expect(
      accepted(withFields('X-Forwarded-For: \xff', 'Authorization: \xff', 'Content-Length: 0')).fields[0],
    ).toEqual(['X-Forwarded-For', '\xff']);
  });

  test('a head of exactly the limit passes', () => {
    const limits = { ...testLimits, maxHeadBytes: 64 };
    const text = (bytes: number) => withFields(`A: ${'b'.repeat(bytes - withFields('A: ').length)}`);
    expect(readResponse(text(64), 'GET', limits)).toMatchObject({ consumed: 64 });
    expect(readResponse(text(65), 'GET', limits)).toMatchObject({ code: 'SP_UPSTREAM_PROTOCOL' });
  });
});
