import { afterEach, describe, expect, test } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';

import { startProxy, testSettings } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions, TestRoute } from '../support/data-plane-harness.ts';
import { AccessLog } from '../../src/telemetry/access-log.ts';
import { RawClient } from '../support/raw-client.ts';
import { GrpcClient, outcomeOf } from '../support/grpc-client.ts';
import { echoService } from '../support/grpc-server.ts';

// What clients of gRPC hear of errors that the proxy answers itself.

let proxy: TestProxy;
let client: GrpcClient;

async function start(routes: readonly TestRoute[], options: TestProxyOptions = {}): Promise<void> {
  const http2 = { ...testSettings.http2, plain: true };
  proxy = await startProxy(routes, { ...options, settings: { ...options.settings, http2 } });
  client = new GrpcClient(proxy.port);
}

afterEach(async () => {
  client.close();
  await proxy.stop();
});

const grpc = { protocol: 'http2', grpc: true } as const;

describe('before an endpoint is reached', () => {
  test('no route is UNIMPLEMENTED', async () => {
    await start([]);
    const outcome = await client.unary(echoService.unary, 'hello');
    expect(outcome).toMatchObject({ code: status.UNIMPLEMENTED, details: '404 Not Found' });
    expect(outcome.trailers.get('x-request-id')).toHaveLength(1);
  });

  test('no endpoints are UNAVAILABLE, for streams too', async () => {
    await start([{ upstream: [], policy: grpc }]);
    expect((await client.unary(echoService.unary, 'hello')).code).toBe(status.UNAVAILABLE);
    expect(await outcomeOf(client.serverStream(echoService.download, '1 1'))).toMatchObject({
      code: status.UNAVAILABLE,
      details: '503 Service Unavailable',
    });
    const { outcome } = client.clientStream(echoService.upload);
    expect((await outcome).code).toBe(status.UNAVAILABLE);
    expect((await outcomeOf(client.bidi(echoService.chat))).code).toBe(status.UNAVAILABLE);
  });

  test('a timeout that cannot be read is INTERNAL', async () => {
    await start([{ upstream: [1], policy: grpc }]);
    const metadata = new Metadata();
    metadata.set('grpc-timeout', '1second');
    expect((await client.unaryWith(echoService.unary, 'hello', metadata)).code).toBe(status.INTERNAL);
  });

  test('an answer of a filter is its status', async () => {
    await start([
      {
        upstream: [],
        filters: [
          { name: 'redirect', config: { kind: 'fixed', location: 'https://a.example/', statusCode: 301 } },
        ],
      },
    ]);
    const outcome = await client.unary(echoService.unary, 'hello');
    expect(outcome).toMatchObject({ code: status.UNKNOWN, details: 'HTTP status 301' });
    expect(outcome.trailers.get('location')).toEqual([]);
  });

  test('over HTTP/1.1 the status is among the headers, and the connection serves on', async () => {
    await start([]);
    const raw = await RawClient.connect(proxy.port);
    const request =
      'POST /test.Echo/Unary HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n\r\n';
    for (const _ of [1, 2]) {
      raw.send(request);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const response = await raw.response();
      expect(response).toMatchObject({ status: 200, body: '' });
      expect(response.headers.get('grpc-status')).toBe('12');
      expect(response.headers.get('content-type')).toBe('application/grpc');
    }
    raw.close();
  });

  test('the books have the HTTP status, and the code of the error', async () => {
    let text = '';
    const accessLog = new AccessLog({ send: (lines) => (text += lines) });
    await start([{ upstream: [], policy: grpc }], { accessLog });
    await client.unary(echoService.unary, 'hello');
    accessLog.flush();
    expect(JSON.parse(text)).toMatchObject({ status: 503, error: 'SP_NO_ENDPOINTS', protocol: 'HTTP/2.0' });
  });
});
