import { once } from 'node:events';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { testPair } from '../support/certificates.ts';
import type { TestPair } from '../support/certificates.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestCertificates, TestClients, TestProxy, TestRoute } from '../support/data-plane-harness.ts';
import { RawClient } from '../support/raw-client.ts';
import { RawUpstream } from '../support/raw-upstream.ts';
import { TestAuthority, expired, notYetValid } from '../support/test-authority.ts';

// Certificates of clients on real TLS sockets. Hostile rows X01 to X05 and X07 stand in their names.

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const root = TestAuthority.root();
const middle = root.intermediate();
const lower = middle.intermediate('test lower');
const other = TestAuthority.root('another authority');
const alice = root.client('alice', { organization: 'Ops' });
const bob = root.client('bob');
const pair = testPair(['secure.example', '*.wild.example', 'public.example']);
const secure = 'secure.example';

let upstream: RawUpstream;
let proxy: TestProxy;

beforeAll(async () => {
  upstream = await RawUpstream.start();
});

afterAll(async () => {
  await upstream.stop();
});

beforeEach(() => {
  upstream.requests.length = 0;
});

afterEach(async () => {
  await proxy.stop();
});

/** Two hosts with one certificate: one asks for certificates, the other does not. */
function hosts(clients: Partial<TestClients> = {}): TestCertificates {
  return {
    [secure]: { ...pair, clients: { ca: root.certificate, ...clients } },
    'public.example': pair,
  };
}

function routes(...more: TestRoute[]): TestRoute[] {
  return [{ upstream: [upstream.port] }, ...more];
}

async function start(certificates: TestCertificates, more: TestRoute[] = []): Promise<void> {
  proxy = await startProxy(routes(...more), { tls: {}, certificates });
}

async function handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port: proxy.tlsPort,
    host: '127.0.0.1',
    servername: secure,
    rejectUnauthorized: false,
    ...options,
  });
  socket.on('session', (session: Buffer) => sessions.set(socket, session));
  await once(socket, 'secureConnect');
  return socket;
}

const sessions = new WeakMap<TLSSocket, Buffer>();

interface Ask extends ConnectionOptions {
  readonly client?: TestPair;
  readonly Host?: string;
  readonly fields?: string;
}

/** One request, with what came of it. */
async function ask({ client, Host = secure, fields = '', ...options }: Ask = {}) {
  const socket = await handshake({ ...shown(client), ...options });
  const raw = new RawClient(socket);
  raw.send(`GET /x HTTP/1.1\r\nHost: ${Host}\r\n${fields}\r\n`);
  const response = await raw.response();
  const resumed = socket.isSessionReused();
  raw.close();
  return { status: response.status, response, resumed, session: sessions.get(socket) };
}

function shown(client: TestPair | undefined): ConnectionOptions {
  return client === undefined ? {} : { cert: client.certificate, key: client.key };
}

/** What the upstream was told last. */
function told(): Record<string, string> {
  const fields = [...(upstream.requests.at(-1)?.headers ?? [])];
  return Object.fromEntries(fields.filter(([name]) => /^ssl.client/.test(name)));
}

