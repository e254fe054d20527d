// One change at a time, from the moment the API server acknowledged it to the moment it is in force in every worker.
import { setTimeout as delay } from 'node:timers/promises';

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

/** The other certificate of two. Nothing serves TLS yet, so it is what the workers acknowledged that is looked at. */
const changeCertificate: Change = async ({ cluster, adminPort }, _, number) => {
  const page = `/debug/certificates?secret=${namespace}/${probe.secret}`;
  const before = await adminPage<CertificatesPage>(adminPort, page);
  await cluster.admin.apply(tlsSecret(probe.secret, number % 2 === 0 ? tlsPairs.b : tlsPairs.a));
  const acknowledged = performance.now();
  const deadline = acknowledged + LIVE_LIMIT_MS;
  let wanted: number | undefined;
  while (performance.now() < deadline) {
    if (wanted === undefined) {
      const { generation, certificates } = await adminPage<CertificatesPage>(adminPort, page);
      if (certificates[0]?.digest !== before.certificates[0]?.digest) wanted = generation;
    }
    if (wanted !== undefined) {
      const { workers } = await adminPage<WorkersPage>(adminPort, '/debug/workers');
      const least = wanted;
      if (workers.every(({ generation }) => generation >= least)) return performance.now() - acknowledged;
    }
    await delay(1);
  }
  throw new Error(`certificate ${number} was not in force after ${LIVE_LIMIT_MS} ms`);
};

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
