import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { ControllerRig, installedWith, ownUser } from '../support/cluster/controller-rig.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import { parseManifests, referenceTo } from '../support/cluster/manifest.ts';
import type { KubeObject, Manifest } from '../support/cluster/manifest.ts';
import { ingress, object, podSlice, route, service } from '../support/cluster/objects.ts';
import { ownNamespace } from '../support/cluster/replica.ts';
import type { Replica } from '../support/cluster/replica.ts';
import { unusedGrants } from '../support/cluster/role-usage.ts';
import type { PolicyRule } from '../support/cluster/role-usage.ts';
import type { TestCluster } from '../support/cluster/start-cluster.ts';
import { eventually } from '../support/eventually.ts';
import { tlsPairs } from '../support/tls-pairs.ts';

const root = join(import.meta.dirname, '../..');
const edge = `${ownNamespace}/sallyport`;
const edgeAddress = '203.0.113.1';

interface Width {
  readonly rights: string;
  /** Whose Deployment says how this is run. */
  readonly deployment: string;
  /** Where the objects are that it serves. */
  readonly namespace: string;
}

/** What people choose from. The names are those that the manifests have. */
const widths: readonly Width[] = [
  { rights: 'rbac.yaml', deployment: 'install.yaml', namespace: 'quickstart' },
  { rights: 'rbac-secrets-namespaces.yaml', deployment: 'install.yaml', namespace: 'quickstart' },
  { rights: 'rbac-secrets-names.yaml', deployment: 'install.yaml', namespace: 'quickstart' },
  { rights: 'namespaced.yaml', deployment: 'namespaced.yaml', namespace: ownNamespace },
];

const manifestsOf = (file: string): readonly Manifest[] =>
  parseManifests(readFileSync(join(root, 'manifests', file), 'utf8'));

/** Everything that the file grants. */
const rulesOf = (file: string): readonly PolicyRule[] =>
  manifestsOf(file)
    .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
    .flatMap(({ rules }) => rules as readonly PolicyRule[]);

/** How the file's Deployment runs it, but for where it listens and the time that a test has. */
function argumentsOf(file: string): readonly string[] {
  const deployment = manifestsOf(file).find(({ kind }) => kind === 'Deployment') as unknown as {
    readonly spec: {
      readonly template: { readonly spec: { readonly containers: readonly { readonly args: string[] }[] } };
    };
  };
  const args = deployment.spec.template.spec.containers[0]?.args ?? [];
  return args.filter((arg) => /^--(controller|ingress|watch|publish|election|default)-/.test(arg));
}

const referenceGrants = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: referencegrants.gateway.networking.k8s.io
  annotations: { api-approved.kubernetes.io: 'unapproved, stands for the one of Gateway API' }
spec:
  group: gateway.networking.k8s.io
  scope: Namespaced
  names: { plural: referencegrants, singular: referencegrant, kind: ReferenceGrant }
  versions:
    - name: v1beta1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
