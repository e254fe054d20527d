import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { expect, test } from '@jest/globals';

import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import type { Manifest } from '../support/cluster/manifest.ts';
import { unusedGrants } from '../support/cluster/role-usage.ts';
import { startCluster } from '../support/cluster/start-cluster.ts';

const root = join(import.meta.dirname, '../..');
const manifests = readdirSync(join(root, 'crds')).map((name) => join(root, 'crds', name));
const configMaps = { apiVersion: 'v1', kind: 'ConfigMap' };

function configMap(name: string, data: Readonly<Record<string, string>> = {}): Manifest {
  return { ...configMaps, metadata: { name }, data };
}

describeWithCluster(
  'objects of a cluster',
  (cluster) => {
    test('kinds of the CRDs can be used at once', async () => {
      const routes = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'Route' };
      expect(await cluster().admin.list(routes)).toEqual([]);
    });

    test('create, apply, patch, replace and delete', async () => {
      const { admin } = cluster();
      const reference = { ...configMaps, name: 'one' };
      expect(await admin.get(reference)).toBeUndefined();
      await admin.create(configMap('one', { a: '1' }));
      await expect(admin.create(configMap('one'))).rejects.toMatchObject({
        status: 409,
        reason: 'AlreadyExists',
      });
      await admin.apply(configMap('one', { b: '2' }));
      await admin.apply(configMap('one', { b: '3' }), { dryRun: true });
      await admin.patch(reference, { data: { c: '3' } });
      expect(await admin.get(reference)).toMatchObject({ data: { a: '1', b: '2', c: '3' } });
      await admin.replace(configMap('one', { d: '4' }));
      expect(await admin.get(reference)).toMatchObject({ data: { d: '4' } });
      await admin.delete(reference);
      await admin.delete(reference);
      expect(await admin.get(reference)).toBeUndefined();
    });

    test('what the API server refuses is in the error', async () => {
      const broken = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'x' },
        spec: { ports: [{ port: 0 }] },
      };
      await expect(cluster().admin.create(broken)).rejects.toMatchObject({
        name: 'ApiError',
        status: 422,
        reason: 'Invalid',
        detail: expect.stringContaining('spec.ports[0].port: Invalid value: 0'),
      });
      const unknown = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'x' } };
      await expect(cluster().admin.apply(unknown)).rejects.toThrow(
        "find kind 'Thing' of 'example.com/v1': the API server does not know it, want its CRD applied",
      );
    });

    test('a text of many documents', async () => {
      const document = (name: string): string =>
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
      const applied = await cluster().applyYaml(
        `# none\n---\n${document('first')}---\n${document('second')}`,
      );
      expect(applied.map(({ metadata }) => metadata.name)).toEqual(['first', 'second']);
    });

    test('many objects, and a watch that sees each', async () => {
      const { admin } = cluster();
      await cluster().ensureNamespace('many');
      const names = Array.from({ length: 100 }, (_, index) => `many-${index}`);
      const seen = new Set<string>();
      const controller = new AbortController();
      const watching = (async () => {
        for await (const { type, object } of admin.watch(configMaps, {
          namespace: 'many',
          resourceVersion: '0',
          signal: controller.signal,
        })) {
          if (type === 'ADDED') seen.add(object.metadata.name);
          if (seen.size === names.length) controller.abort();
        }
      })();
      await admin.createMany(names.map((name) => ({ ...configMaps, metadata: { name, namespace: 'many' } })));
      await watching;
      expect([...seen].toSorted()).toEqual(names.toSorted());
      expect(await admin.list(configMaps, { namespace: 'many' })).toHaveLength(names.length);
    });

    test('waits for a state that comes, and says what was there when it does not', async () => {
      const { admin } = cluster();
      const reference = { ...configMaps, name: 'awaited' };
      const came = admin.waitFor(reference, (object) => object?.['data'] !== undefined);
      await admin.create(configMap('awaited'));
      await admin.patch(reference, { data: { ready: 'yes' } });
      expect(await came).toMatchObject({ data: { ready: 'yes' } });
      await expect(admin.waitFor(reference, (object) => object === undefined, 100)).rejects.toThrow(
        /^wait for ConfigMap awaited: not as wanted after 100 ms, it is .*"ready":"yes"/,
      );
    });
  },
  { manifests },
);

