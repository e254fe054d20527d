import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import type { KubeObject } from '../support/cluster/manifest.ts';
import type { TestCluster } from '../support/cluster/start-cluster.ts';
import { backendPolicy, policyKind, route, routeKind } from '../support/crd-objects.ts';

const folder = join(import.meta.dirname, '../../crds');
const manifests = readdirSync(folder).map((name) => join(folder, name));
const root = '/apis/sallyport.dev/v1alpha1';

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

/** What kubectl prints of one object: column → cell, in order. `wide` adds those of `-o wide`. */
async function printed(cluster: TestCluster, plural: string, name: string) {
  const answer = await cluster.admin.call('GET', `${root}/namespaces/default/${plural}/${name}`, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  });
  const { columnDefinitions, rows } = answer.body as Table;
  const cells = columnDefinitions.map(
    ({ name: column, priority }, index) => [column, priority, rows[0]?.cells[index]] as const,
  );
  const pick = (wide: boolean) =>
    Object.fromEntries(
      cells.filter(([, priority]) => wide || priority === 0).map(([column, , cell]) => [column, cell]),
    );
  return { narrow: pick(false), wide: pick(true) };
}

const conditions = (generation: number, programmed: 'True' | 'False', message = '') => ({
  conditions: ['Accepted', 'ResolvedRefs', 'Programmed'].map((type) => ({
    type,
    status: type === 'Programmed' ? programmed : 'True',
    observedGeneration: generation,
    lastTransitionTime: '2026-01-02T03:04:05Z',
    reason: type === 'Programmed' && programmed === 'False' ? 'Pending' : type,
    message: type === 'Programmed' ? message : '',
  })),
});

