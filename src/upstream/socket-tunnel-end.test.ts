import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { afterEach, expect, test } from '@jest/globals';

import { SocketTunnelEnd } from './socket-tunnel-end.ts';

const stops: (() => unknown)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Both ends of a connection. */
async function connected(): Promise<readonly [near: Socket, far: Socket]> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [far] = (await once(server, 'connection')) as [Socket];
  stops.push(
    () => near.destroy(),
    () => far.destroy(),
    () => server.close(),
  );
  return [near, far];
}

const deaf = { onData: () => undefined, onDrain: () => undefined, onEnd: () => undefined };

test('what came before the start is told first', async () => {
  const [near] = await connected();
  const end = new SocketTunnelEnd(near, Buffer.from('a'));
  end.receive(Buffer.from('b'));
  const told: string[] = [];
  end.start({ ...deaf, onData: (bytes) => told.push(String(bytes)), onClose: () => undefined });
  end.receive(Buffer.from('c'));
  expect(told).toEqual(['ab', 'c']);
});

test('what was written leaves behind a close', async () => {
  const [near, far] = await connected();
  const end = new SocketTunnelEnd(near, undefined);
  const closed = new Promise<void>((resolve) => end.start({ ...deaf, onClose: resolve }));
  end.write(Buffer.alloc(3_000_000));
  end.close();
  let bytes = 0;
  far.on('data', (chunk: Buffer) => (bytes += chunk.length));
  far.resume();
  await Promise.all([closed, once(far, 'end')]);
  expect(bytes).toBe(3_000_000);
  expect(end.write(Buffer.from('more'))).toBe(true);
});

test('a side that does not read is cut off once nobody is at the other', async () => {
  const [near] = await connected();
  const end = new SocketTunnelEnd(near, undefined, 50);
  const closed = new Promise<void>((resolve) => end.start({ ...deaf, onClose: resolve }));
  end.write(Buffer.alloc(32_000_000));
  end.close();
  await closed;
  expect(near.destroyed).toBe(true);
});
