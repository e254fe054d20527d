import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { ControllerRig, installedWith } from '../support/cluster/controller-rig.ts';
import type { Backend } from '../support/cluster/controller-rig.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import { referenceTo } from '../support/cluster/manifest.ts';
import type { KubeObject } from '../support/cluster/manifest.ts';
import { ingress, slice } from '../support/cluster/objects.ts';
import type { Replica } from '../support/cluster/replica.ts';
import type { TestCluster } from '../support/cluster/start-cluster.ts';
import { eventually } from '../support/eventually.ts';
import { failuresIn } from '../support/load.ts';

/** Longer with `SALLYPORT_TEST_OUTAGE_MS=60000 make test ARGS=test/cluster/outage`. */
const outageMs = Number(process.env['SALLYPORT_TEST_OUTAGE_MS'] ?? 10_000);
const limitMs = 120_000 + 2 * outageMs;
/** From the API server's return until what was changed right after it is served. */
const recoveryLimitMs = 5000;
const host = 'shop.example';

interface Finding {
  readonly code: string;
}

const codesOf = async (replica: Replica): Promise<readonly string[]> =>
  (await replica.json<readonly Finding[]>('/debug/diagnostics')).map(({ code }) => code);

const hasAddress = (seen: KubeObject | undefined): boolean =>
  (seen?.['status'] as { loadBalancer?: { ingress?: unknown } } | undefined)?.loadBalancer?.ingress !==
  undefined;

/** How many tables went live since there were so many, one at least: a request may be quicker than the log. */
async function swapsAfter(replica: Replica, before: number): Promise<number> {
  const seen = await eventually(
    () => Promise.resolve(replica.swaps),
    (count) => count > before,
  );
  return seen - before;
}

