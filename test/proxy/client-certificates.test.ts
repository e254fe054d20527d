import { once } from 'node:events';

import { afterEach, describe, expect, test } from '@jest/globals';
import { testPair } from '../support/certificates.ts';
import { ClientCertificateRig, requestText } from '../support/client-certificate-rig.ts';
import type { TestCertificates, TestClients } from '../support/data-plane-harness.ts';
import { RawClient, request } from '../support/raw-client.ts';
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

let rig: ClientCertificateRig;

afterEach(async () => {
  await rig.stop();
});

/** Two hosts with one certificate: one asks for certificates, the other does not. */
function hosts(clients: Partial<TestClients> = {}): TestCertificates {
  return {
    [secure]: { ...pair, clients: { ca: root.certificate, ...clients } },
    'public.example': pair,
  };
}

describe.each(versions)('%s', (version) => {
  const only = { minVersion: version, maxVersion: version } as const;

  test('a client with a good certificate is served, and the upstream is told', async () => {
    rig = await ClientCertificateRig.start(hosts({ passCertificate: true }));
    expect((await rig.ask({ ...only, client: alice })).status).toBe(200);
    expect(rig.told).toEqual({
      'ssl-client-verify': 'SUCCESS',
      'ssl-client-subject-dn': 'CN=alice,O=Ops',
      'ssl-client-issuer-dn': 'CN=test authority',
      'ssl-client-cert': encodeURIComponent(alice.certificate),
    });
  });

  test('one without is told so over HTTP, and its connection ends', async () => {
    rig = await ClientCertificateRig.start(hosts());
    const raw = new RawClient(await rig.handshake(only));
    raw.send(requestText({}));
    const response = await raw.response();
    expect(response.status).toBe(400);
    expect(response.body).toBe('400 Client Certificate Required\n');
    await raw.untilEnd();
    raw.close();
    expect(rig.upstream.requests).toEqual([]);
    expect(rig.proxy.counters.errors('SP_CLIENT_CERT_MISSING')).toBe(1);
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
    rig = await ClientCertificateRig.start(hosts());
    expect((await rig.ask({ ...only, client })).status).toBe(400);
    expect(rig.upstream.requests).toEqual([]);
    expect(rig.proxy.counters.errors('SP_CLIENT_CERT_INVALID')).toBe(1);
  });

  test('a certificate for anything will do', async () => {
    rig = await ClientCertificateRig.start(hosts());
    expect((await rig.ask({ ...only, client: root.client('x', { purposes: [] }) })).status).toBe(200);
  });

  test.each([
    [0, root, 200],
    [0, middle, 400],
    [1, middle, 200],
    [1, lower, 400],
    [2, lower, 200],
  ])('depth %d counts intermediates (case %#)', async (verifyDepth, issuer, status) => {
    rig = await ClientCertificateRig.start(hosts({ verifyDepth }));
    expect((await rig.ask({ ...only, client: issuer.client('x') })).status).toBe(status);
  });

  test('intermediates may stand beside the root', async () => {
    rig = await ClientCertificateRig.start(hosts({ ca: middle.certificate + root.certificate }));
    const client = middle.client('x');
    const [leaf = ''] = client.certificate.split(/(?<=-----END CERTIFICATE-----\n)/);
    expect(leaf).not.toBe(client.certificate);
    const alone = { ...client, certificate: leaf };
    expect((await rig.ask({ ...only, client: alone })).status).toBe(200);
  });

  test('revoked: 400, also on the connection that was there before', async () => {
    rig = await ClientCertificateRig.start(hosts());
    const before = new RawClient(await rig.handshake({ ...only, client: bob }));
    before.send(requestText({}));
    expect((await before.response()).status).toBe(200);
    await rig.publish(hosts({ crl: root.revoke([bob]) }));
    before.send(requestText({}));
    expect((await before.response()).status).toBe(421);
    before.close();
    expect((await rig.ask({ ...only, client: bob })).status).toBe(400);
    expect((await rig.ask({ ...only, client: alice })).status).toBe(200);
  });

  test('optional: none or a good one', async () => {
    rig = await ClientCertificateRig.start(hosts({ mode: 'optional' }));
    expect((await rig.ask(only)).status).toBe(200);
    expect(rig.told).toEqual({ 'ssl-client-verify': 'NONE' });
    expect((await rig.ask({ ...only, client: alice })).status).toBe(200);
    expect(rig.told).toMatchObject({ 'ssl-client-verify': 'SUCCESS' });
    expect((await rig.ask({ ...only, client: other.client('x') })).status).toBe(400);
  });

  test('optional-no-ca: whoever signed it, but it must be in force', async () => {
    rig = await ClientCertificateRig.start(hosts({ mode: 'optional-no-ca' }));
    expect((await rig.ask(only)).status).toBe(200);
    expect((await rig.ask({ ...only, client: other.client('mallory') })).status).toBe(200);
    expect(rig.told).toEqual({
      'ssl-client-verify': 'FAILED:unable to verify the first certificate',
      'ssl-client-subject-dn': 'CN=mallory',
      'ssl-client-issuer-dn': 'CN=another authority',
    });
    expect((await rig.ask({ ...only, client: root.client('x', expired) })).status).toBe(400);
  });

  test('X03 closed: 403 for everybody, and nobody is asked', async () => {
    rig = await ClientCertificateRig.start(hosts({ mode: 'closed' }));
    expect((await rig.ask({ ...only, client: alice })).status).toBe(403);
    expect((await rig.ask(only)).status).toBe(403);
    expect((await rig.ask({ ...only, Host: 'public.example', servername: 'public.example' })).status).toBe(
      200,
    );
  });

  test.each([
    ['garbage', 'no PEM at all'],
    ['a broken certificate', root.certificate.replace(/MII/, 'AAA')],
  ])('X03 an authority of %s lets nobody in', async (_, ca) => {
    rig = await ClientCertificateRig.start(hosts({ ca }));
    expect((await rig.ask({ ...only, client: alice })).status).toBeGreaterThanOrEqual(400);
    expect((await rig.ask(only)).status).toBeGreaterThanOrEqual(400);
    expect((await rig.ask({ ...only, Host: 'public.example', servername: 'public.example' })).status).toBe(
      200,
    );
  });

  test('X03 a list of revoked ones that is garbage lets nobody in', async () => {
    rig = await ClientCertificateRig.start(hosts({ crl: 'garbage' }));
    expect((await rig.ask({ ...only, client: alice })).status).toBe(400);
    expect((await rig.ask(only)).status).toBe(400);
    expect(rig.proxy.warnings).toHaveLength(1);
  });
});

