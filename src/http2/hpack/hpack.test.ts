import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HpackDecoder } from './hpack-decoder.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { decodeHuffman, encodeHuffman, huffmanSize, maxDecodedLength } from './huffman.ts';

type Fields = readonly (readonly [name: string, value: string])[];

function decodeBlock(decoder: HpackDecoder, block: Buffer): Fields | string {
  const fields: [string, string][] = [];
  const sink = { field: (name: string, value: string) => void fields.push([name, value]) };
  // Inside a larger buffer, as it comes from a socket.
  const padded = Buffer.concat([Buffer.from('xx'), block, Buffer.from('yy')]);
  return decoder.decode(padded, 2, 2 + block.length, sink) ?? fields;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

function encodeBlock(encoder: HpackEncoder, fields: Fields): Buffer {
  encoder.begin();
  for (const [name, value] of fields) encoder.field(name, value);
  return Buffer.from(encoder.end());
}

const request = (...more: Fields): Fields => [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
  ...more,
];
const noCache = request(['cache-control', 'no-cache']);
const custom: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/index.html'],
  [':authority', 'www.example.com'],
  ['custom-key', 'custom-value'],
];
const response = (status: string, ...more: Fields): Fields => [
  [':status', status],
  ['cache-control', 'private'],
  ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
  ['location', 'https://www.example.com'],
  ...more,
];
const later: Fields = [
  [':status', '200'],
  ['cache-control', 'private'],
  ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
  ['location', 'https://www.example.com'],
  ['content-encoding', 'gzip'],
  ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
];