describeWithCluster(
  'an outage of the API server',
  (cluster) => {
    let rig: ControllerRig;
    let first: Backend;
    let second: Backend;

    beforeEach(async () => {
      rig = new ControllerRig(cluster());
      first = await rig.upstream('first');
      second = await rig.upstream('second');
      await rig.serve('outage', host, first);
    });

    afterEach(async () => {
      await rig.stop();
      await cluster().startApiServer();
    });

    const moveTo = ({ address, port }: Backend): Promise<void> =>
      rig.apply(slice('outage/web', address, port));

    async function start(...flags: readonly string[]): Promise<Replica> {
      const replica = await rig.replica('pod-a', ...flags);
      await replica.live();
      return replica;
    }

    describe('costs no request and no readiness, and what changes then is in force soon after', () => {
      const disturbances: readonly (readonly [string, (api: TestCluster) => Promise<void>])[] = [
        [
          `when it is gone for ${outageMs / 1000} s`,
          async (api) => {
            await api.stopApiServer();
            await delay(outageMs);
            await api.startApiServer();
          },
        ],
        [
          'when it falls silent for a while',
          async (api) => {
            await api.pauseApiServer();
            await delay(outageMs / 2);
            await api.resumeApiServer();
          },
        ],
        ['when etcd restarts', (api) => api.restartEtcd()],
      ];

      test.each(disturbances)(
        '%s',
        async (_, disturb) => {
          const replica = await start();
          const load = await rig.load(replica.port, host);
          const readiness = rig.watchReadiness(replica);
          const { swaps } = replica;
          await disturb(cluster());
          const backMs = performance.now();
          await moveTo(second);
          await replica.until(host, ({ body }) => body === 'second');
          expect(performance.now() - backMs).toBeLessThan(recoveryLimitMs);
          await load.more(100);
          expect(failuresIn(await load.stop())).toEqual([]);
          expect(await readiness()).toEqual(new Set([200]));
          // The change that was made, and nothing else, made another table.
          expect(await swapsAfter(replica, swaps)).toBe(1);
        },
        limitMs,
      );
    });

    test('is a finding while it lasts', async () => {
      const replica = await start();
      expect(await codesOf(replica)).toEqual([]);
      await cluster().stopApiServer();
      await eventually(
        () => codesOf(replica),
        (codes) => codes.includes('SP1202'),
      );
      await cluster().startApiServer();
      await eventually(
        () => codesOf(replica),
        (codes) => codes.length === 0,
      );
    });

    test(
      'that sets the cluster back to a backup is recovered from in one step',
      async () => {
        const others = Array.from({ length: 20 }, (_, index) => `other-${index}`);
        for (const name of others) await rig.apply(ingress(`outage/${name}`, `${name}.example`));
        await cluster().backUp();
        const replica = await start('--publish-status-address', '192.0.2.1');
        const published = () => cluster().admin.waitFor(referenceTo(ingress('outage/web', host)), hasAddress);
        await published();
        // What the backup does not have: versions, and one Ingress.
        for (const name of others) {
          await rig.apply(ingress(`outage/${name}`, `${name}.example`, { annotations: { note: 'later' } }));
        }
        await rig.apply(ingress('outage/late', 'late.example'));
        // A cluster is seen to be older by its versions, so those must not catch up before anybody looks.
        const filler = { apiVersion: 'v1', kind: 'ConfigMap' };
        const names = Array.from({ length: 1000 }, (_, index) => `filler-${index}`);
        await cluster().admin.createMany(
          names.map((name) => ({ ...filler, metadata: { name, namespace: 'outage' } })),
        );
        await rig.apply(ingress('outage/other-0', 'other-0.example', { annotations: { note: 'last' } }));
        await replica.until('late.example', ({ status }) => status === 200);
        const load = await rig.load(replica.port, host);
        const readiness = rig.watchReadiness(replica);
        const { swaps } = replica;
        await cluster().restore();
        await replica.until('late.example', ({ status }) => status === 404);
        expect(await swapsAfter(replica, swaps)).toBe(1);
        await moveTo(second);
        await replica.until(host, ({ body }) => body === 'second');
        expect(await swapsAfter(replica, swaps + 1)).toBe(1);
        // What was written about them is lost as well.
        await published();
        for (const name of others) expect((await replica.get(`${name}.example`)).status).toBe(200);
        expect(failuresIn(await load.stop())).toEqual([]);
        expect(await readiness()).toEqual(new Set([200]));
      },
      limitMs,
    );

    describe('at the start', () => {
      test('lets nothing be served, and nothing be said to be absent, until the cluster was read', async () => {
        const kubeconfig = await rig.kubeconfig('pod-a');
        await cluster().stopApiServer();
        const replica = await rig.replicaWith(kubeconfig, 'pod-a');
        await replica.logged('the API server does not answer');
        expect(await replica.readiness()).toBe(503);
        expect((await replica.admin('/readyz')).body).toContain('ingresses.networking.k8s.io');
        expect((await replica.admin('/healthz')).status).toBe(200);
        await expect(replica.get(host)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
        await cluster().startApiServer();
        await replica.live();
        expect(await replica.get(host)).toMatchObject({ status: 200, body: 'first' });
        expect(await replica.readiness()).toBe(200);
      });

      test('is bridged by a snapshot file, which the cluster replaces as soon as it is there', async () => {
        const file = ['--snapshot-file', join(cluster().folder, 'last-good'), '--snapshot-wait', '200ms'];
        const kubeconfig = await rig.kubeconfig('pod-b');
        const before = await start(...file);
        expect(await before.terminate()).toBe(0);
        await cluster().stopApiServer();
        const replica = await rig.replicaWith(kubeconfig, 'pod-b', ...file);
        expect(await replica.logged('the cluster does not answer: serving the saved snapshot')).toMatchObject(
          {
            level: 'warn',
          },
        );
        await replica.live();
        expect(await replica.get(host)).toMatchObject({ status: 200, body: 'first' });
        expect(await replica.readiness()).toBe(200);
        expect(await codesOf(replica)).toEqual(expect.arrayContaining(['SP1202', 'SP1205']));
        const load = await rig.load(replica.port, host);
        await cluster().startApiServer();
        await moveTo(second);
        await replica.until(host, ({ body }) => body === 'second');
        await replica.logged('the cluster was read, the saved snapshot is no longer in use');
        await eventually(
          () => codesOf(replica),
          (codes) => codes.length === 0,
        );
        expect(failuresIn(await load.stop())).toEqual([]);
      });
    });
  },
  installedWith('manifests/rbac.yaml'),
);
