import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { fieldsOf, isRefusal, readChunked, testTrailerLimits } from '../../test/support/codec-harness.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import { chunkHeader, lastChunk } from './message-writer.ts';

const END = '0\r\n\r\n';

function outcome(text: string, limits = testTrailerLimits): string {
  const read = readChunked(text, limits);
  if (read === undefined) return 'incomplete';
  return isRefusal(read) ? read.code : 'accepted';
}

describe('chunks', () => {
  test.each([
    ['nothing', END, ''],
    ['one chunk', `5\r\nhello\r\n${END}`, 'hello'],
    ['two chunks', `3\r\nabc\r\n2\r\nde\r\n${END}`, 'abcde'],
    ['hex digits of either case', `a\r\n0123456789\r\nB\r\n0123456789a\r\n${END}`, '01234567890123456789a'],
    ['zeros before the size', `0005\r\nhello\r\n00\r\n\r\n`, 'hello'],
    ['data that looks like framing', `7\r\n0\r\n\r\n\r\n\r\n${END}`, '0\r\n\r\n\r\n'],
    ['sixteen digits', `0000000000000001\r\nx\r\n${END}`, 'x'],
  ])('%s', (_label, text, body) => {
    expect(readChunked(text)).toEqual({ body, trailers: [], consumed: text.length });
  });

  test('what follows the body is left alone', () => {
    expect(readChunked(`1\r\nx\r\n${END}GET / HTTP/1.1\r\n`)).toEqual({
      body: 'x',
      trailers: [],
      consumed: 6 + END.length,
    });
  });

  test('data is a slice of the buffer that was given', () => {
    const decoder = new ChunkedDecoder(testTrailerLimits);
    const bytes = Buffer.from('..5\r\nhello');
    expect(decoder.read(bytes, 2, bytes.length)).toBe(10);
    expect([decoder.event, decoder.dataStart, decoder.dataEnd]).toEqual(['data', 5, 10]);
    expect(decoder.read(bytes, 10, 10)).toBe(10);
    expect(decoder.event).toBe('more');
  });

  test('an incomplete body is never an end', () => {
    const text = `3;a=b\r\nabc\r\n0\r\nA: b\r\n\r\n`;
    for (let length = 0; length < text.length; length++)
      expect(outcome(text.slice(0, length))).toBe('incomplete');
    expect(outcome(text)).toBe('accepted');
  });

  test('a decoder can be used again, after an end and after a fault', () => {
    const decoder = new ChunkedDecoder(testTrailerLimits);
    const bad = Buffer.from('z');
    decoder.read(bad, 0, 1);
    expect([decoder.event, decoder.fault?.code]).toEqual(['fault', 'SP_BAD_CHUNK']);
    for (let round = 0; round < 2; round++) {
      decoder.reset();
      const good = Buffer.from('0\r\nA: b\r\n\r\n');
      expect(decoder.read(good, 0, good.length)).toBe(good.length);
      expect([decoder.event, decoder.fault]).toEqual(['end', undefined]);
      expect(fieldsOf(decoder.trailers)).toEqual([['A', 'b']]);
    }
  });

  test.each([
    ['C01 0x1', '0x1\r\na\r\n'],
    ['C01 +1', '+1\r\na\r\n'],
    ['C01 -1', '-1\r\na\r\n'],
    ['C01 0_1', '0_1\r\na\r\n'],
    ['C01 blank before', ' 1\r\na\r\n'],
    ['C01 blank behind', '1 \r\na\r\n'],
    ['C01 tab behind', '1\t\r\na\r\n'],
    ['C01 empty', '\r\na\r\n'],
    ['C01 17 digits', '00000000000000001\r\na\r\n'],
    ['C01 17 large digits', 'fffffffffffffffff\r\na\r\n'],
    ['C01 2^53', '20000000000000\r\na\r\n'],
    ['C01 16 digits', 'ffffffffffffffff\r\na\r\n'],
    ['C01 not hex', 'g\r\na\r\n'],
    ['C01 8-bit', '1\xa0\r\na\r\n'],
    ['C02 LF behind the size', '1\na\r\n'],
    ['C02 LF behind the data', '1\r\na\n0\r\n\r\n'],
    ['C02 LF behind the last size', '0\n\r\n'],
    ['C02 CR only behind the size', '1\ra\r\n'],
    ['C02 CR CR LF', '1\r\r\na\r\n'],
    ['C02 CR CR ;', '1\r\r;a\r\n'],
    ['C02 CR only behind the data', '1\r\na\r0\r\n\r\n'],
    ['C02 nothing behind the data', '1\r\na0\r\n\r\n'],
    ['C03 data longer than the size', '1\r\nZZZ\r\n0\r\n\r\n'],
    ['C03 missing CRLF', '5\r\nhello0\r\n\r\n'],
    ['C05 LF in an extension (TERM.EXT)', '1;a\nx\r\na\r\n'],
    ['C05 CR in an extension', '1;a\rb\r\na\r\n'],
    ['C05 bare ;', '1;\r\na\r\n'],
    ['C05 ;;', '1;;a\r\na\r\n'],
    ['C05 NUL', '1;a\0\r\na\r\n'],
    ['C05 NUL in quotes', '1;a="\0"\r\na\r\n'],
    ['C05 CRLF in quotes (EXT.TERM)', '1;a="\r\nb"\r\na\r\n'],
    ['C05 escaped CR in quotes', '1;a="\\\r\n"\r\na\r\n'],
    ['C05 no value', '1;a=\r\na\r\n'],
    ['C05 no name', '1;=b\r\na\r\n'],
    ['C05 text behind quotes', '1;a="b"c\r\na\r\n'],
    ['C05 blank at the end', '1;a=b \r\na\r\n'],
    ['C05 blank in a name', '1;a b\r\na\r\n'],
    ['C05 extension of the last chunk', '0;\r\n\r\n'],
  ])('%s', (_label, text) => {
    expect(outcome(text)).toBe('SP_BAD_CHUNK');
  });

  test('the largest size that counts exactly is taken', () => {
    expect(outcome('1fffffffffffff\r\na')).toBe('incomplete');
  });

  test.each([
    '1;a=b',
    '1;a',
    '1;a="b c;\\"\xe9"',
    '1 ; a = b',
    '1;a=b;c=d',
    '1\t;a',
    '1;a ;b',
    "1;!#$%&'*+-.^_`|~09=1",
  ])('C04 extension %j is dropped', (line) => {
    expect(readChunked(`${line}\r\nx\r\n0;z=1\r\n\r\n`)).toMatchObject({ body: 'x' });
  });
});

