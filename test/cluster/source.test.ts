import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { createTransport } from '../../src/kube/api-transport.ts';
import { accessFromKubeconfig } from '../../src/kube/kube-credentials.ts';
import { readClusterOnce } from '../../src/kube/read-cluster-once.ts';
import type { ClusterContents } from '../../src/kube/read-cluster-once.ts';
import { SnapshotFile } from '../../src/kube/snapshot-file.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import { SourceRig, watchEverything } from '../support/cluster/source-rig.ts';
import type { SourceRigOptions } from '../support/cluster/source-rig.ts';

const root = join(import.meta.dirname, '../..');
const namespacedManifest = join(root, 'manifests/namespaced.yaml');
const crdFolder = join(root, 'crds');

const service = (name: string, namespace: string, port = 80) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { ports: [{ port }] },
});

const secret = (name: string, namespace: string, value: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  stringData: { value },
});

const ingress = (name: string, namespace: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, namespace },
  spec: { defaultBackend: { service: { name: 'one', port: { number: 80 } } } },
});

const route = (name: string, namespace: string) => ({
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'Route',
  metadata: { name, namespace },
  spec: { hosts: [`${name}.example`], rules: [{ backends: [{ service: 'one', port: 80 }] }] },
});

/** Rights to read what routes consist of, and no Secrets. */
const roleFor = (namespace: string, serviceAccount: string): string => `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: ${namespace}}
rules:
  - apiGroups: ['', networking.k8s.io, discovery.k8s.io]
    resources: [services, ingresses, endpointslices]
    verbs: [get, list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: ${serviceAccount}, namespace: ${namespace}}]
`;

const portOf = ({ objects }: Snapshot, key: string): number | undefined =>
  objects.Service.get(key)?.ports[0]?.port;

const valueOf = ({ objects }: Snapshot, key: string): string | undefined =>
  objects.Secret.get(key)?.data.get('value')?.toString();

let rigs: SourceRig[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-source-'));
});

afterEach(async () => {
  await Promise.all(rigs.map((rig) => rig.stop()));
  rigs = [];
  await rm(folder, { recursive: true, force: true });
});

async function start(options: SourceRigOptions): Promise<SourceRig> {
  const rig = await SourceRig.start(options);
  rigs.push(rig);
  return rig;
}

