import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { AuditEntry } from '../support/cluster/audit-log.ts';
import { ControllerRig, installedWith, ownUser } from '../support/cluster/controller-rig.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import type { KubeObject } from '../support/cluster/manifest.ts';
import { ingress } from '../support/cluster/objects.ts';
import { ownNamespace } from '../support/cluster/replica.ts';
import type { Replica } from '../support/cluster/replica.ts';
import { eventually } from '../support/eventually.ts';
import { failuresIn } from '../support/load.ts';

const host = 'shop.example';
const flags = ['--publish-status-address', '192.0.2.1'];
/** Of a leader that is gone without a word, with the default --election-ttl. */
const takeoverLimitMs = 15_000;
/** Of a leader that released its Lease: the others try every two seconds. */
const releaseLimitMs = 5000;
const lease = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  name: 'sallyport-leader',
  namespace: ownNamespace,
};

const holderOf = (seen: KubeObject | undefined): unknown =>
  (seen?.['spec'] as { readonly holderIdentity?: string } | undefined)?.holderIdentity;

const hasAddress = (seen: KubeObject | undefined): boolean =>
  (seen?.['status'] as { loadBalancer?: { ingress?: unknown } } | undefined)?.loadBalancer?.ingress !==
  undefined;

/** Status and Events, which the leader alone writes. */
const isReport = ({ verb, resource, subresource }: AuditEntry): boolean =>
  (subresource === 'status' || resource === 'events') && ['patch', 'create', 'update'].includes(verb);

const isHold = ({ verb, resource, code }: AuditEntry): boolean =>
  resource === 'leases' && ['create', 'update'].includes(verb) && code < 300;

describeWithCluster(
  'replicas of one installation',
  (cluster) => {
    let rig: ControllerRig;
    let sinceMs: number;

    beforeEach(async () => {
      rig = new ControllerRig(cluster());
      sinceMs = Date.now();
      await rig.serve('leading', host, await rig.upstream('served'));
    });

    afterEach(async () => {
      await rig.stop();
      await cluster().admin.delete(lease);
    });

    async function start(pod: string, ...more: readonly string[]): Promise<Replica> {
      const replica = await rig.replica(pod, ...flags, ...more);
      await replica.live();
      return replica;
    }

    /** Somebody writes the status of a new Ingress, and the Event of its missing Service. */
    async function reported(name: string): Promise<void> {
      const object = ingress(`leading/${name}`, `${name}.example`, { service: 'missing' });
      await rig.apply(object);
      await cluster().admin.waitFor({ ...ingressKind, name, namespace: 'leading' }, hasAddress);
      const events = { apiVersion: 'v1', kind: 'Event' };
      const selector = { namespace: 'leading', fieldSelector: `involvedObject.name=${name}` };
      await eventually(
        () => cluster().admin.list(events, selector),
        (found) => found.length > 0,
      );
    }

    const ingressKind = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' };

    const entries = async (): Promise<readonly AuditEntry[]> =>
      (await cluster().audit.entries(ownUser))
        .filter(({ atMs }) => atMs >= sinceMs)
        .toSorted((a, b) => a.atMs - b.atMs);

    /** Who did what is asked for, one after the other. */
    async function actors(did: (entry: AuditEntry) => boolean): Promise<readonly string[]> {
      const pods = (await entries()).filter(did).map(({ credential }) => rig.pods.get(credential) ?? '?');
      return pods.filter((pod, index) => pod !== pods[index - 1]);
    }

    /** When this one took the Lease. */
    async function firstHold(pod: string): Promise<number> {
      const found = (await entries()).find((one) => isHold(one) && rig.pods.get(one.credential) === pod);
      return found?.atMs ?? Infinity;
    }

    test('have one writer at a time, whichever way the one before ends; traffic does not notice', async () => {
      const first = await start('pod-a');
      await first.logged('leader');
      const second = await start('pod-b');
      const load = await rig.load(second.port, host);
      await reported('one');
      expect(await second.metric('sallyport_kube_leader')).toBe(0);

      const killedMs = Date.now();
      await first.kill();
      await reported('two');
      expect((await firstHold('pod-b')) - killedMs).toBeLessThan(takeoverLimitMs);
      expect(await second.metric('sallyport_kube_leader')).toBe(1);

      const third = await start('pod-c');
      const others = await rig.load(third.port, host);
      expect(failuresIn(await load.stop())).toEqual([]);
      expect(await second.terminate()).toBe(0);
      const releasedMs = Date.now();
      await reported('three');
      expect((await firstHold('pod-c')) - releasedMs).toBeLessThan(releaseLimitMs);
      expect(failuresIn(await others.stop())).toEqual([]);

      const leaders = ['pod-a', 'pod-b', 'pod-c'];
      expect(await actors(isReport)).toEqual(leaders);
      expect(await actors(isHold)).toEqual(leaders);
    });

    test('have one writer when the one before was frozen, and wakes up with all that happened meanwhile', async () => {
      const short = ['--election-ttl', '3s'];
      const first = await start('pod-a', ...short);
      await first.logged('leader');
      const second = await start('pod-b', ...short);
      await reported('six');
      first.process.child.kill('SIGSTOP');
      await reported('seven');
      first.process.child.kill('SIGCONT');
      await first.logged('no longer leader');
      // It knows of what changed, and leaves it to the other.
      await reported('eight');
      await eventually(
        () => first.get('eight.example'),
        ({ status }) => status === 503,
      );
      expect(await second.terminate()).toBe(0);
      await reported('nine');
      expect(await actors(isReport)).toEqual(['pod-a', 'pod-b', 'pod-a']);
    });

    test('agree again on one writer after somebody deleted the Lease', async () => {
      const replicas = [
        await start('pod-a', '--election-ttl', '3s'),
        await start('pod-b', '--election-ttl', '3s'),
      ];
      await Promise.race(replicas.map((replica) => replica.logged('leader')));
      await reported('four');
      const [before] = await actors(isReport);
      const { metadata } = (await cluster().admin.get(lease)) ?? {};
      await cluster().admin.delete(lease);
      const made = await cluster().admin.waitFor(
        lease,
        (seen) => seen !== undefined && seen.metadata.uid !== metadata?.uid && holderOf(seen) !== '',
      );
      await reported('five');
      const writers = await actors(isReport);
      expect([writers[0], writers.at(-1)]).toEqual([before, holderOf(made)]);
      expect(writers.length).toBeLessThanOrEqual(2);
      // Its holder may take it again at once. Another waits for as long as that one may still count itself as the leader.
      const holds = (await entries()).filter(isHold);
      const created = holds.findLast(({ verb }) => verb === 'create')?.atMs ?? 0;
      const last = holds.findLast(({ atMs }) => atMs < created)?.atMs ?? 0;
      expect(writers.length === 1 ? Infinity : created - last).toBeGreaterThanOrEqual(2000);
    });
  },
  installedWith('manifests/rbac.yaml'),
);
