import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeGrpcMessage } from './grpc-message.ts';

test.each([
  ['', ''],
  ['plain text, with "quotes" ~', 'plain text, with "quotes" ~'],
  ['100 %', '100 %25'],
  ['a\r\nb: c', 'a%0D%0Ab: c'],
  ['ü €', '%C3%BC %E2%82%AC'],
  ['\u{1f600}', '%F0%9F%98%80'],
  ['\ud800', '%EF%BF%BD'],
  ['\x7f', '%7F'],
])('%j is written as %j', (text, encoded) => {
  expect(encodeGrpcMessage(text)).toBe(encoded);
});

test('every text is printable ASCII, and reads back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = encodeGrpcMessage(text);
      expect(encoded).toMatch(/^[\x20-\x7e]*$/);
      expect(decodeURIComponent(encoded)).toBe(text.toWellFormed());
    }),
  );
});
