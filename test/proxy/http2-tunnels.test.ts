import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { testPair } from '../support/certificates.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import { NodeHttp2Client } from '../support/node-http2-client.ts';
import { RawUpstream } from '../support/raw-upstream.ts';
import { webSocketAccept } from '../../src/upstream/upgrade-proof.ts';

// WebSocket over HTTP/2 (RFC 8441): the client's end is a stream, the upstream's a connection of HTTP/1.1.

const WHOLE = 8 * 1024 * 1024;

let upstream: RawUpstream;
let proxy: TestProxy;
let client: NodeHttp2Client;
let far: Socket | undefined;

beforeEach(async () => {
  far = undefined;
  upstream = await RawUpstream.start(({ headers }, socket) => {
    far = socket;
    const proof = webSocketAccept(headers.get('sec-websocket-key') ?? '');
    return (
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n' +
      `Sec-WebSocket-Accept: ${proof}\r\nSec-WebSocket-Protocol: chat\r\n\r\n`
    );
  });
  proxy = await startProxy([{ upstream: [upstream.port] }], {
    tls: {},
    certificates: { 'a.example': testPair(['a.example']) },
  });
  client = await NodeHttp2Client.connect(proxy.tlsPort);
  if (client.session.remoteSettings.enableConnectProtocol !== true)
    await once(client.session, 'remoteSettings');
});

afterEach(async () => {
  client.close();
  await proxy.stop();
  await upstream.stop();
});

async function open(): Promise<ClientHttp2Stream> {
  const stream = client.begin(
    { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws', 'sec-websocket-protocol': 'chat' },
    { endStream: false },
  );
  const [fields] = (await once(stream, 'response')) as [Record<string, unknown>];
  expect(fields).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'chat' });
  expect(fields).not.toHaveProperty('sec-websocket-accept');
  return stream;
}

test('much goes both ways, whoever is slow, and both ends come through', async () => {
  const stream = await open();
  const socket = far as Socket;
  socket.removeAllListeners('data');
  const count = (end: ClientHttp2Stream | Socket, counts: { bytes: number }): void => {
    end.on('data', (chunk: Buffer) => {
      counts.bytes += chunk.length;
      // Slow: each side is held back again and again.
      end.pause();
      setImmediate(() => end.resume());
    });
  };
  const [near, there] = [{ bytes: 0 }, { bytes: 0 }];
  count(stream, near);
  count(socket, there);
  stream.end(Buffer.alloc(WHOLE, 'c'));
  socket.end(Buffer.alloc(WHOLE, 'u'));
  await Promise.all([once(stream, 'end'), once(socket, 'end')]);
  expect([near.bytes, there.bytes]).toEqual([WHOLE, WHOLE]);
  expect(upstream.requests[0]).toMatchObject({ method: 'GET', target: '/ws' });
  expect(upstream.requests[0]?.headers.get('sec-websocket-version')).toBe('13');
});

test('other requests go on beside a tunnel, and a drain ends it', async () => {
  const stream = await open();
  stream.resume();
  const second = await open();
  second.resume();
  const closed = Promise.all([once(stream, 'close'), once(second, 'close')]);
  await proxy.plane.drain(100);
  await closed;
  expect(proxy.counters.read('connectTunnelsActive')).toBe(0);
  expect(proxy.counters.read('requestsActive')).toBe(0);
});
