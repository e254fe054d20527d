import { describe, expect, test } from '@jest/globals';

import { isRefusal, readRequest, testLimits } from '../../test/support/codec-harness.ts';
import type { ReadRequest } from '../../test/support/codec-harness.ts';
import { RequestHeadParser } from './request-head-parser.ts';

/** A request whose only peculiarity is these field lines. */
function withFields(...lines: readonly string[]): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

function withLine(line: string): string {
  return `${line}\r\nHost: a\r\n\r\n`;
}

function accepted(text: string): ReadRequest {
  const read = readRequest(text);
  if (read === undefined || isRefusal(read)) throw new Error(`not accepted: ${JSON.stringify(read)}`);
  return read;
}

/** Code of the refusal; 'accepted' or 'incomplete' where there is none. */
function outcome(text: string): string {
  const read = readRequest(text);
  if (read === undefined) return 'incomplete';
  return isRefusal(read) ? read.code : 'accepted';
}

describe('a head that is in order', () => {
  test('is read field by field', () => {
    const text =
      'GET /a/b?c=d HTTP/1.1\r\nHost: Example.com:8080\r\nX-A:  two words \t\r\nx-a:\r\nACCEPT:*/*\r\n\r\n';
    expect(accepted(`${text}GET`)).toEqual({
      consumed: text.length,
      method: 'GET',
      target: '/a/b?c=d',
      authority: 'Example.com:8080',
      scheme: '',
      pathAndQuery: '/a/b?c=d',
      minor: 1,
      fields: [
        ['Host', 'Example.com:8080'],
        ['X-A', 'two words'],
        ['x-a', ''],
        ['ACCEPT', '*/*'],
      ],
      framing: 'none',
      contentLength: 0,
      keepAlive: true,
      tokens: [],
      upgrade: undefined,
      expectContinue: false,
    });
  });

  test('gives lower-case names beside those received', () => {
    const parser = new RequestHeadParser(testLimits);
    const bytes = Buffer.from('GET / HTTP/1.1\r\nHOST: a\r\nX-OdD-Name: v\r\n\r\n', 'latin1');
    expect(parser.parse(bytes, 0, bytes.length)).toBe(bytes.length);
    const { names, lower, length } = parser.head.headers;
    expect(names.slice(0, length)).toEqual(['HOST', 'X-OdD-Name']);
    expect(lower.slice(0, length)).toEqual(['host', 'x-odd-name']);
  });

  test('may be pipelined behind another, and the head object is used again', () => {
    const first = 'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    const second = 'GET /2 HTTP/1.0\r\n\r\n';
    const bytes = Buffer.from(first + second, 'latin1');
    const parser = new RequestHeadParser(testLimits);
    expect(parser.parse(bytes, 0, bytes.length)).toBe(first.length);
    expect(parser.head.framing).toBe('length');
    expect(parser.parse(bytes, first.length, bytes.length)).toBe(bytes.length);
    expect(parser.head).toMatchObject({
      method: 'GET',
      target: '/2',
      minor: 0,
      authority: '',
      framing: 'none',
      keepAlive: false,
      connectionTokens: [],
    });
    expect(parser.head.headers.length).toBe(0);
  });

  const methods = [
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PATCH',
    'PROPFIND',
    'VERSION-CONTROL',
  ];

  test.each(methods)('may have the method %s', (method) => {
    expect(accepted(withLine(`${method} / HTTP/1.1`)).method).toBe(method);
  });

  test('a fault stays until the parser is reset', () => {
    const parser = new RequestHeadParser(testLimits);
    const bad = Buffer.from('get / HTTP/1.1\r\n\r\n');
    const good = Buffer.from('GET / HTTP/1.0\r\n\r\n');
    expect(parser.parse(bad, 0, bad.length)).toBe(-1);
    expect(parser.parse(good, 0, good.length)).toBe(-1);
    parser.reset();
    expect(parser.parse(good, 0, good.length)).toBe(good.length);
    expect(parser.fault).toBeUndefined();
  });
});

