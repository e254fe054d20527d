import { expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { refuseForeign } from './loopback.ts';

function from(remoteAddress: string | undefined): IncomingMessage {
  return { socket: { remoteAddress }, headers: { host: 'localhost' } } as unknown as IncomingMessage;
}

test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])(
  'peer %s is local',
  (peer) => {
    expect(refuseForeign(from(peer))).toBeUndefined();
  },
);

test.each([
  '10.0.0.1',
  '::ffff:10.0.0.1',
  '2001:db8::1',
  '127.0.0.1.example',
  '::ffff:7f00:1x',
  '',
  undefined,
])('peer %s is not', (peer) => {
  expect(refuseForeign(from(peer))).toMatch(/loopback/);
});
