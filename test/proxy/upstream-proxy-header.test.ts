import { once } from 'node:events';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';

import { afterEach, describe, expect, test } from '@jest/globals';

import type { TableUpstream } from '../../src/table/route-table.ts';
import { readProxyHeader } from '../../src/util/proxy-protocol/read-proxy-header.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, UpstreamTrust } from '../support/data-plane-harness.ts';
import { RawClient } from '../support/raw-client.ts';
import { TestAuthority } from '../support/test-authority.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

interface Introduced {
  readonly port: number;
  /** Source of each connection's header, in order of arrival. */
  readonly sources: string[];
}

/** An endpoint that wants a PROXY header on each connection, then goes on with `serve`. */
async function introduced(serve: (socket: Socket) => void): Promise<Introduced> {
  const sources: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    let bytes = Buffer.alloc(0);
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      bytes = Buffer.concat([bytes, chunk]);
      const read = readProxyHeader(bytes);
      if (read === 'more') return;
      if (typeof read === 'string') throw new Error(`PROXY header: ${read}`);
      socket.off('readable', onReadable);
      const { connection } = read.header;
      sources.push(
        connection === undefined ? 'local' : `${connection.sourceAddress}:${connection.sourcePort}`,
      );
      const rest = bytes.subarray(read.bytes);
      if (rest.length > 0) socket.unshift(rest);
      serve(socket);
    };
    socket.on('readable', onReadable);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sources };
}

async function proxyTo(
  { port }: Introduced,
  policy: Partial<TableUpstream> = {},
  trust: UpstreamTrust = {},
): Promise<TestProxy> {
  const proxy = await startProxy([
    { upstream: [port], trust, policy: { protocol: 'http1', proxyProtocol: 'v2', ...policy } },
  ]);
  stops.push(() => proxy.stop());
  return proxy;
}

/** Two requests on one connection of a client; the client's address. */
async function askTwice({ port }: TestProxy): Promise<string> {
  const raw = await RawClient.connect(port);
  stops.push(() => raw.socket.destroy());
  for (let count = 0; count < 2; count++) {
    raw.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    const { status, body } = await raw.response();
    expect([status, body]).toEqual([200, 'ok']);
  }
  return `127.0.0.1:${raw.socket.localPort}`;
}

function answer(socket: Socket): void {
  socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
}

const root = TestAuthority.root();
const { certificate, key } = root.client('a.example', { names: ['a.example'], purposes: ['server'] });
const tls = { verify: true, name: 'a.example', sendName: true } as const;

describe('a connection that begins with a PROXY header', () => {
  test('names the client, and serves no other', async () => {
    const endpoint = await introduced(answer);
    const proxy = await proxyTo(endpoint);
    const first = await askTwice(proxy);
    const second = await askTwice(proxy);
    expect(endpoint.sources).toEqual([first, first, second, second]);
  });

  test('has it before TLS', async () => {
    const secureContext = createSecureContext({ cert: certificate, key });
    const endpoint = await introduced((socket) => {
      const secure = new TLSSocket(socket, { isServer: true, secureContext });
      secure.on('error', () => undefined);
      answer(secure);
    });
    const proxy = await proxyTo(endpoint, { tls }, { ca: root.certificate });
    const first = await askTwice(proxy);
    expect(endpoint.sources).toEqual([first, first]);
  });

  test('has it before HTTP/2', async () => {
    const server = createHttp2Server((_, response) => response.end('ok'));
    stops.push(() => server.close());
    const endpoint = await introduced((socket) => server.emit('connection', socket));
    const proxy = await proxyTo(endpoint, { protocol: 'http2' });
    const first = await askTwice(proxy);
    expect(endpoint.sources).toEqual([first, first]);
  });

  test('ends once its endpoint cannot be verified', async () => {
    const secureContext = createSecureContext({ cert: certificate, key });
    const endpoint = await introduced((socket) => {
      new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined);
    });
    const proxy = await proxyTo(endpoint, { tls: { ...tls, name: 'b.example' } }, { ca: root.certificate });
    const raw = await RawClient.connect(proxy.port);
    stops.push(() => raw.socket.destroy());
    raw.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect((await raw.response()).status).toBe(502);
    expect(proxy.counters.errors('SP_UPSTREAM_TLS')).toBe(1);
  });
});
