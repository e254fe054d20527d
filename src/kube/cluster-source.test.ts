import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { ingress, objectMeta, secret, service } from '../../test/support/kube-objects.ts';
import { ScriptedReflectors } from '../../test/support/scripted-reflectors.ts';
import { SimulatedTime } from '../../test/support/simulated-time.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import { createLog } from '../telemetry/log.ts';
import { ClusterSource } from './cluster-source.ts';
import type { ClusterSourceOptions, ClusterUpdate } from './cluster-source.ts';
import type { SnapshotFile } from './snapshot-file.ts';
import { watchPlan } from './watch-plan.ts';
import type { WatchSettings } from './watch-plan.ts';

let time: SimulatedTime;
let cluster: ScriptedReflectors;
let updates: ClusterUpdate[];
let lines: { readonly level: string; readonly msg: string; readonly [field: string]: unknown }[];
let sources: ClusterSource[];

beforeEach(() => {
  time = new SimulatedTime();
  cluster = new ScriptedReflectors();
  updates = [];
  lines = [];
  sources = [];
});

afterEach(async () => {
  await Promise.all(sources.map((source) => source.stop()));
  cluster.expectStopped();
  time.expectIdle();
});

type Options = Partial<Omit<ClusterSourceOptions, 'plan'>> & { readonly watch?: Partial<WatchSettings> };

function started({ watch, ...options }: Options = {}): ClusterSource {
  const source = new ClusterSource({
    plan: watchPlan({
      watchNamespaces: undefined,
      namespaceSelector: false,
      ingressClassByName: false,
      defaultBackendService: undefined,
      defaultCertificate: undefined,
      ...watch,
    }),
    createReflector: cluster.create,
    onChange: (update) => updates.push(update),
    log: createLog({ write: (text) => lines.push(JSON.parse(text) as (typeof lines)[number]) }, 'debug'),
    clock: time.clock(),
    ...options,
  });
  sources.push(source);
  void source.start();
  return source;
}

