import { join } from 'node:path';

import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { createTransport } from '../../src/kube/api-transport.ts';
import { accessFromKubeconfig } from '../../src/kube/kube-credentials.ts';
import { StatusPatch } from '../../src/kube/status-patch.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import type { KubeObject, Manifest } from '../support/cluster/manifest.ts';
import { ReportingRig } from '../support/cluster/reporting-rig.ts';
import type { ReportingRigOptions } from '../support/cluster/reporting-rig.ts';
import type { TestCluster } from '../support/cluster/start-cluster.ts';

const root = join(import.meta.dirname, '../..');
const own = 'sallyport';
const lease = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  name: 'sallyport-leader',
  namespace: own,
};

const object = (apiVersion: string, kind: string, key: string, spec: unknown): Manifest => {
  const [namespace = '', name = ''] = key.split('/');
  return { apiVersion, kind, metadata: { name, namespace }, spec };
};

const service = (key: string) => object('v1', 'Service', key, { ports: [{ port: 80 }] });

const ingress = (key: string, host: string, className = 'sallyport') =>
  object('networking.k8s.io/v1', 'Ingress', key, {
    ingressClassName: className,
    rules: [
      {
        host,
        http: {
          paths: [
            { path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } },
          ],
        },
      },
    ],
  });

const route = (key: string, name = 'web') =>
  object('sallyport.dev/v1alpha1', 'Route', key, {
    ingressClassName: 'sallyport',
    hosts: [`${key.replace('/', '.')}.example`],
    rules: [{ backends: [{ service: name, port: 80 }] }],
  });

const referTo = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest) => ({
  apiVersion,
  kind,
  name,
  namespace,
});

const addressesOf = (seen: KubeObject | undefined): unknown =>
  (seen?.['status'] as { loadBalancer?: { ingress?: unknown } } | undefined)?.loadBalancer?.ingress;

interface SeenCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

const conditionsOf = (seen: KubeObject | undefined): readonly SeenCondition[] =>
  (seen?.['status'] as { conditions?: readonly SeenCondition[] } | undefined)?.conditions ?? [];

const texts = (seen: KubeObject | undefined): readonly string[] =>
  conditionsOf(seen).map(({ type, status, reason, observedGeneration }) =>
    [type, status, reason, observedGeneration].join(' '),
  );

