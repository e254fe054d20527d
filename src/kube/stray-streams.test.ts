import { once } from 'node:events';
import { connect, createServer } from 'node:http2';
import type { ClientHttp2Stream, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { expect, test } from '@jest/globals';

import { endStrayStreams, stopEndingStrayStreams } from './stray-streams.ts';

test('a stream that no request was sent on is ended, and one that was stays', async () => {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    // The other way to a stream that nobody asked for; this one a test can bring about.
    stream.pushStream({ ':path': '/pushed' }, (_error, pushed) => {
      pushed.on('error', () => undefined);
      pushed.respond({ ':status': 200 });
      stream.respond({ ':status': 200 });
      stream.write('asked for');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endStrayStreams();
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    const strays: ClientHttp2Stream[] = [];
    session.on('stream', (stream) => strays.push(stream));
    const asked = session.request({ ':path': '/' });
    const [chunk] = (await once(asked, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('asked for');
    expect(strays.map(({ destroyed }) => destroyed)).toEqual([true]);
    expect(strays.map((stream) => stream.listenerCount('error'))).toEqual([1]);
    expect(asked.destroyed).toBe(false);
    asked.on('error', () => undefined);
    session.on('error', () => undefined);
    const closed = new Promise((resolve) => session.once('close', resolve));
    session.destroy(new Error('the connection broke'));
    await closed;
  } finally {
    stopEndingStrayStreams();
    session.destroy();
    server.close();
  }
});