describe.each(versions)('%s', (version) => {
  const only = { minVersion: version, maxVersion: version } as const;

  test('a client with a good certificate is served, and the upstream is told', async () => {
    await start(hosts({ passCertificate: true }));
    expect((await ask({ ...only, client: alice })).status).toBe(200);
    expect(told()).toEqual({
      'ssl-client-verify': 'SUCCESS',
      'ssl-client-subject-dn': 'CN=alice,O=Ops',
      'ssl-client-issuer-dn': 'CN=test authority',
      'ssl-client-cert': encodeURIComponent(alice.certificate),
    });
  });

  test('one without is told so over HTTP, and its connection ends', async () => {
    await start(hosts());
    const raw = new RawClient(await handshake(only));
    raw.send(`GET /x HTTP/1.1\r\nHost: ${secure}\r\n\r\n`);
    const response = await raw.response();
    expect(response.status).toBe(400);
    expect(response.body).toBe('400 Client Certificate Required\n');
    await raw.untilEnd();
    raw.close();
    expect(upstream.requests).toEqual([]);
    expect(proxy.counters.errors('SP_CLIENT_CERT_MISSING')).toBe(1);
  });

  test.each([
    ['X05 expired', root.client('x', expired)],
    ['not yet valid', root.client('x', notYetValid)],
    ['X05 for servers', root.client('x', { purposes: ['server'] })],
    ['X05 of another authority', other.client('x')],
    ['X05 of another authority by the same name', TestAuthority.root().client('x')],
    ['self-signed', testPair(['x'])],
    ['of an authority below the depth', lower.client('x')],
  ])('%s: 400', async (_, client) => {
    await start(hosts());
    expect((await ask({ ...only, client })).status).toBe(400);
    expect(upstream.requests).toEqual([]);
    expect(proxy.counters.errors('SP_CLIENT_CERT_INVALID')).toBe(1);
  });

  test('a certificate for anything will do', async () => {
    await start(hosts());
    expect((await ask({ ...only, client: root.client('x', { purposes: [] }) })).status).toBe(200);
  });

  test.each([
    [0, root, 200],
    [0, middle, 400],
    [1, middle, 200],
    [1, lower, 400],
    [2, lower, 200],
  ])('depth %d counts intermediates (case %#)', async (verifyDepth, issuer, status) => {
    await start(hosts({ verifyDepth }));
    expect((await ask({ ...only, client: issuer.client('x') })).status).toBe(status);
  });

  test('intermediates may stand beside the root', async () => {
    await start(hosts({ ca: middle.certificate + root.certificate }));
    const [leaf = ''] = middle.client('x').certificate.split(/(?<=-----END CERTIFICATE-----\n)/);
    const client = middle.client('x');
    expect(leaf).not.toBe(client.certificate);
    const alone = { ...client, certificate: client.certificate.slice(0, leaf.length) };
    expect((await ask({ ...only, client: alone })).status).toBe(200);
  });

  test('revoked: 400, also on the connection that was there before', async () => {
    await start(hosts());
    const before = new RawClient(await handshake({ ...only, ...shown(bob) }));
    before.send(`GET /x HTTP/1.1\r\nHost: ${secure}\r\n\r\n`);
    expect((await before.response()).status).toBe(200);
    await proxy.publish(routes(), hosts({ crl: root.revoke([bob]) }));
    before.send(`GET /x HTTP/1.1\r\nHost: ${secure}\r\n\r\n`);
    expect((await before.response()).status).toBe(421);
    before.close();
    expect((await ask({ ...only, client: bob })).status).toBe(400);
    expect((await ask({ ...only, client: alice })).status).toBe(200);
  });

  test('optional: none or a good one', async () => {
    await start(hosts({ mode: 'optional' }));
    expect((await ask(only)).status).toBe(200);
    expect(told()).toEqual({ 'ssl-client-verify': 'NONE' });
    expect((await ask({ ...only, client: alice })).status).toBe(200);
    expect(told()).toMatchObject({ 'ssl-client-verify': 'SUCCESS' });
    expect((await ask({ ...only, client: other.client('x') })).status).toBe(400);
  });

  test('optional-no-ca: whoever signed it, but it must be in force', async () => {
    await start(hosts({ mode: 'optional-no-ca' }));
    expect((await ask(only)).status).toBe(200);
    expect((await ask({ ...only, client: other.client('mallory') })).status).toBe(200);
    expect(told()).toEqual({
      'ssl-client-verify': 'FAILED:unable to verify the first certificate',
      'ssl-client-subject-dn': 'CN=mallory',
      'ssl-client-issuer-dn': 'CN=another authority',
    });
    expect((await ask({ ...only, client: root.client('x', expired) })).status).toBe(400);
  });

  test('X03 closed: 403 for everybody, and nobody is asked', async () => {
    await start(hosts({ mode: 'closed' }));
    expect((await ask({ ...only, client: alice })).status).toBe(403);
    expect((await ask(only)).status).toBe(403);
    expect((await ask({ ...only, Host: 'public.example', servername: 'public.example' })).status).toBe(200);
  });

  test.each([
    ['garbage', 'no PEM at all'],
    ['a broken certificate', root.certificate.replace(/MII/, 'AAA')],
  ])('X03 an authority of %s lets nobody in', async (_, ca) => {
    await start(hosts({ ca }));
    expect((await ask({ ...only, client: alice })).status).toBeGreaterThanOrEqual(400);
    expect((await ask(only)).status).toBeGreaterThanOrEqual(400);
    expect((await ask({ ...only, Host: 'public.example', servername: 'public.example' })).status).toBe(200);
  });

  test('X03 a list of revoked ones that is garbage lets nobody in', async () => {
    await start(hosts({ crl: 'garbage' }));
    expect((await ask({ ...only, client: alice })).status).toBe(421);
    expect(proxy.warnings).toHaveLength(1);
  });
});