/** The pods behind a Service of our own namespace. */
const slice = (name: string, pods: readonly string[]): Manifest => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${name}-1`, namespace: own, labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  endpoints: pods.map((pod, index) => ({
    addresses: [`10.1.0.${index + 1}`],
    targetRef: { kind: 'Pod', namespace: own, name: pod },
  })),
  ports: [{ port: 8080, protocol: 'TCP' }],
});

let rigs: ReportingRig[] = [];

afterEach(async () => {
  await Promise.all(rigs.map((rig) => rig.stop()));
  rigs = [];
});

async function start(options: ReportingRigOptions): Promise<ReportingRig> {
  const rig = await ReportingRig.start(options);
  rigs.push(rig);
  return rig;
}

/** The rights that are shipped, and the class. */
async function prepare(cluster: TestCluster): Promise<string> {
  for (const file of ['manifests/rbac.yaml']) await cluster.applyFile(join(root, file));
  await cluster.admin.apply({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'sallyport' },
    spec: { controller: 'sallyport.dev/ingress-controller' },
  });
  const { kubeconfig } = await cluster.kubeconfigFor({ namespace: own, serviceAccount: 'sallyport' });
  return kubeconfig;
}

describeWithCluster(
  'what is written to a cluster',
  (cluster) => {
    let kubeconfig: string;
    const settings = { publishStatusAddress: '203.0.113.7' };

    beforeAll(async () => {
      kubeconfig = await prepare(cluster());
    });

    async function namespaceWithService(name: string): Promise<void> {
      await cluster().ensureNamespace(name);
      await cluster().admin.apply(service(`${name}/web`));
    }

    describe('the status of an Ingress', () => {
      test('follows the Service that publishes, is written once, and taken back with the class', async () => {
        const { admin } = cluster();
        await namespaceWithService('status');
        const published = object('v1', 'Service', `${own}/edge`, {
          type: 'LoadBalancer',
          ports: [{ port: 80 }],
        });
        await admin.apply(published);
        await admin.apply(slice('edge', ['pod-a', 'pod-b']));
        const web = ingress('status/web', 'status.example');
        await admin.apply(web);
        const rig = await start({ kubeconfig, pod: 'pod-a', settings: { publishService: `${own}/edge` } });
        const setAddress = (ip: string) =>
          admin.patch(referTo(published), { status: { loadBalancer: { ingress: [{ ip }] } } }, 'status');
        await setAddress('203.0.113.1');
        const isAt = (ip: string) => (seen: KubeObject | undefined) =>
          JSON.stringify(addressesOf(seen)) === JSON.stringify([{ ip }]);
        await admin.waitFor(referTo(web), isAt('203.0.113.1'));
        await setAddress('203.0.113.2');
        const moved = await admin.waitFor(referTo(web), isAt('203.0.113.2'));
        const managers = moved?.metadata['managedFields'] as readonly Record<string, unknown>[];
        expect(managers).toContainEqual(
          expect.objectContaining({ manager: 'sallyport', operation: 'Apply', subresource: 'status' }),
        );

        // Another leader finds everything as it should be.
        const next = await start({ kubeconfig, pod: 'pod-b', settings: { publishService: `${own}/edge` } });
        await rig.reporting.stop();
        await admin.waitFor(
          lease,
          (seen) => (seen?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity === 'pod-b',
        );
        await admin.apply(ingress('status/marker', 'marker.example'));
        await admin.waitFor(referTo(ingress('status/marker', '')), (seen) => addressesOf(seen) !== undefined);
        expect(rig.writes).toBe(2);
        await eventually(() => Promise.resolve(next.writes > 0 ? ['written'] : []));
        expect(next.writes).toBe(1);

        await admin.patch(referTo(web), { spec: { ingressClassName: 'other' } });
        await admin.waitFor(referTo(web), (seen) => addressesOf(seen) === undefined);
      });

      test('is cleared when the last replica stops, not before', async () => {
        const { admin } = cluster();
        await namespaceWithService('last');
        const edge = object('v1', 'Service', `${own}/last`, {
          ports: [{ port: 80 }],
          externalIPs: ['203.0.113.3'],
        });
        await admin.apply(edge);
        await admin.apply(slice('last', ['pod-a', 'pod-b']));
        const web = ingress('last/web', 'last.example');
        await admin.apply(web);
        const options = { kubeconfig, settings: { publishService: `${own}/last` } };
        const first = await start({ ...options, pod: 'pod-a' });
        await admin.waitFor(referTo(web), (seen) => addressesOf(seen) !== undefined);
        await first.reporting.stop();
        expect(addressesOf(await admin.get(referTo(web)))).toEqual([{ ip: '203.0.113.3' }]);

        const second = await start({ ...options, pod: 'pod-b' });
        await admin.waitFor(
          lease,
          (seen) => (seen?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity === 'pod-b',
        );
        await admin.apply(slice('last', ['pod-b']));
        // What it clears is what it has read: nothing before its first reports.
        await admin.apply(ingress('last/marker', 'last-marker.example'));
        await admin.waitFor(referTo(ingress('last/marker', '')), (seen) => addressesOf(seen) !== undefined);
        await second.reporting.stop();
        expect(addressesOf(await admin.get(referTo(web)))).toBeUndefined();
      });
    });

    describe('conditions', () => {
      test('of a Route and a BackendPolicy follow their generations and what they refer to', async () => {
        const { admin } = cluster();
        await namespaceWithService('routes');
        const good = route('routes/good');
        const bad = route('routes/bad', 'nowhere');
        const policy = object('sallyport.dev/v1alpha1', 'BackendPolicy', 'routes/web', {
          service: 'web',
          balance: 'LeastRequest',
        });
        for (const one of [good, bad, policy]) await admin.apply(one);
        await start({ kubeconfig, pod: 'pod-a', settings });
        const isReported = (seen: KubeObject | undefined) => conditionsOf(seen).length === 3;
        expect(texts(await admin.waitFor(referTo(good), isReported))).toEqual([
          'Accepted True Accepted 1',
          'ResolvedRefs True ResolvedRefs 1',
          'Programmed True Programmed 1',
        ]);
        expect(texts(await admin.waitFor(referTo(policy), isReported))).toEqual([
          'Accepted True Accepted 1',
          'ResolvedRefs True ResolvedRefs 1',
          'Programmed True Programmed 1',
        ]);
        expect(texts(await admin.waitFor(referTo(bad), isReported))).toEqual([
          'Accepted True Accepted 1',
          'ResolvedRefs False BackendNotFound 1',
          'Programmed True Programmed 1',
        ]);
        // The object that is referred to comes: the condition changes, the generation does not.
        await admin.apply(service('routes/nowhere'));
        await admin.waitFor(referTo(bad), (seen) => texts(seen)[1] === 'ResolvedRefs True ResolvedRefs 1');
        const before = conditionsOf(await admin.get(referTo(good)));
        await admin.apply({ ...good, spec: { ...(good['spec'] as object), hosts: ['moved.example'] } });
        const after = await admin.waitFor(
          referTo(good),
          (seen) => conditionsOf(seen)[0]?.observedGeneration === 2,
        );
        expect(conditionsOf(after).map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(
          before.map(({ lastTransitionTime }) => lastTransitionTime),
        );
      });

      test('are taken back from an object that is given to another class', async () => {
        const { admin } = cluster();
        await namespaceWithService('leaving');
        const leaving = route('leaving/one');
        await admin.apply(leaving);
        await start({ kubeconfig, pod: 'pod-a', settings });
        await admin.waitFor(referTo(leaving), (seen) => conditionsOf(seen).length === 3);
        await admin.patch(referTo(leaving), { spec: { ingressClassName: 'other' } });
        const after = await admin.waitFor(referTo(leaving), (seen) => conditionsOf(seen).length === 0);
        expect(JSON.stringify(after?.metadata['managedFields'])).not.toContain('"manager":"sallyport"');
      });

      test('are not written to another object of the same name', async () => {
        const { admin } = cluster();
        await namespaceWithService('names');
        const made = {
          Ingress: await admin.apply(ingress('names/one', 'names.example')),
          Route: await admin.apply(route('names/one')),
        };
        const transport = createTransport(await accessFromKubeconfig({ file: kubeconfig }));
        const patch = new StatusPatch(transport, 'sallyport');
        const apply = (kind: 'Ingress' | 'Route', uid: string, key = 'names/one') => {
          const report = {
            kind,
            key,
            uid,
            observedGeneration: 1,
            owned: true,
            conditions: [],
            diagnostics: [],
          };
          return { report, answer: patch.apply(report, {}, new AbortController().signal) };
        };
        const another = '00000000-0000-0000-0000-000000000000';
        expect(patch.isGone(await apply('Ingress', another).answer)).toBe(true);
        const strange = apply('Route', another);
        expect(patch.isOf(strange.report, await strange.answer)).toBe(false);
        for (const kind of ['Ingress', 'Route'] as const) {
          const { report, answer } = apply(kind, made[kind].metadata.uid);
          expect(patch.isOf(report, await answer)).toBe(true);
          expect((await answer).status).toBe(200);
          expect(patch.isGone(await apply(kind, another, 'names/two').answer)).toBe(true);
        }
        await transport.close();
      });
    });

    describe('Events', () => {
      test('of a conflict stand where kubectl describe looks, and count what comes up again', async () => {
        const { admin } = cluster();
        await namespaceWithService('events');
        await admin.apply(ingress('events/elder', 'taken.example'));
        const younger = ingress('events/younger', 'taken.example');
        const { metadata } = await admin.apply(younger);
        await start({ kubeconfig, pod: 'pod-a', settings });
        const select = () =>
          admin.list(
            { apiVersion: 'v1', kind: 'Event' },
            {
              namespace: 'events',
              fieldSelector: `involvedObject.kind=Ingress,involvedObject.name=younger,involvedObject.uid=${metadata.uid}`,
            },
          );
        await eventually(select);
        expect(await select()).toMatchObject([
          {
            reason: 'Conflicted',
            type: 'Warning',
            message: expect.stringContaining('Ingress events/elder has it'),
            reportingComponent: 'sallyport.dev/ingress-controller',
            reportingInstance: 'pod-a',
          },
        ]);
      });

      test('count a finding that comes up again', async () => {
        const { admin } = cluster();
        await namespaceWithService('series');
        const shop = ingress('series/shop', 'series.example');
        await admin.apply(shop);
        const rig = await start({ kubeconfig, pod: 'pod-a', settings });
        await admin.waitFor(referTo(shop), (seen) => addressesOf(seen) !== undefined);
        // The API server has Events of its own about a Service that comes and goes.
        const events = () =>
          admin.list(
            { apiVersion: 'v1', kind: 'Event' },
            { namespace: 'series', fieldSelector: 'involvedObject.kind=Ingress' },
          );
        const findings = () => rig.reports.report('Ingress', 'series/shop')?.diagnostics ?? [];
        const web = service('series/web');
        await admin.delete(referTo(web));
        const [first] = await eventually(events);
        await admin.apply(web);
        await eventually(() => Promise.resolve(findings().length === 0 ? ['resolved'] : []));
        await admin.delete(referTo(web));
        await admin.waitFor(
          { apiVersion: 'v1', kind: 'Event', name: first?.metadata.name ?? '', namespace: 'series' },
          (seen) => (seen?.['series'] as { count?: number } | undefined)?.count === 2,
        );
        expect(await events()).toMatchObject([
          { reason: 'BackendNotFound', involvedObject: { name: 'shop' } },
        ]);
      });
    });

    describe('the Lease', () => {
      test('passes to another replica when its holder falls silent, and at once when it stops', async () => {
        const { admin } = cluster();
        const holderIs = (name: string) => (seen: KubeObject | undefined) =>
          (seen?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity === name;
        const first = await start({ kubeconfig, pod: 'pod-a', settings });
        await admin.waitFor(lease, holderIs('pod-a'));
        const second = await start({ kubeconfig, pod: 'pod-b', settings });
        first.cut();
        await admin.waitFor(lease, holderIs('pod-b'));
        expect(first.reporting.isLeader()).toBe(false);
        const third = await start({ kubeconfig, pod: 'pod-c', settings });
        await second.reporting.stop();
        await admin.waitFor(lease, holderIs('pod-c'));
        await eventually(() => Promise.resolve(third.reporting.isLeader() ? ['it leads'] : []));
      });
    });

    test('all of it with the rights that are shipped', async () => {
      const user = 'system:serviceaccount:sallyport:sallyport';
      expect(await cluster().audit.forbidden(user)).toEqual([]);
    });
  },
  {
    manifests: ['routes', 'backendpolicies'].map((name) => join(root, `crds/${name}.sallyport.dev.yaml`)),
    needs: ['own-api-server'],
  },
);

/** The answer as soon as it is not empty. The loop gives way to whatever else is to be done. */
async function eventually<T>(ask: () => Promise<readonly T[]>): Promise<readonly T[]> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- asked until it is there; the test's own limit ends it
    const answer = await ask();
    if (answer.length > 0) return answer;
    // oxlint-disable-next-line no-await-in-loop -- see above
    await new Promise((resolve) => setImmediate(resolve));
  }
}
