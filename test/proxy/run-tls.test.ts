import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { testPair } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { RawClient, request } from '../support/raw-client.ts';
import { Sallyport, ingress, opaqueSecret, services, tlsSecret } from '../support/sallyport-process.ts';

let folder: string;
let upstream: Server;
let running: Sallyport | undefined;

beforeAll(async () => {
  upstream = createServer((_, response) => response.end('served'));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
});

afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

const withTls = `${ingress('a.example')}  tls: [{ hosts: [a.example], secretName: cert }]\n`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'));
  await writeFile(join(folder, 'services.yaml'), services((upstream.address() as AddressInfo).port));
  await writeFile(join(folder, 'ingress.yaml'), withTls);
  await writeFile(join(folder, 'secret.yaml'), tlsSecret('cert', testPair(['a.example'])));
});

afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.exited;
  running = undefined;
  await rm(folder, { recursive: true });
});

interface Ports {
  readonly port: number;
  readonly httpsPort: number;
  readonly adminPort: number;
}

async function run(...more: string[]): Promise<Ports> {
  const ports = ['--address', '127.0.0.1', '--http-port', '0', '--https-port', '0', '--admin-port', '0'];
  const args = ['run', '--manifests', folder, ...ports, '--workers', '2', '--drain-delay', '0', ...more];
  running = new Sallyport(args);
  await running.live();
  return (await running.logged(({ msg }) => msg === 'started')) as unknown as Ports;
}

async function handshake(port: number, servername: string, session?: Buffer): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false, session });
  await once(socket, 'secureConnect');
  return socket;
}

/** A session to resume, and the name of the key that its ticket is sealed by (RFC 5077 §4). */
async function sessionOf(port: number) {
  const socket = await handshake(port, 'a.example');
  const [session] = (await once(socket, 'session')) as [Buffer];
  const keyName = socket.getTLSTicket()?.toString('hex', 0, 16);
  socket.destroy();
  return { session, keyName };
}

async function resumes(port: number, { session }: { readonly session: Buffer }): Promise<boolean> {
  const socket = await handshake(port, 'a.example', session);
  const resumed = socket.isSessionReused();
  socket.destroy();
  return resumed;
}

async function get(socket: TLSSocket, host: string) {
  const client = new RawClient(socket);
  client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const response = await client.response();
  client.close();
  return response;
}