`;

const secret = (key: string): Manifest => ({
  ...object('v1', 'Secret', key, undefined),
  type: 'kubernetes.io/tls',
  stringData: { 'tls.crt': tlsPairs.a.certificate, 'tls.key': tlsPairs.a.key },
});

const addressesOf = (seen: KubeObject | undefined): unknown =>
  (seen?.['status'] as { loadBalancer?: { ingress?: unknown } } | undefined)?.loadBalancer?.ingress;

const conditionsOf = (seen: KubeObject | undefined): readonly { readonly status: string }[] =>
  (seen?.['status'] as { conditions?: readonly { status: string }[] } | undefined)?.conditions ?? [];

const missingService = 'SP2101';

interface Finding {
  readonly code: string;
  readonly object: { readonly name: string };
}

/** Everything that a replica writes while it leads. */
class Walk {
  readonly #cluster: TestCluster;
  readonly #rig: ControllerRig;
  readonly #namespace: string;

  constructor(cluster: TestCluster, rig: ControllerRig, namespace: string) {
    this.#cluster = cluster;
    this.#rig = rig;
    this.#namespace = namespace;
  }

  async prepare(): Promise<void> {
    const upstream = await this.#rig.upstream('served');
    await this.#rig.serve(this.#namespace, 'shop.example', upstream);
    await this.#rig.apply(service(edge, { type: 'LoadBalancer' }), podSlice(edge, ['pod-a', 'pod-b']));
    const status = { loadBalancer: { ingress: [{ ip: edgeAddress }] } };
    await this.#cluster.admin.patch(referenceTo(service(edge)), { status }, 'status');
    await this.#rig.apply(
      secret(this.#key('shop-tls')),
      ingress(this.#key('secure'), 'secure.example', { secretName: 'shop-tls' }),
      route(this.#key('route'), 'route.example'),
      object('sallyport.dev/v1alpha1', 'BackendPolicy', this.#key('policy'), {
        service: 'web',
        balance: 'LeastRequest',
      }),
      service(this.#key('inside')),
      {
        ...object('v1', 'ConfigMap', this.#key('authority'), undefined),
        data: { 'ca.crt': tlsPairs.a.certificate },
      },
      object('sallyport.dev/v1alpha1', 'BackendPolicy', this.#key('inside'), {
        service: 'inside',
        tls: { caConfigMapName: 'authority' },
      }),
    );
  }

  /** Resolves when addresses and conditions are there, with the certificates that are served. */
  async reported(replica: Replica): Promise<readonly unknown[]> {
    const { admin } = this.#cluster;
    await admin.waitFor(
      this.#reference('networking.k8s.io/v1', 'Ingress', 'secure'),
      (seen) => JSON.stringify(addressesOf(seen)) === JSON.stringify([{ ip: edgeAddress }]),
    );
    for (const [kind, name] of [
      ['Route', 'route'],
      ['BackendPolicy', 'policy'],
      ['BackendPolicy', 'inside'],
    ] as const) {
      await admin.waitFor(this.#reference('sallyport.dev/v1alpha1', kind, name), (seen) => {
        const conditions = conditionsOf(seen);
        return conditions.length === 3 && conditions.every(({ status }) => status === 'True');
      });
    }
    const page = `/debug/certificates?secret=${this.#key('shop-tls')}`;
    return (await replica.json<{ readonly certificates: readonly unknown[] }>(page)).certificates;
  }

  /** A finding that comes, goes and comes again: an Event, which is then counted. */
  async toldTwice(replica: Replica): Promise<void> {
    const lost = ingress(this.#key('lost'), 'lost.example', { service: 'later' });
    const later = service(this.#key('later'));
    const { admin } = this.#cluster;
    const events = () =>
      admin.list(
        { apiVersion: 'v1', kind: 'Event' },
        { namespace: this.#namespace, fieldSelector: 'involvedObject.name=lost' },
      );
    await admin.apply(lost);
    await eventually(events, (found) => found.length > 0);
    await admin.apply(later);
    await eventually(
      () => replica.json<readonly Finding[]>('/debug/diagnostics'),
      (found) => !found.some(({ code, object: { name } }) => name === 'lost' && code === missingService),
    );
    await admin.delete(referenceTo(later));
    await eventually(events, (found) => JSON.stringify(found).includes('"count":2'));
  }

  /** What the status of an Ingress says now. */
  async addresses(): Promise<unknown> {
    const { admin } = this.#cluster;
    return addressesOf(await admin.get(this.#reference('networking.k8s.io/v1', 'Ingress', 'secure')));
  }

  #key(name: string): string {
    return `${this.#namespace}/${name}`;
  }

  #reference(apiVersion: string, kind: string, name: string) {
    return { apiVersion, kind, name, namespace: this.#namespace };
  }
}

describe.each(widths)('with the rights of manifests/$rights', ({ rights, deployment, namespace }) => {
  describeWithCluster(
    'a replica',
    (cluster) => {
      test('does all that it has to, is refused nothing, and is granted nothing more', async () => {
        const folder = await mkdtemp(join(tmpdir(), 'sallyport-rights-'));
        const rig = new ControllerRig(cluster());
        const flags = [...argumentsOf(deployment), '--election-ttl', '3s'];
        const walk = new Walk(cluster(), rig, namespace);
        try {
          for (const name of [ownNamespace, namespace]) await cluster().ensureNamespace(name);
          await cluster().applyFile(join(root, 'manifests', rights));
          await walk.prepare();
          const first = await rig.replica('pod-a', ...flags, '--snapshot-file', join(folder, 'last-good'));
          await first.live();
          await first.logged('a kind is not installed in the cluster');
          expect(await walk.reported(first)).toHaveLength(1);
          await walk.toldTwice(first);

          await cluster().applyYaml(referenceGrants);
          const second = await rig.replica('pod-b', ...flags);
          await second.live();
          await first.kill();
          await second.logged('leader');
          await rig.apply(podSlice(edge, ['pod-b']));
          expect(await walk.reported(second)).toHaveLength(1);
          expect(await second.terminate()).toBe(0);
          expect(await walk.addresses()).toBeUndefined();

          const { audit } = cluster();
          const refused = await audit.forbidden(ownUser);
          expect(refused.map(({ verb, uri }) => `${verb} ${uri}`)).toEqual([]);
          expect(unusedGrants(rulesOf(rights), await audit.entries(ownUser))).toEqual([]);
        } finally {
          await rig.stop();
          await rm(folder, { recursive: true, force: true });
        }
      });
    },
    installedWith(),
  );
});
