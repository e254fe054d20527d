import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';

import { afterEach, describe, expect, test } from '@jest/globals';
import { testPair } from '../support/certificates.ts';
import { ClientCertificateRig } from '../support/client-certificate-rig.ts';
import { CuttingRelay } from '../support/cutting-relay.ts';
import type { Cut } from '../support/cutting-relay.ts';
import { eventually } from '../support/eventually.ts';
import { RawClient } from '../support/raw-client.ts';
import { TestAuthority } from '../support/test-authority.ts';

// Row D12: handshakes that stall, drip or never end, with and without a certificate of the client. The proxy's clock is
// turned forward instead of waiting.

const root = TestAuthority.root();
const alice = root.client('alice');
const pair = testPair(['secure.example', 'public.example']);
const certificates = {
  'secure.example': { ...pair, clients: { ca: root.certificate } },
  'public.example': pair,
};
const honest = { servername: 'public.example', Host: 'public.example' };

let rig: ClientCertificateRig;
let relay: CuttingRelay | undefined;
let now: number;

afterEach(async () => {
  relay?.stop();
  relay = undefined;
  await rig.stop();
});

async function start(): Promise<void> {
  now = 1_000_000;
  rig = await ClientCertificateRig.start(certificates, { clock: () => now });
}

async function through(cut: Cut, version: 'TLSv1.2' | 'TLSv1.3'): Promise<TLSSocket> {
  relay = await CuttingRelay.start(rig.proxy.tlsPort, cut);
  const socket = connect({
    port: relay.port,
    host: '127.0.0.1',
    servername: 'secure.example',
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    cert: alice.certificate,
    key: alice.key,
  });
  socket.on('error', () => undefined);
  return socket;
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('D12 %s', (version) => {
  /** Which of the client's flights stops, and after how much of it. */
  test.each([
    ['before the ClientHello', 0, 0],
    ['inside the ClientHello', 0, 100],
    ['behind the ClientHello', 1, 0],
    ['inside the certificate of the client', 1, 200],
    ['a byte before the end', 1, -1],
  ])('a handshake that stops %s is cut after 10 s', async (_, stop, bytes) => {
    await start();
    let reached = false;
    const socket = await through((flight, index) => {
      reached ||= index === stop;
      if (index > stop) return [];
      const piece = index === stop ? flight.subarray(0, bytes) : flight;
      return piece.length === 0 ? [] : [piece];
    }, version);
    const { counters } = rig.proxy;
    await eventually(
      async () => reached,
      (done) => done,
    );
    // Connections are accepted in order.
    expect((await rig.ask(honest)).status).toBe(200);
    now += 9_000;
    expect((await rig.ask(honest)).status).toBe(200);
    expect(counters.handshakeFailures('timeout')).toBe(0);
    now += 1_500;
    await eventually(
      async () => counters.handshakeFailures('timeout'),
      (count) => count === 1,
    );
    socket.destroy();
  });

  test('dripping a byte at a time wins no time', async () => {
    await start();
    const held: Buffer[] = [];
    const socket = await through((flight) => {
      held.push(flight);
      return [];
    }, version);
    await eventually(
      async () => held.length,
      (count) => count > 0,
    );
    const dripping = await RawClient.connect(rig.proxy.tlsPort);
    for (const byte of held[0]?.subarray(0, 20) ?? []) {
      dripping.send(Buffer.of(byte));
      now += 450;
      expect((await rig.ask(honest)).status).toBe(200);
    }
    now += 1_500;
    await dripping.untilEnd();
    dripping.close();
    socket.destroy();
  });

  test('a whole handshake byte by byte is a handshake', async () => {
    await start();
    const socket = await through((flight) => Array.from(flight, (byte) => Buffer.of(byte)), version);
    const client = new RawClient(socket);
    client.send('GET /x HTTP/1.1\r\nHost: secure.example\r\n\r\n');
    expect((await client.response()).status).toBe(200);
    client.close();
  });
});

test('D12 a thousand handshakes that stall keep nobody from shaking hands, and end', async () => {
  await start();
  const stalled: RawClient[] = [];
  for (let count = 0; count < 1000; count++) {
    const client = await RawClient.connect(rig.proxy.tlsPort);
    client.send(Buffer.of(22, 3, 1));
    stalled.push(client);
    if (count % 50 === 0) expect((await rig.ask(honest)).status).toBe(200);
  }
  expect((await rig.ask({ client: alice })).status).toBe(200);
  now += 10_500;
  await Promise.all(stalled.map((client) => client.untilEnd()));
  expect(rig.proxy.counters.handshakeFailures('timeout')).toBe(1000);
  expect((await rig.ask({ client: alice })).status).toBe(200);
  for (const client of stalled) client.close();
});
