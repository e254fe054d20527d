import { createRequire } from 'node:module';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { HpackDecoder } from '../../src/http2/hpack/hpack-decoder.ts';
import { HpackEncoder } from '../../src/http2/hpack/hpack-encoder.ts';

// Header compression against a second implementation that has nothing in common with nghttp2: block by block, without
// frames, with tables of every size, so that entries are thrown out in the middle of a head.

interface JsField {
  readonly name: string;
  readonly value: string;
  readonly neverIndex?: boolean;
  readonly huffman?: boolean;
  readonly incremental?: boolean;
}

interface Compressor {
  write(fields: readonly JsField[]): void;
  read(): Buffer | null;
}

interface Decompressor {
  write(block: Buffer): void;
  execute(): void;
  read(): JsField | null;
}

interface HpackJs {
  readonly compressor: { create(options: { readonly table: { readonly maxSize: number } }): Compressor };
  readonly decompressor: { create(options: { readonly table: { readonly maxSize: number } }): Decompressor };
}

const hpackJs = createRequire(import.meta.url)('hpack.js') as HpackJs;

const name = fc.oneof(
  fc.constantFrom(':path', ':status', 'accept', 'cookie', 'date', 'etag', 'x-a', 'x-b', 'authorization'),
  fc.stringMatching(/^x-[a-z0-9]{1,40}$/),
);
const value = fc.oneof(
  fc.constantFrom('', '/', '200', 'gzip, deflate', 'a'),
  fc.stringMatching(/^[!-~]([ -~]{0,80}[!-~])?$/),
  fc.nat(600).map((length) => 'v'.repeat(length)),
);
const heads = fc.array(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 12,
});
const tableBytes = fc.constantFrom(0, 33, 64, 100, 300, 1000, 4096);

test('it reads what we write', () => {
  fc.assert(
    fc.property(heads, tableBytes, (sections, size) => {
      const encoder = new HpackEncoder();
      encoder.setLimit(size);
      const reader = hpackJs.decompressor.create({ table: { maxSize: 4096 } });
      for (const section of sections) {
        encoder.begin();
        for (const [field, text] of section) encoder.field(field, text);
        reader.write(Buffer.from(encoder.end()));
        reader.execute();
        expect(readAll(() => reader.read()).map(pair)).toEqual(section);
      }
    }),
    { numRuns: 300 },
  );
});

test('we read what it writes, indexed or not, by Huffman code or not', () => {
  const field = fc.record({
    name,
    value,
    neverIndex: fc.boolean(),
    huffman: fc.boolean(),
    incremental: fc.boolean(),
  });
  const sections = fc.array(fc.array(field, { minLength: 1, maxLength: 12 }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(sections, tableBytes, (written, size) => {
      const writer = hpackJs.compressor.create({ table: { maxSize: size } });
      const decoder = new HpackDecoder(size);
      for (const section of written) {
        writer.write(section);
        const block = Buffer.concat(readAll(() => writer.read()));
        const fields: (readonly [string, string])[] = [];
        const sink = { field: (found: string, text: string) => fields.push([found, text]) };
        expect(decoder.decode(block, 0, block.length, sink)).toBeUndefined();
        expect(fields).toEqual(section.map(pair));
      }
    }),
    { numRuns: 300 },
  );
});

function pair(field: JsField): readonly [name: string, value: string] {
  return [field.name, field.value];
}

function readAll<T>(read: () => T | null): readonly T[] {
  const all: T[] = [];
  for (let item = read(); item !== null; item = read()) all.push(item);
  return all;
}
