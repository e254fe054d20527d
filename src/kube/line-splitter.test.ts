import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { LineSplitter } from './line-splitter.ts';
import type { Line } from './line-splitter.ts';

function split(pieces: readonly Uint8Array[], maxBytes?: number): Line[] {
  const splitter = new LineSplitter(maxBytes);
  const lines = pieces.flatMap((piece) => [...splitter.push(piece)]);
  const last = splitter.end();
  return last === undefined ? lines : [...lines, last];
}

const bytes = (text: string): Buffer => Buffer.from(text);

describe('lines of a stream', () => {
  test('come out as they went in, wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 6 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        (values, cuts) => {
          const stream = bytes(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
          const places = [...new Set([0, ...cuts.filter((cut) => cut < stream.length), stream.length])];
          places.sort((a, b) => a - b);
          const pieces = places.slice(1).map((end, index) => stream.subarray(places[index], end));
          expect(split(pieces)).toEqual(
            values.map((value) => ({ value: JSON.parse(JSON.stringify(value)) })),
          );
        },
      ),
    );
  });

  test('hold characters that were cut in two', () => {
    const stream = bytes('"Grüße 🌍"\n');
    for (let cut = 1; cut < stream.length; cut += 1) {
      expect(split([stream.subarray(0, cut), stream.subarray(cut)])).toEqual([{ value: 'Grüße 🌍' }]);
    }
  });

  test('may be blank, which means nothing', () => {
    expect(split([bytes('\n1\n\r\n  \n2\n')])).toEqual([{ value: 1 }, { value: 2 }]);
  });
});

describe('faults of a stream', () => {
  test('it ends inside a line', () => {
    expect(split([bytes('1\n{"type":')])).toEqual([{ value: 1 }, { fault: 'truncated' }]);
  });

  test('a line is not JSON, or holds a NUL', () => {
    expect(split([bytes('{"a":1}\n{a}\n')])).toEqual([{ value: { a: 1 } }, { fault: 'not-json' }]);
    expect(split([bytes('"a\0b"\n')])).toEqual([{ fault: 'not-json' }]);
    expect(split([bytes('\0\n')])).toEqual([{ fault: 'not-json' }]);
  });

  test('a line is not UTF-8', () => {
    expect(split([Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a])])).toEqual([{ fault: 'not-utf8' }]);
  });

  test('a line is longer than the limit, seen before its end comes', () => {
    expect(split([bytes('"123"\n"1234"\n')], 5)).toEqual([{ value: '123' }, { fault: 'too-long' }]);
    expect(split([bytes('"12'), bytes('34'), bytes('5')], 5)).toEqual([{ fault: 'too-long' }]);
  });

  test('10 MiB in one line are none', () => {
    const long = 'x'.repeat(10 * 1024 * 1024);
    const stream = bytes(`{"a":"${long}"}\n`);
    const pieces: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 65_536) pieces.push(stream.subarray(at, at + 65_536));
    expect(split(pieces)).toEqual([{ value: { a: long } }]);
  });

  test('nothing is handed out after one', () => {
    const splitter = new LineSplitter();
    expect(splitter.push(bytes('no\n1\n'))).toEqual([{ fault: 'not-json' }]);
    expect(splitter.push(bytes('2\n'))).toEqual([]);
    expect(splitter.end()).toBeUndefined();
  });
});