async function subject(port: number, servername: string): Promise<string> {
  const socket = await handshake(port, servername);
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

/** All that were done, whatever their cipher. */
function handshakes(exposition: string): number {
  const counts = [...exposition.matchAll(/^sallyport_tls_handshakes_total\{.*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('sallyport run', () => {
  test('serves a TLS Secret, redirects its host, and shows both in its metrics', async () => {
    const { port, httpsPort, adminPort } = await run();
    const plain = await request(port, 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect([plain.status, plain.headers.get('location')]).toEqual([308, 'https://a.example/x']);
    const secure = await get(await handshake(httpsPort, 'a.example'), 'a.example');
    expect([secure.status, secure.body]).toEqual([200, 'served']);
    expect(secure.headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
    const missing = await get(await handshake(httpsPort, 'b.example'), 'b.example');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
    expect(await subject(httpsPort, 'b.example')).toBe('Kubernetes Ingress Controller Fake Certificate');
    const { body } = await request(
      adminPort,
      'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    // A client is done before the server is: the last one may be counted later.
    expect(handshakes(body)).toBeGreaterThanOrEqual(2);
    expect(body).toMatch(
      /^sallyport_certificate_expiry_timestamp_seconds\{namespace="team",secret="cert"\} \d{10}$/m,
    );
  });

  test('a ticket of one worker is good in the others', async () => {
    const { httpsPort } = await run();
    const first = await handshake(httpsPort, 'a.example');
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    for (let round = 0; round < 20; round++) {
      const again = await handshake(httpsPort, 'a.example', session);
      expect(again.isSessionReused()).toBe(true);
      again.destroy();
    }
  });

  test('a Secret of session tickets lets replicas resume sessions of each other, and changes without a restart', async () => {
    const write = (values: Readonly<Record<string, Buffer>>) =>
      writeFile(join(folder, 'tickets.yaml'), opaqueSecret('tickets', values));
    const [first, second, third] = ['1', '2', '3'].map((fill) => Buffer.alloc(32, fill)) as [
      Buffer,
      Buffer,
      Buffer,
    ];
    await write({ '2026-01': first });
    const flag = ['--ssl-session-ticket-secret', 'team/tickets'];
    const { httpsPort: here } = await run(...flag);
    const before = await sessionOf(here);
    running?.child.kill('SIGKILL');
    const { httpsPort: there } = await run(...flag);
    expect(await resumes(there, before)).toBe(true);

    await write({ '2026-01': first, '2026-02': second, '2026-03': third });
    const newer = await eventually(
      () => sessionOf(there),
      ({ keyName }) => keyName !== before.keyName,
    );
    expect(await resumes(there, before)).toBe(true);
    await write({ '2026-03': third, '2026-04': Buffer.alloc(31) });
    await running?.logged(({ code, path }) => code === 'SP2208' && path === 'data["2026-04"]');
    await eventually(
      () => resumes(there, before),
      (resumed) => !resumed,
    );
    expect(await resumes(there, newer)).toBe(true);

    await rm(join(folder, 'tickets.yaml'));
    await running?.logged(({ code }) => code === 'SP2207');
    await eventually(
      () => resumes(there, newer),
      (resumed) => !resumed,
    );
    expect(await resumes(there, await sessionOf(there))).toBe(true);
  });

  test('a Secret that is replaced is served anew; one that breaks stays as it was', async () => {
    const { httpsPort } = await run();
    const next = testPair(['next.example']);
    await writeFile(join(folder, 'secret.yaml'), tlsSecret('cert', next));
    await running?.logged(({ msg, generation }) => msg === 'table live' && generation === 2);
    expect(await subject(httpsPort, 'a.example')).toBe('next.example');
    const broken = { ...next, key: testPair(['x']).key };
    await writeFile(join(folder, 'secret.yaml'), tlsSecret('cert', broken));
    await running?.logged(({ code }) => code === 'SP2202');
    expect(await subject(httpsPort, 'a.example')).toBe('next.example');
  });

  test('--default-ssl-certificate serves names that no host has', async () => {
    await writeFile(join(folder, 'default.yaml'), tlsSecret('default', testPair(['default.example'])));
    const { httpsPort } = await run('--default-ssl-certificate', 'team/default');
    expect(await subject(httpsPort, 'b.example')).toBe('default.example');
    expect(await subject(httpsPort, 'a.example')).toBe('a.example');
  });

  test('flags switch the redirect and HSTS, and a trusted proxy may speak of HTTPS', async () => {
    const flags = ['--hsts-include-subdomains=false', '--hsts-preload', '--hsts-max-age', '60'];
    const { port, httpsPort } = await run(...flags, '--trusted-proxies', '127.0.0.1');
    const secure = await get(await handshake(httpsPort, 'a.example'), 'a.example');
    expect(secure.headers.get('strict-transport-security')).toBe('max-age=60; preload');
    const forwarded = await request(
      port,
      'GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Proto: https\r\n\r\n',
    );
    expect(forwarded.status).toBe(200);
  });

  test('neither, when flags say so', async () => {
    const off = await run('--ssl-redirect=false', '--hsts=false');
    const plain = await request(off.port, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect(plain.status).toBe(200);
    const bare = await get(await handshake(off.httpsPort, 'a.example'), 'a.example');
    expect(bare.headers.has('strict-transport-security')).toBe(false);
  });

  test.each([
    ['--ssl-ciphers', 'nonsense', /Read --ssl-ciphers: "nonsense" is not what the TLS library takes/],
    ['--ssl-ecdh-curve', 'nonsense', /Read --ssl-ecdh-curve: "nonsense" is not what the TLS library takes/],
  ])('refuses %s %s', async (flag, value, message) => {
    const ports = ['--http-port', '0', '--https-port', '0', '--admin-port', '0'];
    running = new Sallyport(['run', '--manifests', folder, '--address', '127.0.0.1', ...ports, flag, value]);
    expect(await running.exited).toBe(1);
    expect(running.stderr).toMatch(message);
  });

  test('goes without HTTPS when nobody asked for its port and another process has it', async () => {
    // A test that runs beside this one may have the port of the default for a while.
    const squatter = await eventually(
      () => listenOn(8443),
      (server) => server !== undefined,
    );
    const ports = ['--address', '127.0.0.1', '--http-port', '0', '--admin-port', '0', '--workers', '1'];
    running = new Sallyport(['run', '--manifests', folder, ...ports, '--drain-delay', '0']);
    await running.live();
    const warning = await running.logged(({ msg }) => String(msg).startsWith('no HTTPS'));
    expect(warning['reason']).toContain('port 8443 is taken');
    expect((await running.logged(({ msg }) => msg === 'started'))['httpsPort']).toBeUndefined();
    squatter?.close();
  });
});

/** A server on a loopback port; undefined while somebody else has it. */
async function listenOn(port: number): Promise<TcpServer | undefined> {
  const server = createTcpServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