describeWithCluster(
  'the cluster as a source',
  (cluster) => {
    test('shows what is there, what comes, what changes and what goes, and no other Secret', async () => {
      const { admin, kubeconfig } = cluster();
      await cluster().ensureNamespace('live');
      await admin.apply(service('one', 'live'));
      const rig = await start({ kubeconfig });
      const first = await rig.until(() => true);
      expect(first).toMatchObject({ changed: undefined, diagnostics: [] });
      expect(portOf(first.snapshot, 'live/one')).toBe(80);
      await admin.apply(service('one', 'live', 81));
      await rig.until(({ snapshot }) => portOf(snapshot, 'live/one') === 81);
      await admin.apply(ingress('web', 'live'));
      await admin.apply(secret('unasked', 'live', 'x'));
      const came = await rig.until(({ snapshot }) => snapshot.objects.Ingress.has('live/web'));
      expect(came.changed).toEqual([{ kind: 'Ingress', key: 'live/web' }]);
      await admin.delete({ ...service('one', 'live'), name: 'one', namespace: 'live' });
      const gone = await rig.until(({ snapshot }) => !snapshot.objects.Service.has('live/one'));
      expect(gone.snapshot.objects.Secret.size).toBe(0);
    });

    test('keeps the status of what it reports on, and compiles nothing anew for it', async () => {
      const { admin, kubeconfig } = cluster();
      await cluster().ensureNamespace('status');
      const made = await admin.apply(ingress('web', 'status'));
      const rig = await start({ kubeconfig });
      const { snapshot } = await rig.until(() => true);
      const seen = Promise.withResolvers<void>();
      rig.source.onStatus(() => {
        if (JSON.stringify(rig.source.observedStatus('Ingress', 'status/web')).includes('192.0.2.7')) {
          seen.resolve();
        }
      });
      const reference = { ...made, name: 'web', namespace: 'status' };
      await admin.patch(
        reference,
        { status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } } },
        'status',
      );
      await seen.promise;
      await admin.apply(service('after', 'status'));
      const after = await rig.until((update) => update.snapshot.objects.Service.has('status/after'));
      expect(after.snapshot.objects.Ingress).toBe(snapshot.objects.Ingress);
    });

    test('reads Secrets by name for as long as they are referred to', async () => {
      const { admin, kubeconfig } = cluster();
      await cluster().ensureNamespace('names');
      await admin.apply(secret('tls', 'names', 'one'));
      const rig = await start({ kubeconfig });
      await rig.until(() => true);
      await rig.source.fetch(new Set(['Secret/names/tls', 'Secret/names/none', 'ConfigMap/names/none']));
      const found = await rig.until(() => true);
      expect(valueOf(found.snapshot, 'names/tls')).toBe('one');
      await admin.apply(secret('tls', 'names', 'two'));
      await rig.until(({ snapshot }) => valueOf(snapshot, 'names/tls') === 'two');
      await admin.apply(secret('none', 'names', 'now there is'));
      await rig.until(({ snapshot }) => valueOf(snapshot, 'names/none') !== undefined);
      expect(rig.source.fetch(new Set(['Secret/names/none']))).toBeUndefined();
      const left = await rig.until(({ snapshot }) => snapshot.objects.Secret.size === 1);
      expect(valueOf(left.snapshot, 'names/none')).toBe('now there is');
    });

    test('shows Routes once their kind is installed', async () => {
      const { admin, kubeconfig } = cluster();
      await cluster().ensureNamespace('late');
      const rig = await start({ kubeconfig });
      await rig.until(() => true);
      for (const name of await readdir(crdFolder)) {
        // oxlint-disable-next-line no-await-in-loop -- two files
        await cluster().applyFile(join(crdFolder, name));
      }
      await admin.apply(route('shop', 'late'));
      const { snapshot } = await rig.until((update) => update.snapshot.objects.Route.size > 0);
      expect(snapshot.objects.Route.get('late/shop')?.hosts).toEqual(['shop.example']);
    });

    test('needs no right beyond a Role for one namespace with its class by name', async () => {
      await cluster().ensureNamespace('sallyport');
      await cluster().applyFile(namespacedManifest);
      const account = await cluster().kubeconfigFor({ namespace: 'sallyport', serviceAccount: 'sallyport' });
      await cluster().admin.apply(ingress('inside', 'sallyport'));
      await cluster().ensureNamespace('outside');
      await cluster().admin.apply(ingress('outside', 'outside'));
      await cluster().admin.apply(secret('tls', 'sallyport', 'mine'));
      await cluster().admin.apply(secret('tls', 'outside', 'not mine'));
      const rig = await start({
        kubeconfig: account.kubeconfig,
        watch: { watchNamespaces: ['sallyport'], ingressClassByName: true },
      });
      const first = await rig.until(() => true);
      expect([...first.snapshot.objects.Ingress.keys()]).toEqual(['sallyport/inside']);
      expect(first.diagnostics).toEqual([]);
      expect(await cluster().audit.forbidden(account.user)).toEqual([]);
      await rig.source.fetch(new Set(['Secret/sallyport/tls', 'Secret/outside/tls']));
      const fetched = await rig.until(({ diagnostics }) => diagnostics.length > 0);
      expect([...fetched.snapshot.objects.Secret.keys()]).toEqual(['sallyport/tls']);
      expect(fetched.diagnostics).toEqual([
        expect.objectContaining({
          code: 'SP1204',
          object: { kind: 'Secret', namespace: 'outside', name: 'tls' },
        }),
      ]);
    });

    test('says which right is missing, and goes on as soon as it is granted', async () => {
      await cluster().ensureNamespace('sallyport');
      await cluster().applyFile(namespacedManifest);
      const account = await cluster().kubeconfigFor({ namespace: 'sallyport', serviceAccount: 'sallyport' });
      await cluster().ensureNamespace('elsewhere');
      await cluster().ensureNamespace('quickstart');
      await cluster().admin.apply(ingress('web', 'elsewhere'));
      const rig = await start({ kubeconfig: account.kubeconfig });
      const line = await rig.logged('the API server refuses to let a kind be read');
      expect(line).toContain('list, watch');
      expect(rig.source.waitingFor.join()).toContain('ingresses.networking.k8s.io in every namespace');
      expect(rig.updates).toEqual([]);
      await cluster().applyFile(join(root, 'manifests/rbac-secrets-names.yaml'));
      const first = await rig.until(({ diagnostics }) => diagnostics.length === 0);
      expect(first.snapshot.objects.Ingress.has('elsewhere/web')).toBe(true);
    });

    // From narrow to wide, so that no right has to be taken back in between.
    test.each([
      ['names', 'rbac-secrets-names.yaml', ['quickstart/shop-tls']],
      ['namespaces', 'rbac-secrets-namespaces.yaml', ['quickstart/shop-tls', 'quickstart/other']],
      ['the cluster', 'rbac.yaml', ['quickstart/shop-tls', 'quickstart/other', 'elsewhere/tls']],
    ])('reads what it is allowed of Secrets by %s, and reports the rest', async (_, manifest, allowed) => {
      const all = ['quickstart/shop-tls', 'quickstart/other', 'elsewhere/tls'];
      for (const key of all) {
        const [namespace = '', name = ''] = key.split('/');
        // oxlint-disable-next-line no-await-in-loop -- three of them
        await cluster().ensureNamespace(namespace);
        // oxlint-disable-next-line no-await-in-loop -- three of them
        await cluster().admin.apply(secret(name, namespace, 'x'));
      }
      await cluster().applyFile(join(root, 'manifests', manifest));
      const account = await cluster().kubeconfigFor({ namespace: 'sallyport', serviceAccount: 'sallyport' });
      const rig = await start({ kubeconfig: account.kubeconfig });
      await rig.until(() => true);
      await rig.source.fetch(new Set(all.map((key) => `Secret/${key}`)));
      const { diagnostics } = await rig.until(
        ({ snapshot, diagnostics: { length } }) =>
          snapshot.objects.Secret.size === allowed.length && length === all.length - allowed.length,
      );
      const refused = diagnostics.map(({ code, object }) => [code, `${object.namespace}/${object.name}`]);
      expect(refused).toEqual(all.filter((key) => !allowed.includes(key)).map((key) => ['SP1204', key]));
    });

    test('is read once as well, as a user who may list one namespace only', async () => {
      const account = await cluster().kubeconfigFor({ namespace: 'once', serviceAccount: 'user' });
      await cluster().applyYaml(roleFor('once', 'user'));
      await cluster().admin.apply(ingress('web', 'once'));
      await cluster().admin.apply(secret('tls', 'once', 'hidden'));
      const transport = createTransport(await accessFromKubeconfig({ file: account.kubeconfig }));
      const read = (watchNamespaces: readonly string[] | undefined): Promise<ClusterContents> =>
        readClusterOnce({
          transport,
          watch: { ...watchEverything, watchNamespaces },
          references: () => new Set(['Secret/once/tls']),
        });
      try {
        await expect(read(undefined)).rejects.toThrow(/forbidden.*choose a namespace with -n$/);
        const { snapshot, skipped } = await read(['once']);
        expect([...snapshot.objects.Ingress.keys()]).toEqual(['once/web']);
        expect(skipped.map(({ what, reason }) => [what, reason.kind])).toContainEqual([
          'secrets "tls" in namespace "once"',
          'forbidden',
        ]);
      } finally {
        await transport.close();
      }
    });

    test('keeps the last snapshot over an outage, and starts from the saved one without an API server', async () => {
      const { admin, kubeconfig } = cluster();
      await cluster().ensureNamespace('outage');
      await admin.apply(service('one', 'outage'));
      await admin.apply(secret('tls', 'outage', 'kept'));
      const log = createLog({ write: () => undefined }, 'silent');
      const path = join(folder, 'last-good');
      const file = (): SnapshotFile => new SnapshotFile({ path, version: 'test', log });
      const rig = await start({ kubeconfig, snapshotFile: file() });
      await rig.until(() => true);
      const references = new Set(['Secret/outage/tls']);
      await rig.source.fetch(references);
      const before = await rig.until(({ snapshot }) => snapshot.objects.Secret.size === 1);
      rig.source.settled(before.snapshot);

      await cluster().stopApiServer();
      const during = await rig.until(({ diagnostics }) => diagnostics.length > 0);
      expect(during.diagnostics.map(({ code }) => code)).toEqual(['SP1202']);
      expect(during.snapshot).toBe(before.snapshot);
      await rig.source.stop();

      const cold = await start({ kubeconfig, snapshotFile: file(), snapshotWaitMs: 300 });
      const saved = await cold.until(() => true);
      expect(saved.diagnostics.map(({ code }) => code)).toContain('SP1205');
      expect(portOf(saved.snapshot, 'outage/one')).toBe(80);
      expect(cold.source.fetch(references)).toBeUndefined();
      expect(valueOf(saved.snapshot, 'outage/tls')).toBe('kept');

      await cluster().startApiServer();
      await admin.apply(service('one', 'outage', 82));
      const after = await cold.until(
        ({ snapshot, diagnostics }) => portOf(snapshot, 'outage/one') === 82 && diagnostics.length === 0,
      );
      expect(valueOf(after.snapshot, 'outage/tls')).toBe('kept');
    });
  },
  { needs: ['own-api-server'] },
);