describe('the common name', () => {
  const named = (commonName: string, organization?: string) =>
    root.client(commonName, organization === undefined ? {} : { organization });

  test.each([
    ['CN=alice', 'on', named('alice'), 200],
    ['CN=alice', 'on', named('malice'), 403],
    ['CN=alice', 'on', named('alice2'), 200],
    ['CN=alice$', 'on', named('alice2'), 403],
    ['CN=(alice|bob)$', 'on', named('bob'), 200],
    ['CN=J\\\\C3\\\\B6rg', 'on', named('Jörg'), 200],
    // Only the common name counts, whatever else the subject says.
    ['CN=alice', 'on', named('mallory', 'CN=alice'), 403],
    ['CN=alice', 'on', named('mallory', 'x,CN=alice'), 403],
    ['CN=alice', 'on', named('x\nCN=alice'), 403],
    ['CN=alice', 'optional', undefined, 403],
    ['CN=alice', 'optional-no-ca', other.client('alice'), 200],
    ['CN=(', 'on', named('alice'), 403],
    ['CN=a)|(?:', 'on', named('bob'), 403],
  ] as const)('%s, %s (case %#)', async (matchCommonName, mode, client, status) => {
    rig = await ClientCertificateRig.start(hosts({ matchCommonName, mode }));
    expect((await rig.ask(client === undefined ? {} : { client })).status).toBe(status);
    expect(rig.upstream.requests).toHaveLength(status === 200 ? 1 : 0);
  });
});

describe('the error page', () => {
  const errorPage = 'https://help.example/certificates?from=edge';

  test('is where a client goes without a good certificate, not one that is forbidden', async () => {
    rig = await ClientCertificateRig.start(hosts({ errorPage, matchCommonName: 'CN=alice' }));
    const missing = await rig.ask();
    expect(missing.status).toBe(302);
    expect(missing.response.headers.get('location')).toBe(errorPage);
    expect((await rig.ask({ client: other.client('alice') })).status).toBe(302);
    expect((await rig.ask({ client: bob })).status).toBe(403);
    expect((await rig.ask({ client: alice })).status).toBe(200);
    expect(rig.proxy.counters.errors('SP_CLIENT_CERT_MISSING')).toBe(1);
  });

  test.each(['/relative', '@named', 'javascript:alert(1)', 'https://x/\r\nSet-Cookie: a=b', 'https://x/ y'])(
    '%j is none',
    async (page) => {
      rig = await ClientCertificateRig.start(hosts({ errorPage: page }));
      expect((await rig.ask()).status).toBe(400);
    },
  );
});