describe('framing', () => {
  test.each([
    ['no body', [], 'none', 0],
    ['Content-Length', ['Content-Length: 42'], 'length', 42],
    ['Content-Length of nothing', ['content-length: 0'], 'length', 0],
    ['the largest length', ['Content-Length: 9007199254740991'], 'length', Number.MAX_SAFE_INTEGER],
    ['chunked', ['Transfer-Encoding: chunked'], 'chunked', 0],
    ['chunked in other case', ['transfer-encoding:  CHUNKED '], 'chunked', 0],
    ['F12 aliases are not framing', ['Transfer_Encoding: chunked', 'Content_Length: 9'], 'none', 0],
    ['F12 aliases beside the true one', ['Content_Length: 9', 'Content-Length: 3'], 'length', 3],
  ] as const)('%s', (_label, lines, framing, contentLength) => {
    expect(accepted(withFields(...lines))).toMatchObject({ framing, contentLength });
  });

  test.each([
    ['F01 CL.TE', ['Content-Length: 6', 'Transfer-Encoding: chunked'], 'SP_BAD_FRAMING'],
    ['F01 TE.CL', ['Transfer-Encoding: chunked', 'Content-Length: 6'], 'SP_BAD_FRAMING'],
    ['F02 CL.CL different', ['Content-Length: 6', 'Content-Length: 7'], 'SP_BAD_FRAMING'],
    ['F02 CL.CL same', ['Content-Length: 6', 'Content-Length: 6'], 'SP_BAD_FRAMING'],
    ['F02 CL list', ['Content-Length: 1, 1'], 'SP_BAD_FRAMING'],
    ['F03 CL +1', ['Content-Length: +1'], 'SP_BAD_FRAMING'],
    ['F03 CL -1', ['Content-Length: -1'], 'SP_BAD_FRAMING'],
    ['F03 CL 0x1', ['Content-Length: 0x1'], 'SP_BAD_FRAMING'],
    ['F03 CL 1_0', ['Content-Length: 1_0'], 'SP_BAD_FRAMING'],
    ['F03 CL 1 0', ['Content-Length: 1 0'], 'SP_BAD_FRAMING'],
    ['F03 CL empty', ['Content-Length:'], 'SP_BAD_FRAMING'],
    ['F03 CL blank', ['Content-Length:   '], 'SP_BAD_FRAMING'],
    ['F03 CL with VT', ['Content-Length: \x0b1'], 'SP_BAD_REQUEST'],
    ['F03 CL with NBSP', ['Content-Length: \xa01'], 'SP_BAD_REQUEST'],
    ['F03 CL beyond 2^64', ['Content-Length: 18446744073709551617'], 'SP_BAD_FRAMING'],
    ['F04 CL 0001', ['Content-Length: 0001'], 'SP_BAD_FRAMING'],
    ['F04 CL 00', ['Content-Length: 00'], 'SP_BAD_FRAMING'],
    ['F05 CL 2^53', ['Content-Length: 9007199254740992'], 'SP_BODY_TOO_LARGE'],
    ['F05 CL 2^53 + 1', ['Content-Length: 9007199254740993'], 'SP_BODY_TOO_LARGE'],
    ['F05 CL of 400 digits', [`Content-Length: ${'9'.repeat(400)}`], 'SP_BAD_FRAMING'],
    ['F06 blank before colon', ['Content-Length : 6'], 'SP_BAD_REQUEST'],
    ['F06 tab before colon', ['Content-Length\t: 6'], 'SP_BAD_REQUEST'],
    ['F07 TE xchunked', ['Transfer-Encoding: xchunked'], 'SP_NOT_IMPLEMENTED'],
    ['F07 TE identity', ['Transfer-Encoding: identity'], 'SP_BAD_FRAMING'],
    ['F07 TE gzip', ['Transfer-Encoding: gzip'], 'SP_NOT_IMPLEMENTED'],
    ['F07 TE quoted', ['Transfer-Encoding: "chunked"'], 'SP_BAD_FRAMING'],
    ['F07 TE with parameter', ['Transfer-Encoding: chunked;a=b'], 'SP_BAD_FRAMING'],
    ['F07 TE with NBSP', ['Transfer-Encoding: \xa0chunked'], 'SP_BAD_REQUEST'],
    ['F08 TE gzip, chunked', ['Transfer-Encoding: gzip, chunked'], 'SP_NOT_IMPLEMENTED'],
    ['F08 TE ,chunked', ['Transfer-Encoding: ,chunked'], 'SP_BAD_FRAMING'],
    ['F09 TE chunked, gzip', ['Transfer-Encoding: chunked, gzip'], 'SP_BAD_FRAMING'],
    ['F09 TE chunked,', ['Transfer-Encoding: chunked,'], 'SP_BAD_FRAMING'],
    ['F09 TE two lines', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], 'SP_BAD_FRAMING'],
    [
      'F09 TE two lines with gzip',
      ['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'],
      'SP_BAD_FRAMING',
    ],
    ['F09 TE chunked, chunked', ['Transfer-Encoding: chunked, chunked'], 'SP_BAD_FRAMING'],
    ['F09 TE chunked, identity', ['Transfer-Encoding: chunked, identity'], 'SP_BAD_FRAMING'],
    ['F09 TE identity, chunked', ['Transfer-Encoding: identity, chunked'], 'SP_BAD_FRAMING'],
    ['F10 TE with VT', ['Transfer-Encoding: \x0bchunked'], 'SP_BAD_REQUEST'],
    ['F10 TE with FF', ['Transfer-Encoding: chunked\x0c'], 'SP_BAD_REQUEST'],
    ['F10 TE with NUL', ['Transfer-Encoding: chunked\0'], 'SP_BAD_REQUEST'],
    ['F10 TE folded', ['Transfer-Encoding:', ' chunked'], 'SP_BAD_REQUEST'],
    ['F10 TE with a tab behind', ['Transfer-Encoding: chunked\t'], 'SP_BAD_REQUEST'],
    ['F10 TE with a tab before', ['Transfer-Encoding:\tchunked'], 'SP_BAD_REQUEST'],
    ['F03 CL with a tab', ['Content-Length: 5 \t'], 'SP_BAD_REQUEST'],
    ['F10 TE empty', ['Transfer-Encoding:'], 'SP_BAD_FRAMING'],
  ] as const)('%s', (_label, lines, code) => {
    expect(outcome(withFields(...lines))).toBe(code);
  });

  test('F06 blank before the first field', () => {
    expect(outcome('GET / HTTP/1.1\r\n Host: a\r\n\r\n')).toBe('SP_BAD_REQUEST');
    expect(outcome('GET / HTTP/1.1\r\n\tHost: a\r\n\r\n')).toBe('SP_BAD_REQUEST');
  });

  test.each(['', 'Content-Length: 5\r\n'])('F11 Transfer-Encoding on HTTP/1.0 with %j', (more) => {
    expect(outcome(`POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${more}\r\n`)).toBe(
      'SP_BAD_FRAMING',
    );
  });

  test('F20 a length hidden behind 2,500 small fields', () => {
    expect(outcome(withFields(...Array.from({ length: 2500 }, () => 'a:b'), 'Content-Length: 5'))).toBe(
      'SP_HEAD_TOO_LARGE',
    );
  });
});