// RFC 7541 Appendix C: section, table size, blocks on one connection with their fields.
const examples: readonly (readonly [string, number, readonly (readonly [string, Fields])[]])[] = [
  [
    'C.2.1',
    4096,
    [['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', [['custom-key', 'custom-header']]]],
  ],
  ['C.2.2', 4096, [['040c 2f73 616d 706c 652f 7061 7468', [[':path', '/sample/path']]]]],
  ['C.2.3', 4096, [['1008 7061 7373 776f 7264 0673 6563 7265 74', [['password', 'secret']]]]],
  ['C.2.4', 4096, [['82', [[':method', 'GET']]]]],
  [
    'C.3',
    4096,
    [
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', request()],
      ['8286 84be 5808 6e6f 2d63 6163 6865', noCache],
      ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', custom],
    ],
  ],
  [
    'C.4',
    4096,
    [
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', request()],
      ['8286 84be 5886 a8eb 1064 9cbf', noCache],
      ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', custom],
    ],
  ],
  [
    'C.5',
    256,
    [
      [
        `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
         3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        response('302'),
      ],
      ['4803 3330 37c1 c0bf', response('307')],
      [
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738
         666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33
         3630 303b 2076 6572 7369 6f6e 3d31`,
        later,
      ],
    ],
  ],
  [
    'C.6',
    256,
    [
      [
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718
         63c7 8f0b 97c8 e9ae 82ae 43d3`,
        response('302'),
      ],
      ['4883 640e ffc1 c0bf', response('307')],
      [
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7
         b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
        later,
      ],
    ],
  ],
];

describe('HPACK decoder', () => {
  test.each(examples)('RFC 7541 %s', (_, tableBytes, blocks) => {
    const decoder = new HpackDecoder(tableBytes);
    for (const [block, fields] of blocks) expect(decodeBlock(decoder, hex(block))).toEqual(fields);
  });

  test.each([
    ['index 0', '80', 'index out of range'],
    ['index beyond both tables', 'be', 'index out of range'],
    ['name index beyond both tables', '7f 00 01 61', 'index out of range'],
    ['integer without its end', 'ff', 'block ends inside a field'],
    ['integer of six bytes', 'ff ff ff ff ff ff 01', 'integer too large'],
    ['integer padded with zeros without end', 'ff 80 80 80 80 80 80 00', 'integer too large'],
    ['name without its bytes', '40 03 61', 'block ends inside a field'],
    ['value missing', '40 01 61', 'block ends inside a field'],
    ['table size above the limit', '3f e2 1f', 'table size above the limit'],
    ['table size update behind a field', '82 20', 'table size update behind a field'],
    ['Huffman: EOS inside', '00 01 61 84 ff ff ff ff', 'bad Huffman code'],
    ['Huffman: eight bits of padding', '00 01 61 82 1f ff', 'bad Huffman code'],
    ['Huffman: padding of zeros', '00 01 61 81 18', 'bad Huffman code'],
    ['Huffman: padding of eight ones alone', '00 01 61 81 ff', 'bad Huffman code'],
  ])('%s is refused', (_, block, fault) => {
    expect(decodeBlock(new HpackDecoder(4096), hex(block))).toBe(fault);
  });

  test('a lowered limit has to be followed at the start of the next block', () => {
    const silent = new HpackDecoder(4096);
    silent.setLimit(100);
    expect(decodeBlock(silent, hex('82'))).toBe('table size update missing');
    const obedient = new HpackDecoder(4096);
    obedient.setLimit(100);
    expect(decodeBlock(obedient, hex('3f 45 82'))).toEqual([[':method', 'GET']]);
    expect(decodeBlock(obedient, hex('3f 46'))).toBe('table size above the limit');
  });

  test('an entry larger than the table empties it', () => {
    const decoder = new HpackDecoder(64);
    const encoder = new HpackEncoder();
    encoder.setLimit(64);
    expect(decodeBlock(decoder, encodeBlock(encoder, [['a', 'b']]))).toEqual([['a', 'b']]);
    const large = Buffer.concat([hex('40 01 61 21'), Buffer.from('v'.repeat(33))]);
    expect(decodeBlock(decoder, large)).toEqual([['a', 'v'.repeat(33)]]);
    expect(decodeBlock(decoder, hex('be'))).toBe('index out of range');
  });
});

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const fieldName = fc.oneof(
  fc.constantFrom(':path', ':status', 'cookie', 'date', 'server', 'x-custom', 'content-type'),
  fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'x', '-', '0', '9'), minLength: 1, maxLength: 12 }),
);
const fieldValue = fc.oneof(
  fc.constantFrom('200', 'gzip', '/', 'a', ''),
  latin1,
  fc.string({ maxLength: 400 }).map((text) => Buffer.from(text).toString('latin1')),
);
const blocks = fc.array(
  fc.record({
    limit: fc.option(fc.integer({ min: 0, max: 8192 }), { nil: undefined, freq: 4 }),
    fields: fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 12 }),
  }),
  { minLength: 1, maxLength: 12 },
);

describe('HPACK both ways', () => {
  test('what the encoder writes, the decoder reads, whatever the table sizes', () => {
    fc.assert(
      fc.property(blocks, (messages) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder(4096);
        for (const { limit, fields } of messages) {
          if (limit !== undefined) {
            // The decoder knows the new limit once it is acknowledged, which the encoder does before its next block.
            decoder.setLimit(limit);
            encoder.setLimit(limit);
          }
          expect(decodeBlock(decoder, encodeBlock(encoder, fields))).toEqual(fields);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('Huffman: every text comes back, in the size foretold', () => {
    fc.assert(
      fc.property(latin1, (text) => {
        const size = huffmanSize(text);
        const coded = Buffer.alloc(size + 1, 0xaa);
        expect(encodeHuffman(text, coded, 0)).toBe(size);
        expect(coded[size]).toBe(0xaa);
        const target = Buffer.alloc(maxDecodedLength(size));
        const written = decodeHuffman(coded, 0, size, target);
        expect(target.toString('latin1', 0, written)).toBe(text);
      }),
    );
  });

  test('random bytes never throw, and never yield more than they hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const result = decodeBlock(new HpackDecoder(4096), Buffer.from(bytes));
        expect(typeof result === 'string' || result.length <= bytes.length).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('secrets are marked as never indexed, and do not enter the table', () => {
    const encoder = new HpackEncoder();
    const first = encodeBlock(encoder, [['authorization', 'Bearer x']]);
    expect((first[0] as number) & 0xf0).toBe(0x10);
    expect(encodeBlock(encoder, [['authorization', 'Bearer x']])).toEqual(first);
  });

  test('a field that repeats takes one byte', () => {
    const encoder = new HpackEncoder();
    encodeBlock(encoder, [['server', 'sallyport']]);
    expect(encodeBlock(encoder, [['server', 'sallyport']])).toEqual(Buffer.from([0xbe]));
  });
});