/** Ends the turn of the event loop, and what was scheduled in it. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

async function synced(options: Options = {}): Promise<ClusterSource> {
  const source = started(options);
  cluster.syncAll();
  await turn();
  expect(updates).toHaveLength(1);
  return source;
}

const last = (): ClusterUpdate => {
  const update = updates.at(-1);
  if (update === undefined) throw new Error('Nothing was handed out');
  return update;
};

const codes = (): readonly string[] => last().diagnostics.map(({ code }) => code);
const keys = (kind: keyof Snapshot['objects']): readonly string[] => [
  ...last().snapshot.objects[kind].keys(),
];

describe('the first snapshot', () => {
  test('is handed out when every scope was read, and holds them all', async () => {
    const source = started();
    cluster.of('Service').set(service('a/one'));
    for (const reflector of cluster.running.filter(({ scope }) => scope.resource.kind !== 'Ingress')) {
      reflector.synced();
    }
    await turn();
    expect(updates).toEqual([]);
    expect(source.waitingFor).toEqual(['ingresses.networking.k8s.io in every namespace']);
    cluster.of('Ingress').set(ingress('a/web'));
    await turn();
    expect(updates).toEqual([]);
    cluster.of('Ingress').synced();
    await turn();
    expect(updates).toHaveLength(1);
    expect(last().changed).toBeUndefined();
    expect([keys('Ingress'), keys('Service')]).toEqual([['a/web'], ['a/one']]);
    expect(source.waitingFor).toEqual([]);
  });

  test('does not wait for kinds that are not installed; they join when they are', async () => {
    started();
    for (const reflector of cluster.running) {
      if (reflector.scope.resource.optional) reflector.stalled('absent');
      else reflector.synced();
    }
    await turn();
    expect(updates).toHaveLength(1);
    expect(last().diagnostics).toEqual([]);
    const route = cluster.of('Route');
    route.stalled(undefined);
    route.set({
      kind: 'Route',
      meta: objectMeta('a/r'),
      ingressClassName: undefined,
      hosts: [],
      tls: undefined,
      rules: [],
    });
    route.synced();
    await turn();
    expect(last().changed).toEqual([{ kind: 'Route', key: 'a/r' }]);
  });

  test('waits for a kind that must be there, and for one that is refused, and says so again and again', async () => {
    const source = started();
    for (const reflector of cluster.running) {
      if (reflector.scope.resource.kind === 'Ingress') reflector.stalled('forbidden', 'no right to list');
      else if (reflector.scope.resource.kind === 'EndpointSlice') reflector.stalled('absent', 'not found');
      else reflector.synced();
    }
    await turn();
    expect(updates).toEqual([]);
    const refused = lines.filter(({ level }) => level === 'error');
    expect(refused).toEqual([
      expect.objectContaining({
        msg: 'the API server refuses to let a kind be read',
        resource: 'ingresses.networking.k8s.io in every namespace',
        verbs: 'list, watch',
        detail: 'no right to list',
      }),
    ]);
    await time.advance(65_000);
    const waiting = lines.filter(({ msg }) => msg.startsWith('not ready'));
    expect(waiting).toHaveLength(2);
    expect(waiting[0]?.['waitingFor']).toEqual(source.waitingFor);
    expect(source.waitingFor).toEqual([
      'ingresses.networking.k8s.io in every namespace: want the verbs list and watch: no right to list',
      'endpointslices.discovery.k8s.io in every namespace: not found',
    ]);
    cluster.of('Ingress').stalled(undefined);
    cluster.of('Ingress').synced();
    cluster.of('EndpointSlice').synced();
    await turn();
    expect(updates).toHaveLength(1);
    await time.advance(65_000);
    expect(lines.filter(({ msg }) => msg.startsWith('not ready'))).toHaveLength(2);
  });

  test('goes without IngressClasses that a Role cannot grant, with a finding', async () => {
    started({ watch: { watchNamespaces: ['a'] } });
    for (const reflector of cluster.running) {
      if (reflector.scope.resource.kind === 'IngressClass') reflector.stalled('forbidden');
      else reflector.synced();
    }
    await turn();
    expect(codes()).toEqual(['SP1206']);
    cluster.of('IngressClass').stalled(undefined);
    cluster.of('IngressClass').synced();
    await turn();
    expect(codes()).toEqual([]);
  });
});

describe('changes', () => {
  test('of one turn come as one update, each object once', async () => {
    await synced();
    for (let at = 0; at < 10_000; at++) cluster.of('Service').set(service(`a/s${at % 5000}`, at));
    cluster.of('Ingress').set(ingress('a/web'));
    cluster.of('Service').delete(service('a/s7'));
    await turn();
    expect(updates).toHaveLength(2);
    expect(last().changed).toHaveLength(5000);
    expect(last().snapshot.objects.Service.get('a/s1')?.meta.resourceVersion).toBe('5001');
    expect(last().snapshot.objects.Service.has('a/s7')).toBe(false);
  });

  test('of status and of versions alone are not handed out', async () => {
    const source = await synced();
    const seen: string[] = [];
    const end = source.onStatus((kind, key) => seen.push(`${kind} ${key}`));
    const first = ingress('a/web');
    cluster.of('Ingress').set(first, { loadBalancer: {} });
    await turn();
    expect(updates).toHaveLength(2);
    const newer = { ...first, meta: { ...first.meta, resourceVersion: '2' } };
    cluster.of('Ingress').set(newer, { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } });
    await turn();
    expect(updates).toHaveLength(2);
    expect(source.observedStatus('Ingress', 'a/web')).toEqual({
      loadBalancer: { ingress: [{ ip: '192.0.2.1' }] },
    });
    cluster.of('Ingress').delete(first);
    await turn();
    expect(source.observedStatus('Ingress', 'a/web')).toBeUndefined();
    expect(seen).toEqual(['Ingress a/web', 'Ingress a/web', 'Ingress a/web']);
    end();
    cluster.of('Ingress').set(first);
    expect(seen).toHaveLength(3);
  });

  test('of labels, annotations and spec are handed out', async () => {
    await synced();
    const first = ingress('a/web');
    cluster.of('Ingress').set(first);
    await turn();
    const annotations = new Map([['k', 'v']]);
    cluster.of('Ingress').set({ ...first, meta: { ...first.meta, resourceVersion: '2', annotations } });
    await turn();
    expect(last().changed).toEqual([{ kind: 'Ingress', key: 'a/web' }]);
    cluster.of('Ingress').set({
      ...first,
      meta: { ...first.meta, resourceVersion: '3', annotations },
      tls: [{ hosts: [], secretName: 'x' }],
    });
    await turn();
    expect(updates).toHaveLength(4);
  });

  test('keep the last good version of an object that cannot be used any more, until it is gone or another', async () => {
    const source = await synced();
    const route = cluster.of('Ingress');
    const finding = diagnose('SP1002', { kind: 'Ingress', namespace: 'a', name: 'web' }, 'spec', 'Bad');
    const refuse = (uid: string): void =>
      route.tell({
        type: 'refused',
        kind: 'Ingress',
        key: 'a/web',
        identity: { uid, generation: 9 },
        diagnostics: [finding],
        status: undefined,
      });
    route.set(ingress('a/web'));
    await turn();
    refuse('uid-a/web');
    await turn();
    expect(last().diagnostics).toEqual([finding]);
    expect(last().changed).toEqual([]);
    expect(keys('Ingress')).toEqual(['a/web']);
    expect(source.refused('Ingress', 'a/web')).toEqual({ uid: 'uid-a/web', generation: 9 });
    refuse('another');
    await turn();
    expect(keys('Ingress')).toEqual([]);
    expect(codes()).toEqual(['SP1002']);
    route.set(ingress('a/web', 2));
    await turn();
    expect(codes()).toEqual([]);
    refuse('uid-a/web');
    route.delete(ingress('a/web'));
    await turn();
    expect([keys('Ingress'), codes()]).toEqual([[], []]);
    expect(source.refused('Ingress', 'a/web')).toBeUndefined();
  });

  test('of an object that cannot be used: its status is known, and seen again as it was it is no news', async () => {
    const source = await synced();
    const refuse = (status: unknown, generation = 1): void =>
      cluster.of('Route').tell({
        type: 'refused',
        kind: 'Route',
        key: 'a/r',
        identity: { uid: 'u', generation },
        diagnostics: [diagnose('SP1002', { kind: 'Route', namespace: 'a', name: 'r' }, 'spec', 'Bad')],
        status,
      });
    refuse({ conditions: [] });
    await turn();
    expect(source.observedStatus('Route', 'a/r')).toEqual({ conditions: [] });
    const { length } = updates;
    refuse({ conditions: ['written'] });
    await turn();
    expect(updates).toHaveLength(length);
    expect(source.observedStatus('Route', 'a/r')).toEqual({ conditions: ['written'] });
    refuse({ conditions: ['written'] }, 2);
    await turn();
    expect(updates).toHaveLength(length + 1);
    cluster.of('Route').tell({ type: 'delete', kind: 'Route', key: 'a/r' });
    await turn();
    expect(source.observedStatus('Route', 'a/r')).toBeUndefined();
  });
});

describe('an outage', () => {
  test('leaves the last snapshot in force and is one finding, however many scopes notice', async () => {
    await synced();
    cluster.of('Service').set(service('a/one'));
    await turn();
    const { snapshot } = last();
    for (const reflector of cluster.running)
      reflector.stalled('unreachable', `no answer at ${Math.random()}`);
    await turn();
    expect(codes()).toEqual(['SP1202']);
    expect(last().snapshot).toBe(snapshot);
    for (const reflector of cluster.running) reflector.stalled('unreachable', 'still none');
    await turn();
    expect(updates).toHaveLength(3);
    expect(lines.map(({ msg }) => msg)).toEqual(['the API server does not answer']);
    for (const reflector of cluster.running) reflector.stalled(undefined);
    await turn();
    expect([last().snapshot, codes()]).toEqual([snapshot, []]);
  });

  test.each([
    ['forbidden', 'SP1201'],
    ['unauthorized', 'SP1203'],
    ['failing', 'SP1202'],
    ['absent', 'SP1202'],
  ] as const)('that answers %s is %s', async (reason, code) => {
    await synced();
    cluster.of('Service').set(service('a/one'));
    cluster.of('Service').stalled(reason);
    await turn();
    expect([codes(), keys('Service')]).toEqual([[code], ['a/one']]);
  });

  test('of a kind that may be missing is none', async () => {
    await synced();
    cluster.of('Route').stalled('absent');
    await turn();
    expect(updates).toHaveLength(1);
  });
});

describe('fetch', () => {
  test('resolves once what was found has been handed out', async () => {
    const source = await synced();
    const fetched = source.fetch(new Set(['Secret/a/tls']));
    let handedOut = -1;
    const done = fetched?.then(() => (handedOut = updates.length));
    cluster.of('Secret a/tls').set(secret('a/tls'));
    cluster.of('Secret a/tls').synced();
    await done;
    expect(handedOut).toBe(2);
    expect(keys('Secret')).toEqual(['a/tls']);
  });

  test('reports what may not be read, and hands it out when it may', async () => {
    const source = await synced();
    const fetched = source.fetch(new Set(['Secret/a/tls']));
    cluster.of('Secret a/tls').stalled('forbidden');
    await fetched;
    const [finding] = last().diagnostics as [Diagnostic];
    expect(finding).toMatchObject({
      code: 'SP1204',
      object: { kind: 'Secret', namespace: 'a', name: 'tls' },
    });
    expect(finding.message).toContain('secrets in namespace "a"');
    cluster.of('Secret a/tls').stalled(undefined);
    cluster.of('Secret a/tls').set(secret('a/tls'));
    cluster.of('Secret a/tls').synced();
    await turn();
    expect([keys('Secret'), codes()]).toEqual([['a/tls'], []]);
  });

  test('says what a start still waits for', async () => {
    const source = await synced();
    const fetched = source.fetch(new Set(['Secret/a/tls']));
    cluster.of('Secret a/tls').stalled('unreachable', 'no answer');
    expect(source.waitingFor).toEqual(['secrets "tls" in namespace "a": no answer']);
    await time.advance(30_000);
    expect(lines.at(-1)).toMatchObject({ waitingFor: source.waitingFor, missing: 1 });
    cluster.of('Secret a/tls').stalled(undefined);
    cluster.of('Secret a/tls').synced();
    await fetched;
    expect(source.waitingFor).toEqual([]);
  });

  test('reads what a setting names from the start', async () => {
    await synced({ watch: { defaultCertificate: 'infra/wildcard' } });
    expect(cluster.has('Secret infra/wildcard')).toBe(true);
  });
});

describe('a cold start', () => {
  const saved = createSnapshot([service('a/old'), ingress('a/web'), secret('a/tls')]);
  const file = (snapshot: Snapshot | 'none' = saved) => {
    const offered: Snapshot[] = [];
    return {
      offered,
      load: async () => (snapshot === 'none' ? undefined : { snapshot, ageMs: 90_000 }),
      offer: (one: Snapshot) => void offered.push(one),
      stop: async () => {},
    } as Partial<SnapshotFile> as SnapshotFile & { readonly offered: Snapshot[] };
  };

  test('serves the saved snapshot when nothing answers in time, and the cluster as soon as it was read', async () => {
    const snapshotFile = file();
    const source = started({ snapshotFile, snapshotWaitMs: 5000 });
    await time.advance(4999);
    await turn();
    expect(updates).toEqual([]);
    await time.advance(1);
    await turn();
    expect(last().snapshot).toBe(saved);
    expect(codes()).toEqual(['SP1205']);
    expect(lines.find(({ msg }) => msg.includes('saved snapshot'))).toMatchObject({ ageSeconds: 90 });

    // What it refers to is answered from the file, and looked up besides.
    expect(source.fetch(new Set(['Secret/a/tls', 'Secret/a/none']))).toBeUndefined();
    cluster.of('Service').stalled('unreachable');
    await turn();
    expect(codes()).toEqual(['SP1205', 'SP1202']);
    expect(last().snapshot).toBe(saved);
    expect(source.isSaved(saved)).toBe(true);
    source.settled(saved);
    expect(snapshotFile.offered).toEqual([]);

    cluster.of('Service').stalled(undefined);
    cluster.of('Service').set(service('a/new'));
    await turn();
    expect(last().snapshot).toBe(saved);
    cluster.syncAll();
    await turn();
    expect(last()).toMatchObject({ changed: undefined, diagnostics: [] });
    expect([keys('Service'), keys('Ingress'), keys('Secret')]).toEqual([['a/new'], [], ['a/tls']]);

    // The Secret from the file stays until the API server says that there is none.
    cluster.of('Secret a/tls').synced();
    await turn();
    expect(keys('Secret')).toEqual([]);
    source.settled(last().snapshot);
    source.settled(saved);
    expect(snapshotFile.offered).toEqual([last().snapshot]);
  });

  test('waits for an API server that is slow but answers', async () => {
    started({ snapshotFile: file() });
    await time.advance(4000);
    cluster.of('Service').set(service('a/one'));
    await time.advance(4000);
    await turn();
    expect(updates).toEqual([]);
    await time.advance(1000);
    await turn();
    expect(codes()).toEqual(['SP1205']);
  });

  test('does not serve the saved snapshot to an installation without rights', async () => {
    started({ snapshotFile: file() });
    cluster.of('Ingress').stalled('forbidden');
    await time.advance(20_000);
    await turn();
    expect(updates).toEqual([]);
    cluster.of('Ingress').stalled('unreachable');
    await time.advance(20_000);
    await turn();
    expect(codes()).toContain('SP1205');
  });

  test('waits on without a saved snapshot', async () => {
    const source = started({ snapshotFile: file('none') });
    await time.advance(20_000);
    await turn();
    expect(updates).toEqual([]);
    expect(source.waitingFor).toHaveLength(7);
    cluster.syncAll();
    await turn();
    expect(updates).toHaveLength(1);
  });

  test('keeps an unchanged snapshot current, but not during an outage', async () => {
    const snapshotFile = file();
    const source = await synced({ snapshotFile });
    source.settled(last().snapshot);
    await time.advance(3_600_000);
    expect(snapshotFile.offered).toHaveLength(2);
    cluster.of('Ingress').stalled('unreachable');
    await time.advance(3_600_000);
    expect(snapshotFile.offered).toHaveLength(2);
  });
});

test('nothing is handed out after stop', async () => {
  const source = await synced();
  cluster.of('Service').set(service('a/one'));
  await source.stop();
  await turn();
  expect(updates).toHaveLength(1);
  expect(source.fetch(new Set(['Secret/a/b']))).toBeUndefined();
});
