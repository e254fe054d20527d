import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Base64Decoder } from './base64-decoder.ts';
import { Base64Encoder } from './base64-encoder.ts';

/** Decodes the pieces of a text; undefined when it is refused or ends inside a quantum. */
function decoded(texts: readonly string[]): Buffer | undefined {
  const decoder = new Base64Decoder();
  const bytes: Buffer[] = [];
  for (const text of texts) {
    const piece = decoder.decode(Buffer.from(text, 'latin1'));
    if (piece === undefined) return undefined;
    bytes.push(piece);
  }
  return decoder.isComplete ? Buffer.concat(bytes) : undefined;
}

/** A text cut into pieces at these places. */
function cut(text: string, places: readonly number[]): string[] {
  const ends = [...places.map((place) => place % (text.length + 1)), text.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}

const places = fc.array(fc.nat(), { maxLength: 8 });

describe('decoder', () => {
  test('reads padded pieces, however they arrive', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 });
    fc.assert(
      fc.property(pieces, places, (parts, at) => {
        const text = parts.map((part) => Buffer.from(part).toString('base64')).join('');
        expect(decoded(cut(text, at))).toEqual(Buffer.concat(parts));
      }),
    );
  });

  test.each([['A'], ['AB'], ['ABC'], ['AB='], ['A==='], ['===='], ['=AAA'], ['AA=A'], ['AAAA='], ['AA\n=']])(
    'refuses %j',
    (text) => {
      expect(decoded([text])).toBeUndefined();
      expect(decoded(text.split(''))).toBeUndefined();
    },
  );

  test.each([['AAA-'], ['AA A'], ['AAAA\r\n'], ['AAAAé'], ['AAAAAA*=']])(
    'refuses the alphabet of %j',
    (text) => {
      expect(decoded([text])).toBeUndefined();
    },
  );

  test('takes exactly what is base64, of any few characters', () => {
    const text = fc.string({ unit: fc.constantFrom('A', 'z', '+', '/', '9', '=', '-', ' '), maxLength: 12 });
    fc.assert(
      fc.property(text, places, (given, at) => {
        const quanta = given.match(/[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==/g) ?? [];
        const isGood = quanta.join('') === given;
        const expected = isGood
          ? Buffer.concat(quanta.map((each) => Buffer.from(each, 'base64')))
          : undefined;
        expect(decoded(cut(given, at))).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('forgets what it was given', () => {
    const decoder = new Base64Decoder();
    decoder.decode(Buffer.from('AA'));
    decoder.reset();
    expect(decoder.isComplete).toBe(true);
    expect(decoder.decode(Buffer.from('Zm9v'))?.toString()).toBe('foo');
  });
});

describe('encoder', () => {
  test('gives what was put in, padded where it has to leave', () => {
    const parts = fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.boolean()), { maxLength: 12 });
    fc.assert(
      fc.property(parts, (pieces) => {
        const encoder = new Base64Encoder();
        const texts: Buffer[] = [];
        for (const [bytes, leaves] of pieces) {
          texts.push(encoder.encode(Buffer.from([0, ...bytes, 0]), 1, bytes.length + 1));
          const padding = leaves ? encoder.pad() : undefined;
          if (padding !== undefined) texts.push(padding);
          if (leaves) expect(encoder.pad()).toBeUndefined();
        }
        texts.push(encoder.pad() ?? Buffer.alloc(0));
        expect(decoded([Buffer.concat(texts).toString()])).toEqual(
          Buffer.concat(pieces.map(([bytes]) => bytes)),
        );
      }),
    );
  });

  test('pads nothing by itself', () => {
    const encoder = new Base64Encoder();
    const bytes = Buffer.from('gRPC-Web');
    const texts = [...bytes.keys()].map((index) => encoder.encode(bytes, index, index + 1).toString());
    expect(texts.join('')).toBe('Z1JQQy1X');
    expect(encoder.pad()?.toString()).toBe('ZWI=');
  });
});