describeWithCluster(
  'kinds of our own',
  (cluster) => {
    test('have short names and a category', async () => {
      const { body } = await cluster().admin.call('GET', root);
      const { resources } = body as { readonly resources: readonly Readonly<Record<string, unknown>>[] };
      const names = resources.map(({ name, kind, shortNames, categories, namespaced }) => [
        name,
        kind,
        shortNames,
        categories,
        namespaced,
      ]);
      expect(names.toSorted(([a], [b]) => String(a).localeCompare(String(b)))).toEqual([
        ['backendpolicies', 'BackendPolicy', ['spbp'], ['sallyport'], true],
        ['backendpolicies/status', 'BackendPolicy', undefined, undefined, true],
        ['routes', 'Route', ['spr'], ['sallyport'], true],
        ['routes/status', 'Route', undefined, undefined, true],
      ]);
    });

    describe('are printed', () => {
      test('a Route with its hosts, its first backend and its state', async () => {
        const { admin } = cluster();
        const object = route(
          {
            ingressClassName: 'sallyport',
            hosts: ['a.example', 'b.example'],
            tls: { secretName: 'a-tls' },
            rules: [{ backends: [{ service: 'web', port: 80 }] }],
          },
          'printed',
        );
        await admin.apply(object);
        expect((await printed(cluster(), 'routes', 'printed')).narrow).toEqual({
          Name: 'printed',
          Hosts: '["a.example","b.example"]',
          Backend: 'web',
          Accepted: null,
          Programmed: null,
          Age: expect.any(String),
        });
        const status = conditions(1, 'False', 'Waiting for worker 2');
        await admin.apply({ ...object, spec: undefined, status }, { subresource: 'status' });
        const { narrow, wide } = await printed(cluster(), 'routes', 'printed');
        expect(narrow).toEqual({
          Name: 'printed',
          Hosts: '["a.example","b.example"]',
          Backend: 'web',
          Accepted: 'True',
          Programmed: 'False',
          Age: expect.any(String),
        });
        expect(wide).toEqual({
          ...narrow,
          Class: 'sallyport',
          TLS: 'a-tls',
          ResolvedRefs: 'True',
          Reason: 'Waiting for worker 2',
        });
      });

      test('a BackendPolicy with its Service and its state', async () => {
        const { admin } = cluster();
        const object = backendPolicy({ service: 'web', balance: 'LeastRequest' }, 'printed');
        await admin.apply(object);
        const status = conditions(1, 'True');
        await admin.apply({ ...object, spec: undefined, status }, { subresource: 'status' });
        const { narrow, wide } = await printed(cluster(), 'backendpolicies', 'printed');
        expect(narrow).toEqual({
          Name: 'printed',
          Service: 'web',
          Accepted: 'True',
          Programmed: 'True',
          Age: expect.any(String),
        });
        expect(wide).toMatchObject({ ...narrow, Balance: 'LeastRequest', ResolvedRefs: 'True' });
      });
    });

    describe('by server-side apply', () => {
      const specOf = (object: KubeObject | undefined) =>
        object?.['spec'] as Readonly<Record<string, unknown>>;
      const rules = [{ backends: [{ service: 'web', port: 80 }] }];

      test('two writers share the hosts of a Route, each with its own', async () => {
        const { admin } = cluster();
        const name = 'shared';
        await admin.apply(route({ hosts: ['a.example'], rules }, name), { fieldManager: 'one' });
        await admin.apply(route({ hosts: ['b.example'] }, name), { fieldManager: 'two' });
        const reference = { ...routeKind, name };
        expect(specOf(await admin.get(reference))['hosts']).toEqual(['a.example', 'b.example']);
        await admin.apply(route({ rules }, name), { fieldManager: 'one' });
        expect(specOf(await admin.get(reference))['hosts']).toEqual(['b.example']);
      });

      test('rules have one writer', async () => {
        const { admin } = cluster();
        await admin.apply(route({ rules }, 'owned'), { fieldManager: 'one' });
        const other = { rules: [{ backends: [{ service: 'other', port: 80 }] }] };
        const answer = await admin.call('PATCH', `${root}/namespaces/default/routes/owned`, {
          body: route(other, 'owned'),
          contentType: 'application/apply-patch+yaml',
          query: { fieldManager: 'two' },
        });
        expect(answer).toMatchObject({
          status: 409,
          body: { message: expect.stringContaining('conflict with "one": .spec.rules') },
        });
      });

      test('conditions have one writer a type, and the status needs its subresource', async () => {
        const { admin } = cluster();
        const object = route({ rules }, 'reported');
        await admin.apply(object);
        const [accepted, , programmed] = conditions(1, 'True').conditions;
        const report = (condition: unknown) => ({
          ...object,
          spec: undefined,
          status: { conditions: [condition] },
        });
        await admin.apply(report(accepted), { fieldManager: 'one', subresource: 'status' });
        await admin.apply(report(programmed), { fieldManager: 'two', subresource: 'status' });
        const stored = await admin.get({ ...routeKind, name: 'reported' });
        expect(stored).toMatchObject({
          metadata: { generation: 1 },
          status: { conditions: [{ type: 'Accepted' }, { type: 'Programmed' }] },
        });
        // Through the main resource a status is passed over, and a spec through the subresource.
        await admin.patch({ ...routeKind, name: 'reported' }, { status: null });
        await admin.patch({ ...routeKind, name: 'reported' }, { spec: { rules: null } }, 'status');
        expect(await admin.get({ ...routeKind, name: 'reported' })).toMatchObject({
          spec: stored?.['spec'],
          status: stored?.['status'],
        });
      });

      test('a generation counts what is wanted, not what is reported', async () => {
        const { admin } = cluster();
        const object = backendPolicy({ service: 'web' }, 'counted');
        await admin.apply(object);
        await admin.apply(
          { ...object, spec: undefined, status: conditions(1, 'True') },
          {
            subresource: 'status',
          },
        );
        await admin.apply(backendPolicy({ service: 'web', balance: 'RoundRobin' }, 'counted'));
        expect(await admin.get({ ...policyKind, name: 'counted' })).toMatchObject({
          metadata: { generation: 2 },
        });
      });
    });

    describe('statuses', () => {
      const statusFaults: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
        [
          'a status that is neither',
          { status: 'Maybe' },
          'status.conditions[0].status: Unsupported value: "Maybe"',
        ],
        [
          'a reason with a space',
          { reason: 'Not yet' },
          'status.conditions[0].reason: Invalid value: "Not yet"',
        ],
        [
          'a time that is none',
          { lastTransitionTime: 'now' },
          'status.conditions[0].lastTransitionTime: Invalid value: "now"',
        ],
        [
          'a negative generation',
          { observedGeneration: -1 },
          'status.conditions[0].observedGeneration: Invalid value: -1',
        ],
      ];
      test.each(statusFaults)('are refused with %s', async (_, fields, message) => {
        const { admin } = cluster();
        const object = backendPolicy({ service: 'web' }, 'misreported');
        await admin.apply(object);
        const [accepted] = conditions(1, 'True').conditions;
        const status = { conditions: [{ ...accepted, ...fields }] };
        await expect(
          admin.apply({ ...object, spec: undefined, status }, { subresource: 'status' }),
        ).rejects.toMatchObject({ detail: expect.stringContaining(message) });
      });
    });
  },
  { manifests },
);
