import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StatusCode } from 'grpc-web';

import { testPair } from '../support/certificates.ts';
import type { TestPair } from '../support/certificates.ts';
import { GrpcClient, outcomeOf } from '../support/grpc-client.ts';
import { GrpcServer, echoService } from '../support/grpc-server.ts';
import { GrpcWebClient } from '../support/grpc-web-client.ts';
import { Sallyport, ingress, services, tlsSecret } from '../support/sallyport-process.ts';

// From manifests to a call: one server, an Ingress with annotations, and a Route with a policy of the Service.

let folder: string;
let pair: TestPair;
let server: GrpcServer;
let running: Sallyport | undefined;

const annotated = ingress('localhost').replace(
  'metadata: { name: shop, namespace: team }',
  `metadata:
  name: shop
  namespace: team
  annotations:
    nginx.ingress.kubernetes.io/backend-protocol: GRPC
    nginx.ingress.kubernetes.io/ssl-redirect: 'false'
    nginx.ingress.kubernetes.io/enable-cors: 'true'
    nginx.ingress.kubernetes.io/cors-allow-origin: https://*.example`,
);

const route = `
apiVersion: sallyport.dev/v1alpha1
kind: Route
metadata: { name: unary, namespace: team }
spec:
  ingressClassName: sallyport
  hosts: [b.example]
  tls: { secretName: cert }
  rules:
    - matches: [{ grpc: { service: test.Echo, method: Unary } }]
      backends: [{ service: shop, port: 80 }]
---
apiVersion: sallyport.dev/v1alpha1
kind: BackendPolicy
metadata: { name: shop, namespace: team }
spec: { service: shop, protocol: GRPC }
`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-grpc-'));
  server = await GrpcServer.start();
  pair = testPair(['localhost', 'b.example']);
  await writeFile(join(folder, 'services.yaml'), services(server.port));
  await writeFile(join(folder, 'secret.yaml'), tlsSecret('cert', pair));
});

afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.exited;
  running = undefined;
  server.stop();
  await rm(folder, { recursive: true });
});

async function run(...more: string[]) {
  const ports = ['--address', '127.0.0.1', '--http-port', '0', '--https-port', '0', '--admin-port', '0'];
  const args = ['run', '--manifests', folder, ...ports, '--workers', '1', '--drain-delay', '0', ...more];
  running = new Sallyport(args);
  await running.live();
  return (await running.logged(({ msg }) => msg === 'started')) as unknown as {
    readonly port: number;
    readonly httpsPort: number;
  };
}

/** Over TLS, where ALPN chooses HTTP/2. */
function secureClient(port: number, host: string): GrpcClient {
  return new GrpcClient(
    port,
    { 'grpc.ssl_target_name_override': host, 'grpc.default_authority': host },
    credentials.createSsl(Buffer.from(pair.certificate)),
  );
}

describe('gRPC from manifests', () => {
  test('through an Ingress, over TLS, with gRPC-Web beside it', async () => {
    await writeFile(
      join(folder, 'ingress.yaml'),
      `${annotated}  tls: [{ hosts: [localhost], secretName: cert }]\n`,
    );
    const { port, httpsPort } = await run();
    const client = secureClient(httpsPort, 'localhost');
    expect(await client.unary(echoService.unary, 'hello')).toMatchObject({
      code: status.OK,
      messages: [Buffer.from('hello')],
    });
    expect(await outcomeOf(client.serverStream(echoService.download, '3 10'))).toMatchObject({
      code: status.OK,
    });
    client.close();
    const web = new GrpcWebClient(port, 'text', 'localhost');
    const outcome = await web.unary('/test.Echo/Unary', 'hello');
    expect(outcome.code).toBe(StatusCode.OK);
  });

  test('through a Route by service and method; others are UNIMPLEMENTED', async () => {
    await writeFile(join(folder, 'route.yaml'), route);
    const { httpsPort } = await run();
    const client = secureClient(httpsPort, 'b.example');
    expect((await client.unary(echoService.unary, 'hello')).code).toBe(status.OK);
    expect((await outcomeOf(client.serverStream(echoService.download, '1 1'))).code).toBe(
      status.UNIMPLEMENTED,
    );
    client.close();
    expect(server.calls).toHaveLength(1);
  });

  test('calls that run at a shutdown run to their end', async () => {
    await writeFile(
      join(folder, 'ingress.yaml'),
      `${annotated}  tls: [{ hosts: [localhost], secretName: cert }]\n`,
    );
    const { port } = await run('--enable-h2c');
    const client = new GrpcClient(port, { 'grpc.default_authority': 'localhost' });
    const call = client.bidi(echoService.chat);
    const outcome = outcomeOf(call);
    call.write(Buffer.from('before'));
    await new Promise((resolve) => call.once('data', resolve));
    running?.child.kill('SIGTERM');
    await running?.logged(({ msg }) => msg === 'shutting down');
    call.write(Buffer.from('behind'));
    call.end();
    expect((await outcome).code).toBe(status.OK);
    expect((await outcome).messages.map(String)).toEqual(['before', 'behind']);
    client.close();
    expect(await running?.exited).toBe(0);
  });
});
