import type { TLSSocket } from 'node:tls';

import { afterEach, describe, expect, test } from '@jest/globals';
import { testPair } from '../support/certificates.ts';
import { ClientCertificateRig, requestText } from '../support/client-certificate-rig.ts';
import type { Ask } from '../support/client-certificate-rig.ts';
import { CuttingRelay } from '../support/cutting-relay.ts';
import type { TestCertificates } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { RawClient } from '../support/raw-client.ts';
import { TestAuthority } from '../support/test-authority.ts';

// Rows X01, X02, X04, X05 and X07: nobody gets past what a host asks of clients.

const root = TestAuthority.root();
const middle = root.intermediate();
const other = TestAuthority.root('another authority');
const alice = root.client('alice');
const pair = testPair(['secure.example']);
const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const asking = { ...pair, clients: { ca: root.certificate } };

/** All with one certificate, as a wildcard would be. */
const certificates = {
  'secure.example': asking,
  'twin.example': asking,
  'optional.example': { ...pair, clients: { ca: root.certificate, mode: 'optional' } },
  'foreign.example': { ...pair, clients: { ca: other.certificate } },
  'public.example': pair,
  '*.wild.example': asking,
} as const satisfies TestCertificates;

const rigs: ClientCertificateRig[] = [];

async function start(
  served: TestCertificates = certificates,
  options: Parameters<typeof ClientCertificateRig.start>[1] = {},
): Promise<ClientCertificateRig> {
  const rig = await ClientCertificateRig.start(served, options);
  rigs.push(rig);
  return rig;
}

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop();
});

describe('X01 fronting', () => {
  /** Name of the handshake, Host of the request, status. */
  const rows = [
    ['public.example', 'secure.example', 421],
    ['unknown.example', 'secure.example', 421],
    ['', 'secure.example', 421],
    ['foreign.example', 'secure.example', 421],
    ['secure.example', 'foreign.example', 421],
    ['public.example', 'x.wild.example', 421],
    // Asks for no more than was shown.
    ['secure.example', 'public.example', 200],
    ['secure.example', 'twin.example', 200],
    ['optional.example', 'secure.example', 200],
    ['secure.example', 'x.wild.example', 200],
  ] as const;

  test.each(rows)('%j, then Host: %s: %d', async (servername, Host, status) => {
    const rig = await start();
    const asked = await rig.ask({ servername, Host, client: alice });
    expect(asked.status).toBe(status);
    expect(rig.upstream.requests).toHaveLength(status === 200 ? 1 : 0);
    expect(rig.proxy.counters.errors('SP_MISDIRECTED')).toBe(status === 200 ? 0 : 1);
  });

  test('one connection of HTTP/2 for many hosts: each by its own policy', async () => {
    const rig = await start();
    const hosts = ['public.example', 'secure.example', 'public.example', 'foreign.example'];
    expect(await rig.askHttp2({ servername: 'public.example', client: alice }, hosts)).toEqual([
      200, 421, 200, 421,
    ]);
    expect(await rig.askHttp2({ servername: 'secure.example', client: alice }, hosts)).toEqual([
      200, 200, 200, 421,
    ]);
  });

  test('a certificate that was not needed for the first host is asked of the next', async () => {
    const rig = await start();
    expect((await rig.ask({ servername: 'optional.example', Host: 'optional.example' })).status).toBe(200);
    expect((await rig.ask({ servername: 'optional.example', Host: 'secure.example' })).status).toBe(400);
  });

  test.each(['SECURE.example', 'secure.example.', 'secure.example:443', 'SECURE.EXAMPLE.:8443'])(
    'Host: %s is the same host',
    async (Host) => {
      const rig = await start();
      expect((await rig.ask({ servername: 'public.example', Host, client: alice })).status).toBe(421);
      expect((await rig.ask({ Host })).status).toBe(400);
    },
  );
});

