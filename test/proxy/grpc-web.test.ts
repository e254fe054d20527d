import { afterEach, describe, expect, test } from '@jest/globals';
import { StatusCode } from 'grpc-web';

import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions, TestRoute } from '../support/data-plane-harness.ts';
import { GrpcWebClient, webOutcomeOf } from '../support/grpc-web-client.ts';

let proxy: TestProxy;

async function start(routes: readonly TestRoute[], options: TestProxyOptions = {}): Promise<void> {
  proxy = await startProxy(routes, options);
}

afterEach(async () => {
  await proxy.stop();
});

const grpc = { protocol: 'http2', grpc: true } as const;

describe.each(['binary', 'text'] as const)('in %s', (format) => {
  test('no route is UNIMPLEMENTED', async () => {
    await start([]);
    const outcome = await new GrpcWebClient(proxy.port, format).unary('/test.Echo/Unary', 'hello');
    expect(outcome).toMatchObject({ code: StatusCode.UNIMPLEMENTED, details: '404 Not Found' });
  });

  test('no endpoints are UNAVAILABLE', async () => {
    await start([{ upstream: [], policy: grpc }]);
    const client = new GrpcWebClient(proxy.port, format);
    expect(await client.unary('/test.Echo/Unary', 'hello')).toMatchObject({ code: StatusCode.UNAVAILABLE });
    expect(await webOutcomeOf(client.serverStream('/test.Echo/Download', '1 1'))).toMatchObject({
      code: StatusCode.UNAVAILABLE,
      details: '503 Service Unavailable',
    });
  });
});
