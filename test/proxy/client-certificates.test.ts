import { afterEach, describe, expect, test } from '@jest/globals';
import { testPair } from '../support/certificates.ts';
import { ClientCertificateRig, requestText } from '../support/client-certificate-rig.ts';
import type { TestCertificates, TestClients } from '../support/data-plane-harness.ts';
import { RawClient } from '../support/raw-client.ts';
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
    expect((await rig.ask({ ...only, client: alice })).status).toBe(421);
    expect(rig.proxy.warnings).toHaveLength(1);
  });
});