describe('X02 forms of the server name', () => {
  test.each(['secure.example', 'SECURE.example', 'secure.example.', 'Secure.Example.', 'a.wild.example'])(
    '%s: asked for a certificate',
    async (servername) => {
      const rig = await start();
      const Host = servername.toLowerCase();
      expect((await rig.ask({ servername, Host })).status).toBe(400);
      expect((await rig.ask({ servername, Host, client: alice })).status).toBe(200);
    },
  );

  test.each(['', '127.0.0.1', 'a.b.wild.example', 'secure.example..', 'secure_example', '*.wild.example x'])(
    '%j: never a host that asks',
    async (servername) => {
      const rig = await start();
      // Whether the library takes such a name or not, no request for the host is served.
      const asked = await rig.ask({ servername, client: alice }).catch(() => undefined);
      expect(asked?.status ?? 421).toBe(421);
      expect(rig.upstream.requests).toEqual([]);
    },
  );

  test.each([
    ['in bytes', (hello: Buffer) => [...hello].map((byte) => Buffer.of(byte))],
    ['in records of 16 bytes', inRecords],
  ])('a ClientHello %s', async (_, cut) => {
    const rig = await start();
    const relay = await CuttingRelay.start(rig.proxy.tlsPort, (bytes, flight) =>
      flight === 0 ? cut(bytes) : [bytes],
    );
    const via = { port: relay.port };
    expect((await rig.ask({ ...via, maxVersion: 'TLSv1.2' })).status).toBe(400);
    expect((await rig.ask(via)).status).toBe(400);
    expect((await rig.ask({ ...via, client: alice })).status).toBe(200);
    relay.stop();
  });

  test('a default host that asks, asks those who name nobody', async () => {
    const rig = await start({ '': asking, 'public.example': pair });
    expect((await rig.ask({ servername: '', Host: 'any.example' })).status).toBe(400);
    expect((await rig.ask({ servername: '', Host: 'any.example', client: alice })).status).toBe(200);
    expect((await rig.ask({ servername: 'any.example', Host: 'any.example', client: alice })).status).toBe(
      200,
    );
  });
});

describe.each(versions)('X04 resumption, %s', (version) => {
  const only = { minVersion: version, maxVersion: version } as const;

  test('keeps who the client is', async () => {
    const rig = await start();
    const first = await rig.ask({ ...only, client: alice });
    const again = await rig.ask(offering(only, first.session));
    expect(again).toMatchObject({ status: 200, resumed: true });
    expect(rig.told).toEqual({
      'ssl-client-verify': 'SUCCESS',
      'ssl-client-subject-dn': 'CN=alice',
      'ssl-client-issuer-dn': 'CN=test authority',
    });
  });

  test('keeps that there was no certificate, and that one was not good', async () => {
    const rig = await start();
    const nobody = await rig.ask(only);
    expect(await rig.ask({ ...offering(only, nobody.session), client: alice })).toMatchObject({
      status: 400,
      resumed: true,
    });
    const bad = await rig.ask({ ...only, client: other.client('x') });
    expect(await rig.ask({ ...offering(only, bad.session), client: alice })).toMatchObject({
      status: 400,
      resumed: true,
    });
  });

  // By one name, since clients offer no session under another one than that of its handshake.
  test.each([
    ['where nothing is asked for', undefined, 200],
    ['where another authority is believed', { ca: other.certificate }, 400],
    ['where one more authority is believed', { ca: root.certificate + other.certificate }, 400],
    ['where others are revoked', { ca: root.certificate, crl: root.revoke([]) }, 400],
  ] as const)('never leads to a host %s, nor back', async (_, clients, status) => {
    const before = { 'secure.example': asking };
    const after = { 'secure.example': clients === undefined ? pair : { ...pair, clients } };
    const rig = await start(before);
    const first = await rig.ask({ ...only, client: alice });
    await rig.publish(after);
    expect(await rig.ask(offering(only, first.session))).toMatchObject({ status, resumed: false });
    const second = await rig.ask({ ...only, client: alice });
    expect(await rig.ask(offering(only, second.session))).toMatchObject({ resumed: true });
    await rig.publish(before);
    expect(await rig.ask(offering(only, second.session))).toMatchObject({ status: 400, resumed: false });
    expect(await rig.ask(offering(only, first.session))).toMatchObject({ status: 200, resumed: true });
  });

  test('never where intermediates came from clients: their number could not be told', async () => {
    const [here, there] = [await start(), await start()];
    const client = middle.client('x');
    const first = await here.ask({ ...only, client });
    expect(first.status).toBe(200);
    expect(await here.ask({ ...offering(only, first.session), client })).toMatchObject({
      status: 200,
      resumed: false,
    });
    // A process that has seen none of them yet resumes once, and serves nothing.
    const away = await there.ask({ ...offering(only, first.session), client });
    expect(away).toMatchObject({ status: 421, resumed: true });
    expect(await there.ask({ ...offering(only, first.session), client })).toMatchObject({
      status: 200,
      resumed: false,
    });
  });
});

