import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, expect, test } from '@jest/globals';

import { AccessLog } from '../../src/telemetry/access-log.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import { RawClient } from '../support/raw-client.ts';

// Endpoints that speak something else than was declared, the commonest mistake there is: what the access log says of it.

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function http1Server(): Promise<number> {
  const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const tls = { verify: false, name: 'endpoint.example', sendName: true } as const;

test.each([
  [
    'HTTP/2 is declared',
    { protocol: 'http2' } as const,
    'SP_UPSTREAM_PROTOCOL',
    'the endpoint answers in HTTP/1, not in HTTP/2',
  ],
  [
    'TLS is declared',
    { protocol: 'http1', tls } as const,
    'SP_UPSTREAM_TLS',
    'TLS handshake with the endpoint: the endpoint does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)',
  ],
])('%s, and the endpoint speaks HTTP/1 in plain text', async (_, policy, error, detail) => {
  let text = '';
  const accessLog = new AccessLog({ send: (lines) => (text += lines) });
  const upstream = [await http1Server()];
  const proxy = await startProxy([{ upstream, retry: { tries: 1 }, policy }], { accessLog });
  stops.push(() => proxy.stop());
  const client = await RawClient.connect(proxy.port);
  stops.push(() => client.close());
  client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
  const { status } = await client.response();
  expect(status).toBe(502);
  accessLog.flush();
  expect(JSON.parse(text)).toMatchObject({ status: 502, error, error_detail: detail });
});