describe('waste', () => {
  test('C06 an extension of 17 KiB', () => {
    expect(outcome(`1;a=${'b'.repeat(17_408)}\r\nx\r\n${END}`)).toBe('SP_BODY_TOO_LARGE');
  });

  test('C06 100 bytes of extension for each byte of data', () => {
    expect(outcome(`1;${'a'.repeat(100)}\r\nx\r\n`.repeat(100) + END)).toBe('SP_BODY_TOO_LARGE');
  });

  test('C06 padding zeros for each byte of data', () => {
    expect(outcome('0000000000000001\r\nx\r\n'.repeat(1000) + END)).toBe('SP_BODY_TOO_LARGE');
  });

  test('extensions in proportion to large chunks pass', () => {
    const decoder = new ChunkedDecoder(testTrailerLimits);
    const chunk = Buffer.from(`1000;chunk-signature=${'0'.repeat(64)}\r\n${'x'.repeat(4096)}\r\n`);
    for (let count = 0; count < 1000; count++) {
      for (let at = 0; at < chunk.length;) at = decoder.read(chunk, at, chunk.length);
      expect(decoder.fault).toBeUndefined();
    }
  });

  test('C11 a million chunks of one byte', () => {
    const decoder = new ChunkedDecoder(testTrailerLimits);
    const chunks = Buffer.from('1\r\nx\r\n'.repeat(1000));
    let bytes = 0;
    for (let round = 0; round < 1000; round++) {
      for (let at = 0; at < chunks.length;) {
        at = decoder.read(chunks, at, chunks.length);
        if (decoder.event === 'data') bytes += decoder.dataEnd - decoder.dataStart;
      }
    }
    expect([bytes, decoder.fault]).toEqual([1_000_000, undefined]);
  });
});

