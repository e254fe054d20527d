import { expect, test } from '@jest/globals';

import { Replay } from './replay.ts';

/** A piece that holds on to no more than itself. */
function piece(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(text.length);
  bytes.write(text, 'latin1');
  return bytes;
}

function kept({ pieces }: Replay): string {
  return Buffer.concat(pieces).toString('latin1');
}

test('keeps what was sent, in order', () => {
  const replay = new Replay();
  replay.begin(false);
  let sent = '';
  for (let count = 0; count < 3000; count++) {
    const text = String(count);
    sent += text;
    replay.keep(piece(text));
    expect(kept(replay) === sent).toBe(true);
  }
  expect(replay.isPossible).toBe(true);
});

test('pieces hold on to no memory but their own', () => {
  const replay = new Replay();
  replay.begin(false);
  for (let count = 0; count < 1000; count++) replay.keep(Buffer.alloc(8192).subarray(count, count + 1));
  const [bytes] = replay.pieces;
  expect([bytes?.length, (bytes?.buffer.byteLength ?? 0) <= 2048]).toEqual([1000, true]);
});

test.each([
  [false, 64],
  [true, 16],
])('a body longer than the limit is given up (shared: %s)', (isShared, kibibytes) => {
  const replay = new Replay();
  replay.begin(isShared);
  for (let count = 0; count < kibibytes; count++) replay.keep(Buffer.alloc(1024));
  expect([replay.isPossible, kept(replay).length]).toEqual([true, kibibytes * 1024]);
  replay.keep(piece('x'));
  expect([replay.isPossible, kept(replay)]).toEqual([false, '']);
  replay.keep(piece('x'));
  expect(replay.pieces).toEqual([]);
});

test('nothing of one request is left for the next', () => {
  const replay = new Replay();
  replay.begin(false);
  replay.keep(piece('first'));
  replay.keep(piece('second'));
  replay.clear();
  replay.begin(false);
  expect(replay.pieces).toEqual([]);
  replay.keep(piece('third'));
  expect(kept(replay)).toBe('third');
});
