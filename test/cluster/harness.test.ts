import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';

const crds = join(import.meta.dirname, '../../crds');
const manifests = readdirSync(crds).map((name) => join(crds, name));

const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

describeWithCluster(
  'a cluster of a test file',
  (cluster) => {
    test('takes the CRDs and objects of their kinds', async () => {
      const route = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'Route' };
      expect(await cluster().admin.list(route)).toEqual([]);
    });

    test('a ServiceAccount without a role is refused, and the audit log shows it', async () => {
      const { user, client } = await cluster().kubeconfigFor({ namespace: 'team', serviceAccount: 'reader' });
      await expect(client.list({ apiVersion: 'v1', kind: 'Secret' })).rejects.toMatchObject({ status: 403 });
      expect(await cluster().audit.forbidden(user)).toMatchObject([
        { user, verb: 'list', group: '', resource: 'secrets', namespace: '', code: 403 },
      ]);
    });

    test('keeps its data over an outage', async () => {
      await cluster().admin.create(configMap('kept', { a: '1' }));
      await cluster().stopApiServer();
      await expect(cluster().admin.call('GET', '/readyz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await cluster().startApiServer();
      const kept = await cluster().admin.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'kept' });
      expect(kept).toMatchObject({ data: { a: '1' } });
    });
  },
  { manifests, needs: ['own-api-server'] },
);
