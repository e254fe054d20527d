import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MessageBoundary } from './message-boundary.ts';

test('is between messages where one has ended, however they arrive', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 40 }), (parts, step) => {
      const body = Buffer.concat(parts.flatMap((part) => [lengthPrefix(part.length), Buffer.from(part)]));
      const ends = new Set([0]);
      for (const part of parts) ends.add(Math.max(...ends) + 5 + part.length);
      const boundary = new MessageBoundary();
      for (let at = 0; at < body.length; at += step) {
        const end = Math.min(at + step, body.length);
        boundary.consume(body, at, end);
        expect(boundary.isBetween).toBe(ends.has(end));
      }
    }),
  );
});

test('takes lengths of 32 bits', () => {
  const boundary = new MessageBoundary();
  boundary.consume(Buffer.from([1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0]), 0, 10);
  expect(boundary.isBetween).toBe(false);
});

function lengthPrefix(length: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return head;
}