describe('lines', () => {
  test.each([
    ['L01 bare LF behind the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
    ['L01 bare LF behind a field', 'GET / HTTP/1.1\r\nHost: a\nA: b\r\n\r\n'],
    ['L01 bare LF at the end', 'GET / HTTP/1.1\r\nHost: a\r\n\n'],
    ['L01 bare LF everywhere', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['L01 bare LF in a name', 'GET / HTTP/1.1\r\nHost\n: a\r\n\r\n'],
    ['L01 bare LF in the target', 'GET /\n HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['L01 LF first', '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['L02 bare CR in a value', withFields('A: b\rc')],
    ['L02 bare CR as line end', 'GET / HTTP/1.1\r\nHost: a\rA: b\r\n\r\n'],
    ['L02 bare CR in the end', 'GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n'],
    ['L02 bare CR behind the request line', 'GET / HTTP/1.1\rHost: a\r\n\r\n'],
    ['L02 CR CR LF', 'GET / HTTP/1.1\r\nHost: a\r\r\n\r\n'],
    ['L02 CR in the target', 'GET /\ra HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['L03 folded value', withFields('A: b', ' c')],
    ['L03 folded value with a tab', withFields('A: b', '\tc')],
    ['L04 NUL in a value', withFields('A: b\0c')],
    ['L04 0x01 in a value', withFields('A: b\x01c')],
    ['L04 DEL in a value', withFields('A: b\x7fc')],
    ['L04 NUL in a name', withFields('A\0: b')],
    ['L04 8-bit in a name', withFields('A\xe9: b')],
    ['L04 quote in a name', withFields('"A": b')],
    ['L04 bracket in a name', withFields('A(b): c')],
    ['L04 no name', withFields(': b')],
    ['L04 no colon', withFields('Abc')],
    ['L04 no colon but blank', withFields('Abc def')],
    ['L06 HTTP/0.9', 'GET /\r\n'],
    ['L06 HTTP/0.9 with a blank', 'GET / \r\n\r\n\r\n\r\n\r\n'],
    ['L07 lower-case version', withLine('GET / http/1.1')],
    ['L07 01.1', withLine('GET / HTTP/01.1')],
    ['L07 1.10', withLine('GET / HTTP/1.10')],
    ['L07 no minor', withLine('GET / HTTP/1')],
    ['L07 another protocol', withLine('GET / ICY/1.1')],
    ['L08 two blanks before the target', withLine('GET  / HTTP/1.1')],
    ['L08 two blanks before the version', withLine('GET /  HTTP/1.1')],
    ['L08 tab before the target', withLine('GET\t/ HTTP/1.1')],
    ['L08 tab before the version', withLine('GET /\tHTTP/1.1')],
    ['L08 trailing blank', withLine('GET / HTTP/1.1 ')],
    ['L08 leading blank', withLine(' GET / HTTP/1.1')],
    ['L09 two leading empty lines', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['L09 leading CR', '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['L10 lower-case method', withLine('get / HTTP/1.1')],
    ['L10 method with a bracket', withLine('GE[T / HTTP/1.1')],
    ['L10 endless method', 'A'.repeat(100)],
    ['L11 random bytes', '\x93\x1f\xe0\x00\x07\r\n\r\n'],
    ['L11 TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['L11 HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['8-bit byte in the target', withLine('GET /\xe9 HTTP/1.1')],
    ['NUL in the target', withLine('GET /\0 HTTP/1.1')],
    ['DEL in the target', withLine('GET /\x7f HTTP/1.1')],
  ])('%s', (_label, text) => {
    expect(outcome(text)).toBe('SP_BAD_REQUEST');
  });

  test.each([
    ['L07 HTTP/2.0', 'GET / HTTP/2.0'],
    ['L07 HTTP/1.2', 'GET / HTTP/1.2'],
    ['L07 HTTP/0.9', 'GET / HTTP/0.9'],
    ['L07 HTTP/3.1', 'GET / HTTP/3.1'],
  ])('%s is a version that is not spoken', (_label, line) => {
    expect(outcome(withLine(line))).toBe('SP_VERSION');
  });

  test('L10 an unknown method in capitals is not implemented', () => {
    expect(outcome(withLine('FOO / HTTP/1.1'))).toBe('SP_NOT_IMPLEMENTED');
  });

  test('L09 one leading empty line is skipped', () => {
    const text = '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n';
    expect(accepted(text)).toMatchObject({ consumed: text.length, method: 'GET', target: '/' });
    expect(outcome('\r\n')).toBe('incomplete');
  });

  test('L05 8-bit values pass byte for byte', () => {
    const { fields } = accepted(withFields('A: \xffb\x80', 'B: \xa0edge\x85'));
    expect(fields.slice(1)).toEqual([
      ['A', '\xffb\x80'],
      ['B', '\xa0edge\x85'],
    ]);
  });

  test.each([
    ['Host', 'GET / HTTP/1.1\r\nHost: a\xe9\r\n\r\n'],
    ['Transfer-Encoding', withFields('Transfer-Encoding: chunked\xff')],
    ['Content-Length', withFields('Content-Length: 1\xff')],
    ['Connection', withFields('Connection: close\xff')],
    ['Upgrade', withFields('Upgrade: websocket\xff')],
    ['Expect', withFields('Expect: 100-continue\xff')],
    ['Authorization', withFields('Authorization: Basic \xff')],
    ['X-Forwarded-For', withFields('X-Forwarded-For: 1.2.3.4\xa0')],
  ])('L05 8-bit bytes are refused in %s', (_name, text) => {
    expect(outcome(text)).toBe('SP_BAD_REQUEST');
  });

  test('L13 names that are special to objects are ordinary', () => {
    const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf'];
    const { fields } = accepted(withFields(...names.map((name) => `${name}: x`)));
    expect(fields.slice(1).map(([name]) => name)).toEqual(names);
  });
});

describe('sizes', () => {
  test('L12 a target of 17 KiB', () => {
    expect(outcome(withLine(`GET /${'a'.repeat(17_408)} HTTP/1.1`))).toBe('SP_URI_TOO_LONG');
  });

  test('L12 the request line may have exactly its limit', () => {
    const fits = 8192 - 'GET / HTTP/1.1'.length;
    expect(outcome(withLine(`GET /${'a'.repeat(fits)} HTTP/1.1`))).toBe('accepted');
    expect(outcome(withLine(`GET /${'a'.repeat(fits + 1)} HTTP/1.1`))).toBe('SP_URI_TOO_LONG');
  });

  test('L12 a head may have exactly its limit', () => {
    const limits = { ...testLimits, maxHeadBytes: 100 };
    const head = (bytes: number) => {
      const start = `GET / HTTP/1.1\r\nHost: a\r\nA: ${'b'.repeat(20)}\r\nC: `;
      return `${start}${'d'.repeat(bytes - start.length - 4)}\r\n\r\n`;
    };
    expect(readRequest(head(100), limits)).toMatchObject({ consumed: 100 });
    expect(readRequest(head(101), limits)).toMatchObject({ code: 'SP_HEAD_TOO_LARGE' });
  });

  test('L12 a field may have half of that', () => {
    const fits = testLimits.maxHeadBytes / 2 - 'A: '.length;
    expect(outcome(withFields(`A: ${'b'.repeat(fits)}`))).toBe('accepted');
    expect(outcome(withFields(`A: ${'b'.repeat(fits + 1)}`))).toBe('SP_HEAD_TOO_LARGE');
  });

  test('L12 a value beyond the head limit is refused without its end', () => {
    expect(outcome(`GET / HTTP/1.1\r\nHost: a\r\nA: ${'b'.repeat(32_768)}`)).toBe('SP_HEAD_TOO_LARGE');
  });

  test('L12 100 fields pass, 101 and 3,000 do not', () => {
    const lines = (count: number) => Array.from({ length: count - 1 }, (_, index) => `X-${index}: v`);
    expect(outcome(withFields(...lines(100)))).toBe('accepted');
    expect(outcome(withFields(...lines(101)))).toBe('SP_HEAD_TOO_LARGE');
    expect(outcome(withFields(...lines(3000)))).toBe('SP_HEAD_TOO_LARGE');
  });

  test('a refusal does not wait for the rest of the head', () => {
    expect(outcome('GET /')).toBe('incomplete');
    expect(outcome('g')).toBe('SP_BAD_REQUEST');
    expect(outcome('GET / X')).toBe('SP_BAD_REQUEST');
    expect(outcome('GET / HTTP/1.1\r\nHost: a\r\n b')).toBe('SP_BAD_REQUEST');
    expect(outcome('GET / HTTP/1.1\r\nHost: a\nb')).toBe('SP_BAD_REQUEST');
  });

  test('each byte is looked at once, however the head drips', () => {
    const parser = new RequestHeadParser(testLimits);
    const bytes = Buffer.from(withFields(`A: ${'b'.repeat(2000)}`), 'latin1');
    for (let end = 1; end < bytes.length; end++) {
      expect(parser.parse(bytes, 0, end)).toBe(0);
      // What has been seen may change: it is not read again before the head is complete.
      if (end > 30) bytes[end - 3] = 0;
    }
    expect(parser.parse(bytes, 0, bytes.length)).toBe(bytes.length);
  });
});

describe('host and target', () => {
  test.each([
    ['T01 no Host', 'GET / HTTP/1.1\r\n\r\n', 'SP_BAD_HOST'],
    ['T01 two different', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'SP_BAD_HOST'],
    ['T01 two alike', 'GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n', 'SP_BAD_HOST'],
    ['T01 two on HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', 'SP_BAD_HOST'],
    ['T03 absolute-form with another Host', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n', 'SP_BAD_REQUEST'],
    ['T03 absolute-form with another port', 'GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n', 'SP_BAD_REQUEST'],
    ['T03 absolute-form with user', 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 'SP_BAD_REQUEST'],
    ['T03 absolute-form without Host', 'GET http://a/ HTTP/1.1\r\n\r\n', 'SP_BAD_HOST'],
    ['T03 absolute-form with empty Host', 'GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n', 'SP_BAD_REQUEST'],
    ['T03 absolute-form without authority', 'GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n', 'SP_BAD_REQUEST'],
    ['T03 gopher', 'GET gopher://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 'SP_BAD_REQUEST'],
    ['T03 http:/', 'GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n', 'SP_BAD_REQUEST'],
    ['T04 GET *', withLine('GET * HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['T04 OPTIONS **', withLine('OPTIONS ** HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['T04 foo', withLine('GET foo HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['T04 @evil/', withLine('GET @evil/ HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['T04 ?a', withLine('GET ?a HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['T05 fragment', withLine('GET /a#b HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['T05 fragment in absolute-form', withLine('GET http://a/#b HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['CONNECT of a path', withLine('CONNECT / HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['CONNECT without a port', withLine('CONNECT a HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['CONNECT with an empty port', withLine('CONNECT a: HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['CONNECT with a user', withLine('CONNECT u@a:80 HTTP/1.1'), 'SP_BAD_REQUEST'],
    ['CONNECT of a URL', withLine('CONNECT http://a:80 HTTP/1.1'), 'SP_BAD_REQUEST'],
  ])('%s', (_label, text, code) => {
    expect(outcome(text)).toBe(code);
  });

  test.each([
    ['GET / HTTP/1.1', { authority: 'a', scheme: '', pathAndQuery: '/' }],
    ['GET //b/c?d HTTP/1.1', { authority: 'a', scheme: '', pathAndQuery: '//b/c?d' }],
    ['GET http://A/b?c HTTP/1.1', { authority: 'A', scheme: 'http', pathAndQuery: '/b?c' }],
    ['GET HTTPS://a/ HTTP/1.1', { authority: 'a', scheme: 'https', pathAndQuery: '/' }],
    ['GET http://a HTTP/1.1', { authority: 'a', scheme: 'http', pathAndQuery: '/' }],
    ['GET http://a?b HTTP/1.1', { authority: 'a', scheme: 'http', pathAndQuery: '/?b' }],
    ['OPTIONS * HTTP/1.1', { authority: 'a', scheme: '', pathAndQuery: '*' }],
    ['OPTIONS http://a HTTP/1.1', { authority: 'a', scheme: 'http', pathAndQuery: '*' }],
    ['CONNECT b:443 HTTP/1.1', { authority: 'a', scheme: '', pathAndQuery: '' }],
    ['CONNECT [::1]:443 HTTP/1.1', { authority: 'a', scheme: '', pathAndQuery: '' }],
  ])('%s', (line, expected) => {
    expect(accepted(withLine(line))).toMatchObject(expected);
  });

  test('HTTP/1.0 without Host takes the authority of an absolute-form target, or none', () => {
    expect(accepted('GET http://b:8/ HTTP/1.0\r\n\r\n')).toMatchObject({ authority: 'b:8' });
    expect(accepted('GET / HTTP/1.0\r\n\r\n')).toMatchObject({ authority: '' });
  });
});

describe('connection options', () => {
  test.each([
    [1, [], true, []],
    [1, ['Connection: close'], false, ['close']],
    [1, ['Connection: Keep-Alive'], true, ['keep-alive']],
    [1, ['Connection: X-A, CLOSE'], false, ['x-a', 'close']],
    [1, ['Connection: x-a', 'Connection: close'], false, ['x-a', 'close']],
    [1, ['Connection: keep-alive, close'], false, ['keep-alive', 'close']],
    [1, ['Connection: ,, x-a,'], true, ['x-a']],
    [1, ['Connection:'], true, []],
    [0, [], false, []],
    [0, ['Connection: keep-alive'], true, ['keep-alive']],
    [0, ['Connection: KEEP-ALIVE'], true, ['keep-alive']],
    [0, ['Connection: keep-alive', 'Connection: close'], false, ['keep-alive', 'close']],
  ] as const)('HTTP/1.%i with %j', (minor, lines, keepAlive, tokens) => {
    const text = `GET / HTTP/1.${minor}\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
    expect(accepted(text)).toMatchObject({ keepAlive, tokens });
  });

  test.each(['close; x', '"close"', 'a b', 'x-a, @'])('%j is no option', (value) => {
    expect(outcome(withFields(`Connection: ${value}`))).toBe('SP_BAD_REQUEST');
  });
});

describe('upgrade and expect', () => {
  const upgrade = ['Connection: Upgrade', 'Upgrade: WebSocket'];
  const get = (...lines: readonly string[]) => withFields(...lines).replace('POST', 'GET');

  test('an upgrade is told when Connection names it', () => {
    expect(accepted(get(...upgrade))).toMatchObject({ upgrade: 'websocket', tokens: ['upgrade'] });
    expect(accepted(get('Connection: keep-alive, Upgrade', 'Upgrade: h2c'))).toMatchObject({
      upgrade: 'h2c',
    });
    expect(accepted(get(...upgrade, 'Upgrade: foo'))).toMatchObject({ upgrade: 'websocket, foo' });
    expect(accepted(get(...upgrade, 'Content-Length: 0'))).toMatchObject({ upgrade: 'websocket' });
  });

  test.each([
    ['without Connection', get('Upgrade: websocket')],
    ['without Upgrade', get('Connection: upgrade')],
    ['with POST', withFields(...upgrade)],
    ['with POST and a body', withFields(...upgrade, 'Content-Length: 5')],
    ['on HTTP/1.0', get(...upgrade).replace('HTTP/1.1', 'HTTP/1.0')],
  ])('U06 an upgrade %s is none', (_label, text) => {
    expect(accepted(text).upgrade).toBeUndefined();
  });

  test.each(['Content-Length: 5', 'Transfer-Encoding: chunked'])('U03 an upgrade with %s', (line) => {
    expect(outcome(get(...upgrade, line))).toBe('SP_BAD_REQUEST');
  });

  test('U07 100-continue is told, on HTTP/1.1 only', () => {
    expect(accepted(withFields('Expect: 100-continue'))).toMatchObject({ expectContinue: true });
    expect(accepted(withFields('Expect: 100-Continue'))).toMatchObject({ expectContinue: true });
    expect(accepted('PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n')).toMatchObject({
      expectContinue: false,
    });
  });

  test.each([
    ['with more', ['Expect: y 100-continue']],
    ['twice', ['Expect: 100-continue', 'Expect: 100-continue']],
    ['as a list', ['Expect: 100-continue, 100-continue']],
    ['another', ['Expect: 200-ok']],
    ['empty', ['Expect:']],
  ] as const)('U09 expectation %s', (_label, lines) => {
    expect(outcome(withFields(...lines))).toBe('SP_EXPECTATION');
  });
});
