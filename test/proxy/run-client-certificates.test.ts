import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { testPair } from '../support/certificates.ts';
import type { TestPair } from '../support/certificates.ts';
import { RawClient, request } from '../support/raw-client.ts';
import { RawUpstream } from '../support/raw-upstream.ts';
import { Sallyport, ingress, opaqueSecret, services, tlsSecret } from '../support/sallyport-process.ts';
import { TestAuthority } from '../support/test-authority.ts';

// Annotations, a Secret with an authority, and clients with certificates: the whole way, with two workers.

const root = TestAuthority.root();
const other = TestAuthority.root('another authority');
const alice = root.client('alice');
const bob = other.client('bob');

let folder: string;
let upstream: RawUpstream;
let running: Sallyport | undefined;

beforeEach(async () => {
  upstream = await RawUpstream.start();
  folder = await mkdtemp(join(tmpdir(), 'sallyport-clients-'));
  await writeFile(join(folder, 'services.yaml'), services(upstream.port));
  await writeFile(join(folder, 'secret.yaml'), tlsSecret('cert', testPair(['a.example'])));
});

afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.exited;
  running = undefined;
  await upstream.stop();
  await rm(folder, { recursive: true });
});

async function run(annotations: Readonly<Record<string, string>>) {
  const lines = Object.entries(annotations).map(
    ([name, value]) => `    nginx.ingress.kubernetes.io/${name}: ${JSON.stringify(value)}\n`,
  );
  const metadata = 'metadata:\n  name: shop\n  namespace: team\n  annotations:\n';
  const text = ingress('a.example').replace(/metadata: .*\n/, () => metadata + lines.join(''));
  await writeFile(join(folder, 'ingress.yaml'), `${text}  tls: [{ hosts: [a.example], secretName: cert }]\n`);
  const ports = ['--address', '127.0.0.1', '--http-port', '0', '--https-port', '0', '--admin-port', '0'];
  running = new Sallyport(['run', '--manifests', folder, ...ports, '--workers', '2', '--drain-delay', '0']);
  await running.live();
  const started = await running.logged(({ msg }) => msg === 'started');
  return { port: Number(started['port']), httpsPort: Number(started['httpsPort']) };
}

const authority = (ca: string) =>
  writeFile(join(folder, 'ca.yaml'), opaqueSecret('ca', { 'ca.crt': Buffer.from(ca) }));

/** This generation serves in both workers. */
async function liveInAll(generation: number): Promise<void> {
  await running?.logged(({ msg, generation: live }) => msg === 'table live' && live === generation);
}

async function handshake(port: number, client?: TestPair, session?: Buffer): Promise<TLSSocket> {
  const shown = client === undefined ? {} : { cert: client.certificate, key: client.key };
  const options = { port, host: '127.0.0.1', servername: 'a.example', rejectUnauthorized: false };
  const socket = connect({ ...options, ...shown, session });
  await once(socket, 'secureConnect');
  return socket;
}

async function status(port: number, client?: TestPair): Promise<number> {
  const raw = new RawClient(await handshake(port, client));
  raw.send('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
  const response = await raw.response();
  raw.close();
  return response.status;
}

test('an authority is missing, comes, is replaced and breaks', async () => {
  const { port, httpsPort } = await run({
    'auth-tls-secret': 'team/ca',
    'auth-tls-pass-certificate-to-upstream': 'true',
  });
  expect(await status(httpsPort, alice)).toBe(403);

  await authority(root.certificate);
  await liveInAll(2);
  expect(await status(httpsPort, alice)).toBe(200);
  expect(Object.fromEntries(upstream.requests.at(-1)?.headers ?? [])).toMatchObject({
    'ssl-client-verify': 'SUCCESS',
    'ssl-client-subject-dn': 'CN=alice',
    'ssl-client-issuer-dn': 'CN=test authority',
    'ssl-client-cert': encodeURIComponent(alice.certificate),
  });
  expect(await status(httpsPort)).toBe(400);
  expect(await status(httpsPort, bob)).toBe(400);
  const plain = await request(port, 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
  expect(plain.status).toBe(308);

  await authority(other.certificate);
  await liveInAll(3);
  expect(await status(httpsPort, bob)).toBe(200);
  expect(await status(httpsPort, alice)).toBe(400);

  await authority('nothing');
  await liveInAll(4);
  expect(await status(httpsPort, bob)).toBe(403);
});

test('a session of one worker is resumed by the other, with who the client is', async () => {
  await authority(root.certificate);
  const { httpsPort } = await run({ 'auth-tls-secret': 'team/ca', 'auth-tls-match-cn': 'CN=alice$' });
  const first = await handshake(httpsPort, alice);
  const [session] = (await once(first, 'session')) as [Buffer];
  first.destroy();
  for (let round = 0; round < 20; round++) {
    const socket = await handshake(httpsPort, undefined, session);
    expect(socket.isSessionReused()).toBe(true);
    const raw = new RawClient(socket);
    raw.send('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect((await raw.response()).status).toBe(200);
    raw.close();
  }
  expect(await status(httpsPort, root.client('malice'))).toBe(403);
});
