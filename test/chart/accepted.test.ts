import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, test } from '@jest/globals';

import { manifests } from '../../tools/manifests/manifest-list.ts';
import { caseFile, cases, podTemplate, render } from '../support/chart.ts';
import { describeWithCluster, describeWithHelm } from '../support/cluster/describe-with-cluster.ts';
import { parseManifests } from '../support/cluster/manifest.ts';
import type { Manifest } from '../support/cluster/manifest.ts';
import type { TestCluster } from '../support/cluster/start-cluster.ts';

const root = join(import.meta.dirname, '../..');

/** Kinds that a cluster may lack; the Prometheus operator brings them. */
const monitoring = ['ServiceMonitor', 'PrometheusRule'].map((kind) => {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.monitoring.coreos.com` },
    spec: {
      group: 'monitoring.coreos.com',
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
});

/** Unknown and repeated fields are errors to the API server, not warnings. */
async function accept(cluster: TestCluster, manifest: Manifest): Promise<unknown> {
  const { kind, metadata } = manifest;
  try {
    return await cluster.admin.apply(manifest, { dryRun: true });
  } catch (error) {
    throw new Error(`${kind} ${metadata.name}: ${(error as Error).message}`, { cause: error });
  }
}

/** A pod as the controller of a workload would make it. */
function podOf(workload: Manifest): Manifest {
  const { metadata, spec } = podTemplate(workload);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name: 'pod', namespace: 'sallyport' },
    spec,
  };
}

const isWorkload = ({ kind }: Manifest): boolean => kind === 'Deployment' || kind === 'DaemonSet';

describeWithHelm('the chart', (helm) => {
  describeWithCluster('before a real API server', (cluster) => {
    beforeAll(async () => {
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      await cluster().admin.apply({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'sallyport', labels },
      });
      await cluster().ensureNamespace('quickstart');
      await cluster().applyYaml(JSON.stringify({ kind: 'List', items: monitoring }));
    });

    test.each(['defaults', ...cases])('every object of %s is accepted', async (name) => {
      const objects = render(helm, name === 'defaults' ? [] : caseFile(name));
      for (const object of objects) await accept(cluster(), object);
      expect(objects.length).toBeGreaterThan(3);
    });

    test.each(manifests.map(({ path }) => path))('every object of %s is accepted', async (path) => {
      const objects = parseManifests(readFileSync(join(root, path), 'utf8'));
      for (const object of objects) await accept(cluster(), object);
      expect(objects.length).toBeGreaterThan(4);
    });

    describe('the restricted Pod Security Standard', () => {
      const pods = (name: string): readonly Manifest[] =>
        render(helm, name === 'defaults' ? [] : caseFile(name))
          .filter(isWorkload)
          .map(podOf);
      const restricted = ['defaults', ...cases.filter((name) => name !== 'daemonset')];

      test.each(restricted)('admits the pods of %s', async (name) => {
        const [pod] = pods(name);
        const created = await cluster().admin.create(pod as Manifest, { dryRun: true });
        expect(created.metadata.name).toBe('pod');
      });

      test('refuses those that take ports of the node', async () => {
        const [pod] = pods('daemonset');
        await expect(cluster().admin.create(pod as Manifest, { dryRun: true })).rejects.toThrow(
          /violates PodSecurity "restricted:latest": hostPort/,
        );
      });
    });

    test('a misspelt field would not be accepted', async () => {
      const [service] = render(helm).filter(({ kind }) => kind === 'Service');
      const spec = { ...(service?.['spec'] as object), typo: true };
      await expect(accept(cluster(), { ...(service as Manifest), spec })).rejects.toThrow(/typo/);
    });
  });
});