describe('plain HTTP', () => {
  const redirecting = { host: secure, filters: [{ name: 'httpsRedirect', config: { statusCode: 308 } }] };
  const plain = (path = '/x') => request(rig.proxy.port, requestText({ path }));

  test('is refused', async () => {
    rig = await ClientCertificateRig.start(hosts({ mode: 'optional' }));
    expect((await plain()).status).toBe(403);
    expect(rig.upstream.requests).toEqual([]);
    expect(rig.proxy.counters.errors('SP_TLS_REQUIRED')).toBe(1);
  });

  test('is redirected where the route says so, and served on a route for challenges only', async () => {
    rig = await ClientCertificateRig.start(hosts(), { more: [{ ...redirecting, upstream: [] }] });
    const answer = await plain();
    expect(answer.status).toBe(308);
    expect(answer.headers.get('location')).toBe('https://secure.example/x');
    // The redirect lets challenges pass, and the route is not for them alone.
    expect((await plain('/.well-known/acme-challenge/token')).status).toBe(403);
    await rig.proxy.publish(
      [
        { ...redirecting, upstream: [rig.upstream.port] },
        { host: secure, path: '=/.well-known/acme-challenge/token', upstream: [rig.upstream.port] },
        { host: secure, path: '/.well-known/acme-challenges', upstream: [rig.upstream.port] },
      ],
      hosts(),
    );
    expect((await plain('/.well-known/acme-challenge/token')).status).toBe(200);
    expect((await plain('/.well-known/acme-challenge/other')).status).toBe(403);
    expect((await plain('/.well-known/acme-challenges')).status).toBe(403);
    expect((await plain('/.well-known/acme-challenge/token/../../../x')).status).toBe(308);
  });

  test('said to have been HTTPS by a proxy that is believed is plain HTTP all the same', async () => {
    rig = await ClientCertificateRig.start(hosts(), {
      more: [{ ...redirecting, upstream: [] }],
      settings: { trustedProxies: ['127.0.0.0/8'] },
    });
    const fields = 'X-Forwarded-Proto: https\r\nssl-client-verify: SUCCESS\r\n';
    expect((await request(rig.proxy.port, requestText({ fields }))).status).toBe(403);
  });
});

describe('the table in force', () => {
  test.each([
    ['the same', hosts(), 200],
    ['another mode', hosts({ mode: 'optional' }), 200],
    ['another name', hosts({ matchCommonName: 'CN=bob' }), 403],
    ['another authority', hosts({ ca: other.certificate }), 421],
    ['another depth', hosts({ verifyDepth: 3 }), 421],
    ['another list of revoked ones', hosts({ crl: root.revoke([]) }), 421],
    ['closed', hosts({ mode: 'closed' }), 403],
    ['none', { [secure]: pair }, 200],
  ])('decides about what a connection showed before: %s', async (_, certificates, status) => {
    rig = await ClientCertificateRig.start(hosts());
    const client = new RawClient(await rig.handshake({ client: alice }));
    client.send(requestText({}));
    expect((await client.response()).status).toBe(200);
    await rig.publish(certificates);
    client.send(requestText({}));
    const response = await client.response();
    expect(response.status).toBe(status);
    // The next request is to come over another connection.
    if (status === 421) await client.untilEnd();
    client.close();
  });

  test.each(['h2', 'http/1.1'])('parts with idle connections of another policy (%s)', async (protocol) => {
    let now = 1_000_000;
    rig = await ClientCertificateRig.start(hosts(), { clock: () => now });
    const kept = await rig.handshake({ servername: 'public.example', ALPNProtocols: [protocol] });
    const gone = await rig.handshake({ client: alice, ALPNProtocols: [protocol] });
    await rig.ask({ client: alice });
    await rig.publish(hosts());
    await rig.publish(hosts({ mode: 'optional' }));
    await rig.publish(hosts({ ca: other.certificate }));
    now += 5_000;
    gone.resume();
    await once(gone, 'end');
    expect(kept.closed).toBe(false);
    gone.destroy();
    kept.destroy();
  });

  test('asks from its first handshake on', async () => {
    rig = await ClientCertificateRig.start({ [secure]: pair });
    const before = new RawClient(await rig.handshake({ client: alice }));
    await rig.publish(hosts());
    before.send(requestText({}));
    expect((await before.response()).status).toBe(421);
    before.close();
    expect((await rig.ask({ client: alice })).status).toBe(200);
  });

  test('holds a host to the pattern whose routes serve it', async () => {
    const wild = { ...pair, clients: { ca: root.certificate } };
    rig = await ClientCertificateRig.start({ '*.wild.example': wild });
    await rig.proxy.publish(
      [
        { host: '*.wild.example', upstream: [rig.upstream.port] },
        { host: 'open.wild.example', upstream: [rig.upstream.port] },
      ],
      { '*.wild.example': wild },
    );
    const at = (name: string) => ({ servername: name, Host: name });
    expect((await rig.ask(at('a.wild.example'))).status).toBe(400);
    expect((await rig.ask({ ...at('a.wild.example'), client: alice })).status).toBe(200);
    expect((await rig.ask(at('open.wild.example'))).status).toBe(200);
  });
});