describe('trailers', () => {
  test('are read as fields', () => {
    const text = '1\r\nx\r\n0\r\ngrpc-status: 0\r\nX-Sum:  a b \r\n\r\n';
    expect(readChunked(text)).toEqual({
      body: 'x',
      trailers: [
        ['grpc-status', '0'],
        ['X-Sum', 'a b'],
      ],
      consumed: text.length,
    });
  });

  test.each([
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Transfer_Encoding: chunked',
    'content-length: 0',
  ])('C07 %s', (line) => {
    expect(outcome(`0\r\nA: b\r\n${line}\r\n\r\n`)).toBe('SP_BAD_FRAMING');
  });

  test.each([
    'Host: evil',
    'Authorization: Basic x',
    'Cookie: a=b',
    'Set-Cookie: a=b',
    'X-Forwarded-For: 1.2.3.4',
    'X_Forwarded_For: 1.2.3.4',
    'x-real-ip: 1.2.3.4',
    'Forwarded: for=x',
    'Content-Type: text/html',
    'Content-Encoding: gzip',
    'Connection: close',
    'TE: trailers',
    'Trailer: a',
    'Upgrade: h2c',
    'Expect: 100-continue',
    'Location: /',
    'Cache-Control: no-store',
    'X-Auth-User: root',
  ])('C08 %s is dropped', (line) => {
    expect(readChunked(`0\r\nA: b\r\n${line}\r\nC: d\r\n\r\n`)).toMatchObject({
      trailers: [
        ['A', 'b'],
        ['C', 'd'],
      ],
    });
  });

  test('a digest of the content may come as a trailer', () => {
    expect(readChunked('0\r\nContent-Digest: x\r\n\r\n')).toMatchObject({
      trailers: [['Content-Digest', 'x']],
    });
  });

  test.each([
    ['C09 more than 8 KiB', `0\r\nA: ${'b'.repeat(9000)}\r\n\r\n`],
    ['C09 more than 8 KiB without an end', `0\r\nA: ${'b'.repeat(9000)}`],
    ['C09 more than 32 fields', `0\r\n${'A: b\r\n'.repeat(33)}\r\n`],
  ])('%s', (_label, text) => {
    expect(outcome(text)).toBe('SP_HEAD_TOO_LARGE');
  });

  test('C09 exactly the limits pass', () => {
    expect(outcome(`0\r\n${'A: b\r\n'.repeat(32)}\r\n`)).toBe('accepted');
    expect(outcome('0\r\nA: bc\r\n\r\n', { maxBytes: 9, maxFields: 1 })).toBe('accepted');
    expect(outcome('0\r\nA: bcd\r\n\r\n', { maxBytes: 9, maxFields: 1 })).toBe('SP_HEAD_TOO_LARGE');
  });

  test.each([
    ['bare LF', '0\r\nA: b\n\r\n'],
    ['bare LF at the end', '0\r\nA: b\r\n\n'],
    ['bare CR', '0\r\nA: b\rc\r\n\r\n'],
    ['folded', '0\r\nA: b\r\n c\r\n\r\n'],
    ['NUL', '0\r\nA: \0\r\n\r\n'],
    ['blank before the colon', '0\r\nA : b\r\n\r\n'],
    ['no colon', '0\r\nGET / HTTP/1.1\r\n\r\n'],
  ])('%s in a trailer', (_label, text) => {
    expect(outcome(text)).toBe('SP_BAD_REQUEST');
  });

  test('C10 a body without its last chunk has no end', () => {
    expect(outcome('1\r\nx\r\n')).toBe('incomplete');
    expect(outcome('1\r\nx\r\n0\r\n')).toBe('incomplete');
  });
});

test('what the writer writes, cut anywhere, is read back', () => {
  const piece = fc
    .uint8Array({ minLength: 1, maxLength: 40 })
    .map((bytes) => Buffer.from(bytes).toString('latin1'));
  const property = fc.property(
    fc.array(piece, { maxLength: 8 }),
    fc.integer({ min: 1, max: 50 }),
    (pieces, cut) => {
      const text = pieces.map((data) => `${chunkHeader(data.length)}${data}\r\n`).join('') + lastChunk();
      expect(readChunked(text, testTrailerLimits, [cut])).toEqual({
        body: pieces.join(''),
        trailers: [],
        consumed: text.length,
      });
    },
  );
  fc.assert(property, { numRuns: 500 });
});
