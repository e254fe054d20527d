import { afterEach, expect, test } from '@jest/globals';
import { testPair } from '../support/certificates.ts';
import { ClientCertificateRig } from '../support/client-certificate-rig.ts';
import type { TestCertificates } from '../support/data-plane-harness.ts';
import { TestAuthority } from '../support/test-authority.ts';

// What handshakes are done with changes under a steady stream of them: certificates, authorities, lists of revoked ones.

const HANDSHAKES = 1200;
const CLIENTS = 16;
const HANDSHAKES_A_SWAP = 12;

const [old, next] = [TestAuthority.root('old authority'), TestAuthority.root('next authority')];
const stranger = TestAuthority.root('stranger').client('mallory');
const alice = old.client('alice');
const pairs = [testPair(['secure.example']), testPair(['secure.example'], { type: 'rsa', chained: true })];
const publicPair = testPair(['public.example']);

let rig: ClientCertificateRig;

afterEach(async () => {
  await rig.stop();
});

/** Alice is believed in each of them. */
const bundles = [
  { ca: old.certificate },
  { ca: old.certificate + next.certificate },
  { ca: old.certificate, crl: old.revoke([old.client('bob')]) },
];

function generation(step: number): TestCertificates {
  const pair = pairs[step % pairs.length];
  const clients = bundles[step % bundles.length];
  if (pair === undefined || clients === undefined) throw new Error('there is nothing to serve');
  return { 'secure.example': { ...pair, clients }, 'public.example': publicPair };
}

test('no handshake fails, whoever is believed is served, and nobody else', async () => {
  rig = await ClientCertificateRig.start(generation(0));
  const statuses = new Map<string, number>();
  const note = (who: string, status: number): void => {
    statuses.set(`${who} ${status}`, (statuses.get(`${who} ${status}`) ?? 0) + 1);
  };
  let left = HANDSHAKES;
  let swaps = 0;
  const shakeHands = async (): Promise<void> => {
    for (let turn = 0; left-- > 0; turn++) {
      const version = turn % 2 === 0 ? 'TLSv1.3' : 'TLSv1.2';
      const only = { minVersion: version, maxVersion: version } as const;
      if (turn % 4 === 3) {
        const name = 'public.example';
        note('anyone', (await rig.ask({ ...only, servername: name, Host: name })).status);
      } else if (turn % 4 === 2) note('mallory', (await rig.ask({ ...only, client: stranger })).status);
      else note('alice', (await rig.ask({ ...only, client: alice })).status);
    }
  };
  const swap = async (): Promise<void> => {
    while (left > 0) {
      await rig.publish(generation(++swaps));
      const due = left - HANDSHAKES_A_SWAP;
      while (left > 0 && left > due) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all([...Array.from({ length: CLIENTS }, shakeHands), swap()]);
  expect(swaps).toBeGreaterThan(50);
  // 421: the policy changed between a handshake and its request. The client comes again.
  const seen = [...statuses.keys()].filter((key) => !key.endsWith(' 421'));
  expect(seen.toSorted()).toEqual(['alice 200', 'anyone 200', 'mallory 400']);
  expect(statuses.get('alice 200')).toBeGreaterThan(HANDSHAKES / 4);
  expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(HANDSHAKES);
  expect(rig.proxy.warnings).toEqual([]);
}, 60_000);

test('one authority follows another in three steps, and nobody notices who has both certificates in time', async () => {
  const at = (ca: string): TestCertificates => ({ 'secure.example': { ...pairs[0]!, clients: { ca } } });
  const bob = next.client('bob');
  rig = await ClientCertificateRig.start(at(old.certificate));
  const both = async () => [
    (await rig.ask({ client: alice })).status,
    (await rig.ask({ client: bob })).status,
  ];
  expect(await both()).toEqual([200, 400]);
  await rig.publish(at(old.certificate + next.certificate));
  expect(await both()).toEqual([200, 200]);
  await rig.publish(at(next.certificate));
  expect(await both()).toEqual([400, 200]);
});
