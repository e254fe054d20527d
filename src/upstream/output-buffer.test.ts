import { describe, expect, test } from '@jest/globals';

import { OutputBuffer } from './output-buffer.ts';
import type { OutputSocket } from './output-buffer.ts';

class FakeSocket implements OutputSocket {
  readonly writes: string[] = [];
  corked = 0;

  cork(): void {
    this.corked++;
  }

  uncork(): void {
    this.corked--;
  }

  write(data: string | Buffer): boolean {
    this.writes.push(typeof data === 'string' ? data : data.toString('latin1'));
    return this.writes.length < 3;
  }
}

function flushed(fill: (output: OutputBuffer) => void): FakeSocket {
  const output = new OutputBuffer();
  const socket = new FakeSocket();
  fill(output);
  output.flush(socket);
  expect(socket.corked).toBe(0);
  return socket;
}

describe('OutputBuffer', () => {
  test('a small message leaves in one write, bytes above 0x7f as they are', () => {
    const socket = flushed((output) => {
      output.add('head\r\n\r\n');
      output.add(Buffer.from([0xff, 0x00, 0x80]));
    });
    expect(socket.writes).toEqual(['head\r\n\r\n\xff\x00\x80']);
  });

  test('a large one leaves as its parts', () => {
    const body = 'x'.repeat(10_000);
    const socket = flushed((output) => {
      output.add('head');
      output.add(Buffer.from(body));
    });
    expect(socket.writes).toEqual(['head', body]);
  });

  test('bytes of a chunked body that leave together are one chunk', () => {
    const socket = flushed((output) => {
      output.add('head|');
      for (const byte of 'hello') output.addChunked(Buffer.from(byte));
      output.add('0\r\n\r\n');
    });
    expect(socket.writes).toEqual(['head|5\r\nhello\r\n0\r\n\r\n']);
  });

  test('thousands of pieces leave in one write', () => {
    const socket = flushed((output) => {
      for (let count = 0; count < 10_000; count++) output.addChunked(Buffer.from('y'));
    });
    expect(socket.writes).toEqual([`2710\r\n${'y'.repeat(10_000)}\r\n`]);
  });

  test('nothing gathered writes nothing; what was cleared is gone', () => {
    expect(flushed(() => undefined).writes).toEqual([]);
    expect(
      flushed((output) => {
        output.addChunked(Buffer.from('a'));
        output.clear();
        output.add('b');
      }).writes,
    ).toEqual(['b']);
  });

  test('says when the socket is full', () => {
    const output = new OutputBuffer();
    const socket = new FakeSocket();
    const answers = ['1', '2', '3'].map((text) => {
      output.add(text);
      return output.flush(socket);
    });
    expect(answers).toEqual([true, true, false]);
  });

  test('a socket that has taken only copies needs no buffer, however much it has still to write', () => {
    const output = new OutputBuffer();
    const full = { writableLength: 1 };
    output.add(Buffer.alloc(100));
    output.flush(new FakeSocket());
    expect(output.isLending(full)).toBe(false);
    for (let part = 0; part < 100; part++) output.add(Buffer.alloc(1000));
    output.flush(new FakeSocket());
    expect(output.isLending(full)).toBe(false);
  });

  test('a socket that was given buffers needs them until it has written all', () => {
    const output = new OutputBuffer();
    output.add(Buffer.alloc(5000));
    output.flush(new FakeSocket());
    expect(output.isLending({ writableLength: 1 })).toBe(true);
    output.add('text behind it');
    output.flush(new FakeSocket());
    expect(output.isLending({ writableLength: 1 })).toBe(true);
    expect(output.isLending({ writableLength: 0 })).toBe(false);
    expect(output.isLending({ writableLength: 1 })).toBe(false);
  });
});