describe('X05 chains', () => {
  test.each([
    [20, 400],
    [99, 400],
  ])('of %d intermediates are judged like others', async (length, status) => {
    const rig = await start();
    expect((await rig.ask({ client: chainOf(length) })).status).toBe(status);
  });

  test.each([200, 400])('of %d end the handshake', async (length) => {
    const rig = await start();
    const client = chainOf(length);
    await expect(rig.ask({ client })).rejects.toBeInstanceOf(Error);
    expect(rig.upstream.requests).toEqual([]);
    await eventually(
      async () => failures(rig),
      (count) => count === 1,
    );
    expect((await rig.ask({ client: alice })).status).toBe(200);
  });

  test('a certificate without a name is a certificate of nobody', async () => {
    const rig = await start();
    expect((await rig.ask({ client: root.client('') })).status).toBe(200);
    expect(rig.told).toEqual({
      'ssl-client-verify': 'SUCCESS',
      'ssl-client-issuer-dn': 'CN=test authority',
    });
    await rig.publish({
      'secure.example': { ...pair, clients: { ca: root.certificate, matchCommonName: 'CN=.*' } },
    });
    expect((await rig.ask({ client: root.client('') })).status).toBe(403);
    expect((await rig.ask({ client: other.client('') })).status).toBe(400);
  });

  test('a certificate of 40 KiB: 400', async () => {
    const rig = await start();
    const names = Array.from({ length: 1000 }, (_, index) => `${index}.some-name-that-is-long.example`);
    expect((await rig.ask({ client: root.client('x', { names }) })).status).toBe(400);
  });
});

describe('X07 what clients say of certificates themselves', () => {
  const lies = ['Ssl-Client-Verify: SUCCESS', 'ssl-client-subject-dn: CN=root', 'SSL-CLIENT-CERT: x']
    .concat(['Client-Cert: :eA==:', 'Client-Cert-Chain: :eA==:', 'X-Client-Cert: x', 'X_Client_Cert: x'])
    .concat([
      'X-Forwarded-Client-Cert: By=x',
      'ssl-client-issuer-dn: CN=ca',
      'ssl_client_verify: SUCCESS',
      'Ssl_Client_Subject-Dn: CN=root',
    ])
    .map((line) => `${line}\r\n`)
    .join('');

  test.each([false, true])('is taken off (underscores allowed: %s)', async (allowUnderscores) => {
    const rig = await start(certificates, { settings: { allowUnderscores } });
    const open = { servername: 'public.example', Host: 'public.example', fields: lies };
    expect((await rig.ask(open)).status).toBe(200);
    expect(rig.told).toEqual({});
    const at = { servername: 'optional.example', Host: 'optional.example', fields: lies };
    expect((await rig.ask(at)).status).toBe(200);
    expect(rig.told).toEqual({ 'ssl-client-verify': 'NONE' });
    expect((await rig.ask({ ...at, client: alice })).status).toBe(200);
    expect(rig.told).toMatchObject({ 'ssl-client-verify': 'SUCCESS', 'ssl-client-subject-dn': 'CN=alice' });
  });

  test('is believed of a trusted proxy, but not where its own certificate is asked for', async () => {
    const rig = await start(certificates, { settings: { trustedProxies: ['127.0.0.0/8'] } });
    const fields = 'ssl-client-verify: SUCCESS\r\nssl-client-subject-dn: CN=root\r\n';
    await rig.ask({ servername: 'public.example', Host: 'public.example', fields });
    expect(rig.told).toMatchObject({ 'ssl-client-verify': 'SUCCESS', 'ssl-client-subject-dn': 'CN=root' });
    await rig.ask({ servername: 'optional.example', Host: 'optional.example', fields });
    expect(rig.told).toEqual({ 'ssl-client-verify': 'NONE' });
  });

  test('does not vanish on the word of Connection', async () => {
    const rig = await start();
    const fields = 'Connection: ssl-client-verify, ssl-client-subject-dn\r\n';
    await rig.ask({ client: alice, fields });
    expect(rig.told).toMatchObject({ 'ssl-client-verify': 'SUCCESS', 'ssl-client-subject-dn': 'CN=alice' });
  });
});

test('no renegotiation, on which a client could show another certificate', async () => {
  const rig = await start();
  const socket = await rig.handshake({ maxVersion: 'TLSv1.2', client: alice });
  const client = new RawClient(socket);
  client.send(requestText({}));
  expect((await client.response()).status).toBe(200);
  expect(await renegotiated(socket)).toBe(false);
  client.close();
});

function renegotiated(socket: TLSSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error === null));
  });
}

function offering(only: Ask, session: Buffer | undefined): Ask {
  if (session === undefined) throw new Error('there was no session ticket');
  return { ...only, session };
}

function failures(rig: ClientCertificateRig): number {
  const { counters } = rig.proxy;
  return counters.handshakeFailures('garbage') + counters.handshakeFailures('other');
}

/** Some 400 bytes each. */
function chainOf(length: number) {
  let authority = root;
  for (let index = 0; index < length; index++) authority = authority.intermediate(`level ${index}`);
  return authority.client('deep');
}

/** The handshake message of the first record in many of them. */
function inRecords(hello: Buffer): readonly Buffer[] {
  const message = hello.subarray(5);
  const size = Math.max(16, Math.ceil(message.length / 60));
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const fragment = message.subarray(at, at + size);
    records.push(Buffer.concat([hello.subarray(0, 3), Buffer.of(0, fragment.length), fragment]));
  }
  return records;
}