describeWithCluster(
  'the API server of a cluster',
  (cluster) => {
    test('a ServiceAccount without a role is refused, and the audit log shows it', async () => {
      const { user, client, kubeconfig } = await cluster().kubeconfigFor({
        namespace: 'team',
        serviceAccount: 'reader',
      });
      await expect(client.list({ apiVersion: 'v1', kind: 'Secret' })).rejects.toMatchObject({ status: 403 });
      expect(await cluster().audit.forbidden(user)).toMatchObject([
        { user, verb: 'list', group: '', resource: 'secrets', namespace: '', code: 403 },
      ]);
      expect(readFileSync(kubeconfig, 'utf8')).toContain('"namespace": "team"');
    });

    test('a Role opens what it says and no more; subresources and watches are told apart', async () => {
      const access = await cluster().kubeconfigFor({ namespace: 'team', serviceAccount: 'writer' });
      await cluster().applyYaml(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: writer, namespace: team}
rules:
  - {apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [list, watch]}
  - {apiGroups: [networking.k8s.io], resources: [ingresses/status], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: writer, namespace: team}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writer}
subjects: [{kind: ServiceAccount, name: writer, namespace: team}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: team}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
`);
      const ingresses = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' };
      const web = { ...ingresses, name: 'web', namespace: 'team' };
      await expect(access.client.get(web)).rejects.toMatchObject({ status: 403 });
      const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
      await access.client.patch(web, { status }, 'status');
      for await (const { object } of access.client.watch(ingresses, {
        namespace: 'team',
        resourceVersion: '0',
      })) {
        expect(object).toMatchObject({ metadata: { name: 'web' }, status });
        break;
      }
      const rules = [
        {
          apiGroups: ['networking.k8s.io'],
          resources: ['ingresses'],
          verbs: ['get', 'list', 'watch'],
        },
        { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'], verbs: ['patch', 'update'] },
        { apiGroups: [''], resources: ['configmaps'], resourceNames: ['web'], verbs: ['get'] },
      ];
      expect(unusedGrants(rules, await cluster().audit.entries(access.user))).toEqual([
        'get networking.k8s.io/ingresses',
        'list networking.k8s.io/ingresses',
        'update networking.k8s.io/ingresses/status',
        'get configmaps web',
      ]);
      const used = (await cluster().audit.entries(access.user)).filter(({ resource }) => resource !== '');
      const told = used.map(
        ({ verb, resource, subresource, code }) => `${verb} ${resource}/${subresource} ${code}`,
      );
      expect(told).toEqual(['get ingresses/ 403', 'patch ingresses/status 200', 'watch ingresses/ 200']);
      expect(
        used.every(({ group, namespace }) => group === 'networking.k8s.io' && namespace === 'team'),
      ).toBe(true);
    });

    test('keeps its data, its address and its certificate over an outage', async () => {
      const { admin } = cluster();
      await admin.create(configMap('kept', { a: '1' }));
      await cluster().stopApiServer();
      await expect(admin.call('GET', '/readyz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await cluster().startApiServer();
      expect(await admin.get({ ...configMaps, name: 'kept' })).toMatchObject({ data: { a: '1' } });
    });

    test('can fall silent and come back', async () => {
      await cluster().pauseApiServer();
      const answer = cluster().admin.call('GET', '/version');
      const silent = cluster().admin.call('GET', '/version', { signal: AbortSignal.timeout(200) });
      await expect(silent).rejects.toMatchObject({ name: 'TimeoutError' });
      await cluster().resumeApiServer();
      expect(await answer).toMatchObject({ status: 200 });
    });

    test('keeps its data when etcd restarts', async () => {
      await cluster().admin.create(configMap('kept-too', { a: '1' }));
      await cluster().restartEtcd();
      expect(await cluster().admin.get({ ...configMaps, name: 'kept-too' })).toMatchObject({
        data: { a: '1' },
      });
      await cluster().admin.create(configMap('after'));
    });

    test('goes back to a backup, versions and all', async () => {
      const { admin } = cluster();
      const { metadata } = await admin.create(configMap('backed-up', { a: '1' }));
      await cluster().backUp();
      await admin.apply(configMap('backed-up', { a: '2' }));
      await cluster().restore();
      expect(await admin.get({ ...configMaps, name: 'backed-up' })).toMatchObject({
        data: { a: '1' },
        metadata: { resourceVersion: metadata.resourceVersion },
      });
    }, 120_000);

    test('tells tokens of one ServiceAccount apart', async () => {
      const account = { namespace: 'team', serviceAccount: 'twins' };
      const [first, second] = [
        await cluster().kubeconfigFor(account),
        await cluster().kubeconfigFor(account),
      ];
      const since = Date.now();
      for (const { client } of [first, second, first]) await client.call('GET', '/api/v1/namespaces/team');
      const entries = await cluster().audit.entries(first.user);
      expect(entries.map(({ credential }) => credential)).toEqual([
        first.credential,
        second.credential,
        first.credential,
      ]);
      expect(first.kubeconfig).not.toBe(second.kubeconfig);
      for (const { atMs } of entries) expect(atMs).toBeGreaterThanOrEqual(since);
    });

    test('another one beside it has nothing in common with it', async () => {
      const other = await startCluster();
      try {
        expect(other.url).not.toBe(cluster().url);
        await other.admin.create(configMap('theirs'));
        expect(await cluster().admin.get({ ...configMaps, name: 'theirs' })).toBeUndefined();
      } finally {
        await other.stop();
      }
      expect(existsSync(other.folder)).toBe(false);
    });

    test('one that exists already is left as it was found', async () => {
      const { admin, kubeconfig } = cluster();
      const guest = await startCluster({ provider: 'kubeconfig', kubeconfig });
      await admin.create(configMap('ours'));
      await guest.admin.apply(configMap('ours', { a: '1' }));
      await guest.admin.apply(configMap('made-by-guest'));
      expect(await admin.get({ ...configMaps, name: 'made-by-guest' })).toBeDefined();
      expect(() => guest.audit).toThrow(
        "read the audit log: the cluster is from 'kubeconfig', want 'envtest'",
      );
      await guest.stop();
      expect(await admin.get({ ...configMaps, name: 'made-by-guest' })).toBeUndefined();
      expect(await admin.get({ ...configMaps, name: 'ours' })).toBeDefined();
    });

    test('says what it logged when it does not come up', async () => {
      const failed = await startCluster({ apiServerFlags: ['--no-such-flag'] }).then(
        () => '',
        (error: Error) => error.message,
      );
      expect(failed).toMatch(/start kube-apiserver: it ended, want it ready[^]*unknown flag: --no-such-flag/);
      const [, folder = ''] = /^(.*)\/logs\/kube-apiserver\.log:$/m.exec(failed) ?? [];
      expect(existsSync(folder)).toBe(true);
      rmSync(folder, { recursive: true });
    });

    test('ends with the process that started it, even when that is killed', async () => {
      const script = join(root, 'test/support/cluster/abandoned-cluster.ts');
      const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const { url, folder } = JSON.parse(line.toString()) as {
        readonly url: string;
        readonly folder: string;
      };
      const connections = [Number(new URL(url).port), join(folder, 'client.sock')].map((address) => {
        const socket = typeof address === 'number' ? createConnection(address) : createConnection(address);
        return { socket, opened: once(socket, 'connect'), ended: text(socket).catch(() => 'reset') };
      });
      await Promise.all(connections.map(({ opened }) => opened));
      child.kill('SIGKILL');
      // Both ends of these connections are let go when the programs end, not before.
      await Promise.all(connections.map(({ ended }) => ended));
      for (const { socket } of connections) socket.destroy();
      rmSync(folder, { recursive: true });
    });
  },
  { needs: ['own-api-server'] },
);
