// One change at a time, from the moment the API server acknowledged it to the moment it is in force in every worker.
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';

import { tlsPairs } from '../../support/tls-pairs.ts';
import { ingress, namespace, slice, tlsSecret } from './objects.ts';
import type { Prober } from './probe.ts';
import { adminPage, probe } from './rig.ts';
import type { Rig } from './rig.ts';

/** A change that is not in force by then fails the scenario. */
const LIVE_LIMIT_MS = 30_000;
/** Between two changes: each is to be alone. */
const PAUSE_MS = 20;

/** Milliseconds from acknowledged to in force everywhere; 0 when it was seen before the acknowledgement came back. */
export type Change = (rig: Rig, prober: Prober, number: number) => Promise<number>;

/** Another path of the Ingress, which answered 404 before. */
const changeIngress: Change = async ({ cluster }, prober, number) => {
  const path = `/path-${number}`;
  await cluster.admin.apply(ingress(probe.moving, probe.movingHost, { path, service: probe.name }));
  const acknowledged = performance.now();
  return (
    (await prober.untilAll(probe.movingHost, path, ({ status }) => status === 200, LIVE_LIMIT_MS)) -
    acknowledged
  );
};

/** The other backend as the only endpoint. */
const changeEndpoint: Change = async ({ cluster, backends, address }, prober, number) => {
  const { name, port } = backends[number % 2 === 0 ? 1 : 0];
  await cluster.admin.apply(slice(probe.name, address, port));
  const acknowledged = performance.now();
  const seen = await prober.untilAll(probe.host, '/', ({ body }) => body === name, LIVE_LIMIT_MS);
  return seen - acknowledged;
};

/** The other certificate of two: acknowledged by every worker, and then seen in a handshake. */
const changeCertificate: Change = async ({ cluster, adminPort, httpsPort }, _, number) => {
  const page = `/debug/certificates?secret=${namespace}/${probe.secret}`;
  const before = await adminPage<CertificatesPage>(adminPort, page);
  const pair = number % 2 === 0 ? tlsPairs.b : tlsPairs.a;
  const wantedFingerprint = new X509Certificate(pair.certificate).fingerprint256;
  await cluster.admin.apply(tlsSecret(probe.secret, pair));
  const acknowledged = performance.now();
  await untilAcknowledged(adminPort, page, before.certificates[0]?.digest);
  const served = await servedFingerprint(httpsPort);
  if (served !== wantedFingerprint)
    throw new Error(`certificate ${number} was acknowledged and is not served`);
  return performance.now() - acknowledged;
};

/** Resolves when every worker serves a table in which the Secret has another digest than before. */
async function untilAcknowledged(adminPort: number, page: string, before: string | undefined): Promise<void> {
  const deadline = performance.now() + LIVE_LIMIT_MS;
  let wanted = Infinity;
  while (performance.now() < deadline) {
    if (wanted === Infinity) {
      const { generation, certificates } = await adminPage<CertificatesPage>(adminPort, page);
      if (certificates[0]?.digest !== before) wanted = generation;
    }
    const { workers } = await adminPage<WorkersPage>(adminPort, '/debug/workers');
    const least = Math.min(...workers.map(({ generation }) => generation));
    if (least >= wanted) return;
    await delay(1);
  }
  throw new Error(`a certificate was not in force after ${LIVE_LIMIT_MS} ms`);
}

/** Of the certificate that a new connection is shown. */
async function servedFingerprint(port: number): Promise<string> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: probe.secureHost,
    rejectUnauthorized: false,
  });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()?.fingerprint256 ?? '';
  } finally {
    socket.destroy();
  }
}

interface CertificatesPage {
  readonly generation: number;
  readonly certificates: readonly { readonly digest: string }[];
}

export interface WorkersPage {
  readonly workers: readonly { readonly generation: number; readonly connections: number }[];
}

export interface NamedChange {
  readonly kind: string;
  readonly limitMs: number;
  readonly change: Change;
}

/** The kinds of change, each with its target. */
export const namedChanges: readonly NamedChange[] = [
  { kind: 'endpoint', limitMs: 50, change: changeEndpoint },
  { kind: 'certificate', limitMs: 100, change: changeCertificate },
  { kind: 'Ingress', limitMs: 100, change: changeIngress },
];

/** Makes `count` changes of one kind, one after the other. */
export async function makeChanges(
  rig: Rig,
  prober: Prober,
  { change, count, first }: { readonly change: Change; readonly count: number; readonly first: number },
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let number = first; number < first + count; number++) {
    times.push(Math.max(0, await change(rig, prober, number)));
    await delay(PAUSE_MS);
  }
  return times;
}
