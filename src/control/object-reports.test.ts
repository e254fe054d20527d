import { describe, expect, test } from '@jest/globals';
import { defaultCompileOptions } from '../compile/compile-options.ts';
import { createCompiler } from '../compile/compiler.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import { decodeObject } from '../model/decode-object.ts';
import { SnapshotStore } from '../model/snapshot-store.ts';
import type { StoreChange } from '../model/snapshot-store.ts';
import type { ModelObject } from '../model/snapshot.ts';
import type { RouteTable } from '../table/route-table.ts';
import type { PublishOutcome } from '../workers/acknowledgements.ts';
import { ControlLoop } from './loop.ts';
import { ObjectReports } from './object-reports.ts';

let version = 0;

function decode(raw: Record<string, unknown>, name: string, generation: number): ModelObject {
  const metadata = {
    name,
    namespace: 'team',
    uid: `uid-${name}`,
    resourceVersion: String(++version),
    generation,
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  const { object, diagnostics } = decodeObject({ ...raw, metadata }, { identity: 'cluster' });
  if (object === undefined) throw new Error(diagnostics[0]?.message);
  return object;
}

function ingress(
  name: string,
  { generation = 1, path = `/${name}`, className = 'sallyport' } = {},
): StoreChange {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const http = { paths: [{ path, pathType: 'Prefix', backend }] };
  const spec = { ingressClassName: className, rules: [{ host: 'a.example', http }] };
  return {
    type: 'set',
    object: decode({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', spec }, name, generation),
  };
}

function route(name: string, { generation = 1, path = `/${name}` } = {}): StoreChange {
  const rules = [
    {
      matches: [{ path: { type: 'Prefix', value: path } }],
      filters: [{ rewriteHost: { host: 'inside.example' } }],
      backends: [{ service: 'web', port: 80 }],
    },
  ];
  const spec = { ingressClassName: 'sallyport', hosts: ['r.example'], rules };
  return {
    type: 'set',
    object: decode({ apiVersion: 'sallyport.dev/v1alpha1', kind: 'Route', spec }, name, generation),
  };
}

function ingressClass(controller: string): StoreChange {
  const raw = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'sallyport', uid: 'class', resourceVersion: String(++version) },
    spec: { controller },
  };
  const { object } = decodeObject(raw, { identity: 'cluster' });
  if (object === undefined) throw new Error('no class');
  return { type: 'set', object };
}

const service: StoreChange = {
  type: 'set',
  object: decode(
    { apiVersion: 'v1', kind: 'Service', spec: { clusterIP: '10.0.0.1', ports: [{ port: 80 }] } },
    'web',
    1,
  ),
};

const world = [service, ingressClass('sallyport.dev/ingress-controller')];

/** Timers that run when told. */
class Timers {
  readonly #timers = new Set<() => void>();
  after(_: number, run: () => void): () => void {
    this.#timers.add(run);
    return () => this.#timers.delete(run);
  }
  get size(): number {
    return this.#timers.size;
  }
  fire(): void {
    for (const run of [...this.#timers]) {
      this.#timers.delete(run);
      run();
    }
  }
}

async function idle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** The real loop and compiler; the test answers for the workers. */
function harness(identify?: () => { uid: string; generation: number }) {
  const store = new SnapshotStore();
  const patience = new Timers();
  const pace = new Timers();
  const reports = new ObjectReports({ clock: patience, ...(identify === undefined ? {} : { identify }) });
  const told: string[] = [];
  reports.subscribe((changed) => told.push(...changed.map(({ kind, key }) => `${kind}/${key}`)));
  const sent: { table: RouteTable; answer: (outcome: PublishOutcome) => void }[] = [];
  const loop = new ControlLoop({
    clock: { now: () => 0, after: (ms, run) => pace.after(ms, run) },
    compiler: createCompiler(defaultCompileOptions),
    publisher: {
      publish: (table) => new Promise((resolve) => sent.push({ table, answer: resolve })),
    },
    observer: {
      compiled: (compilation) => reports.compiled(compilation),
      compileFailed: (error) => {
        throw error;
      },
      published: (table, outcome) => reports.published(table, outcome),
      settled: (snapshot) => reports.settled(snapshot),
    },
  });
  return {
    reports,
    patience,
    told: () => told.splice(0),
    /** Applies changes, compiles them and hands the table to the workers. */
    change: async (...changes: StoreChange[]) => {
      const { snapshot, changed } = store.apply(changes);
      loop.update(snapshot, changed);
      pace.fire();
      await idle();
    },
    /** Waits no longer for the publication that is under way. */
    moveOn: async () => {
      pace.fire();
      await idle();
      pace.fire();
      await idle();
    },
    live: async (closed: readonly { id: string; message: string }[] = []) => {
      for (const { table, answer } of sent.splice(0)) {
        answer({ kind: 'live', generation: table.generation, linkMs: 0, stallMs: 0, closed });
      }
      await idle();
    },
    refuse: async (message: string) => {
      for (const { table, answer } of sent.splice(0)) {
        answer({ kind: 'failed', generation: table.generation, message });
      }
      await idle();
    },
    programmed: (kind: 'Ingress' | 'Route', name: string) => {
      const report = reports.report(kind, `team/${name}`);
      const condition = report?.conditions[2];
      return condition && `${condition.status} ${condition.reason} ${report.observedGeneration}`;
    },
  };
}

describe('Programmed', () => {
  test('is told once every worker serves the object, and not before', async () => {
    const { reports, change, live, programmed, told } = harness();
    await change(...world, ingress('one'), route('two'));
    expect(reports.report('Ingress', 'team/one')).toBeUndefined();
    expect([...reports.reports()]).toEqual([]);
    expect(told()).toEqual([]);
    await live();
    expect(programmed('Ingress', 'one')).toBe('True Programmed 1');
    expect(programmed('Route', 'two')).toBe('True Programmed 1');
    expect(told().toSorted()).toEqual(['Ingress/team/one', 'Route/team/two']);
    expect(reports.report('Ingress', 'team/one')).toMatchObject({
      uid: 'uid-one',
      owned: true,
      diagnostics: [],
    });
  });

  test('keeps what it said of the generation before until the next one is live', async () => {
    const { change, live, programmed, told } = harness();
    await change(...world, ingress('one'));
    await live();
    told();
    await change(ingress('one', { generation: 2, path: '/new' }));
    expect(programmed('Ingress', 'one')).toBe('True Programmed 1');
    await live();
    expect(programmed('Ingress', 'one')).toBe('True Programmed 2');
    expect(told()).toEqual(['Ingress/team/one']);
  });

  test('is Unknown once the workers let an object wait too long', async () => {
    const { change, live, programmed, patience } = harness();
    await change(...world, ingress('one'));
    patience.fire();
    expect(programmed('Ingress', 'one')).toBe('Unknown Pending 1');
    await live();
    expect(programmed('Ingress', 'one')).toBe('True Programmed 1');
    expect(patience.size).toBe(0);
  });

  test('is False for what a refused table holds, True again with the next that is taken', async () => {
    const { reports, change, live, refuse, programmed, told } = harness();
    await change(...world, ingress('one'));
    await live();
    told();
    await change(ingress('two'));
    await refuse('no such filter');
    expect(programmed('Ingress', 'two')).toBe('False TableRefused 1');
    expect(reports.report('Ingress', 'team/two')?.conditions[2]?.message).toContain('no such filter');
    expect(programmed('Ingress', 'one')).toBe('True Programmed 1');
    expect(told()).toEqual(['Ingress/team/two']);
    // An edit that changes nothing of the table: the refused one is still the newest.
    await change(ingress('two', { generation: 2 }));
    expect(programmed('Ingress', 'two')).toBe('False TableRefused 2');
    await change(ingress('three'));
    await live();
    expect(programmed('Ingress', 'two')).toBe('True Programmed 2');
    expect(programmed('Ingress', 'three')).toBe('True Programmed 1');
  });

  test('a version that is overtaken by the next is not told as live', async () => {
    const { change, moveOn, programmed, live } = harness();
    await change(...world, ingress('one'));
    await live();
    await change(ingress('one', { generation: 2, path: '/b' }));
    await moveOn();
    await change(ingress('one', { generation: 3, path: '/c' }));
    await moveOn();
    expect(programmed('Ingress', 'one')).toBe('True Programmed 1');
    await live();
    expect(programmed('Ingress', 'one')).toBe('True Programmed 3');
  });

  test('is False while a route answers 503 because a filter cannot be built, as long as the route stays', async () => {
    const { reports, change, live, programmed } = harness();
    await change(...world, route('one'), ingress('two'));
    await live([{ id: 'Route/team/one/0.0', message: 'filter rewriteHost: no' }]);
    expect(programmed('Route', 'one')).toBe('False RouteClosed 1');
    expect(reports.report('Route', 'team/one')?.conditions[2]?.message).toContain('filter rewriteHost: no');
    // Told once only, by the worker that linked it.
    await change(ingress('three'));
    await live();
    expect(programmed('Route', 'one')).toBe('False RouteClosed 1');
    await change(route('one', { generation: 2, path: '/other' }));
    await live();
    expect(programmed('Route', 'one')).toBe('True Programmed 2');
  });
});

describe('findings', () => {
  test('of one object appear when another changes, and go with it', async () => {
    const { reports, change, live, told } = harness();
    await change(...world, ingress('one', { path: '/' }), ingress('two', { path: '/' }));
    await live();
    expect(reports.report('Ingress', 'team/two')?.conditions[0]).toMatchObject({
      status: 'False',
      reason: 'Conflicted',
      message: expect.stringContaining('Ingress team/one'),
    });
    told();
    await change({ type: 'delete', kind: 'Ingress', key: 'team/one' });
    await live();
    expect(reports.report('Ingress', 'team/two')?.conditions[0]?.status).toBe('True');
    expect(reports.report('Ingress', 'team/one')).toBeUndefined();
    expect(told().toSorted()).toEqual(['Ingress/team/one', 'Ingress/team/two']);
  });

  test('of an object that cannot be read stand beside its last good version', async () => {
    const { reports, change, live, programmed, patience } = harness(() => ({
      uid: 'uid-one',
      generation: 2,
    }));
    await change(...world, route('one'));
    await live();
    const ref = { kind: 'Route', namespace: 'team', name: 'one' };
    reports.source([diagnose('SP1002', ref, 'spec.rules', 'Got 3, want a list')]);
    expect(reports.report('Route', 'team/one')?.conditions).toMatchObject([
      { type: 'Accepted', status: 'False', reason: 'Invalid' },
      { type: 'ResolvedRefs', status: 'True' },
      { type: 'Programmed', status: 'False', reason: 'Invalid' },
    ]);
    expect(reports.report('Route', 'team/one')?.observedGeneration).toBe(2);
    reports.source([]);
    await change(route('one', { generation: 3, path: '/mended' }));
    expect(programmed('Route', 'one')).toBe('False Invalid 2');
    await live();
    expect(programmed('Route', 'one')).toBe('True Programmed 3');
    patience.fire();
    expect(programmed('Route', 'one')).toBe('True Programmed 3');
  });

  test('of objects that never could be read: a Route is ours, an Ingress may be anybody’s', () => {
    const { reports, told } = harness(() => ({ uid: 'u', generation: 7 }));
    const refs = ['Route', 'Ingress'].map((kind) => ({ kind, namespace: 'team', name: 'bad' }));
    reports.source(refs.map((ref) => diagnose('SP1002', ref, '', 'Got a list, want an object')));
    expect(reports.report('Route', 'team/bad')).toMatchObject({
      owned: true,
      uid: 'u',
      observedGeneration: 7,
    });
    expect(reports.report('Ingress', 'team/bad')).toMatchObject({ owned: false, conditions: [] });
    told();
    reports.source([]);
    expect(reports.report('Route', 'team/bad')).toBeUndefined();
    expect(told().toSorted()).toEqual(['Ingress/team/bad', 'Route/team/bad']);
  });
});

describe('ownership', () => {
  test('follows the class, of objects that did not change themselves', async () => {
    const { reports, change, live, told } = harness();
    await change(...world, ingress('one'), ingress('other', { className: 'nginx' }));
    await live();
    expect(reports.report('Ingress', 'team/other')).toMatchObject({ owned: false, conditions: [] });
    told();
    await change(ingressClass('somebody.else/controller'));
    await live();
    expect(reports.report('Ingress', 'team/one')).toMatchObject({ owned: false, conditions: [] });
    expect(told()).toEqual(['Ingress/team/one']);
  });

  test('is what counts count', async () => {
    const { reports, change, live } = harness();
    await change(
      ...world,
      ingress('one', { path: '/' }),
      ingress('two', { path: '/' }),
      ingress('x', { className: 'y' }),
    );
    await live();
    expect(reports.counts()).toEqual(
      expect.arrayContaining([
        { kind: 'Ingress', condition: 'Accepted', status: 'True', objects: 1 },
        { kind: 'Ingress', condition: 'Accepted', status: 'False', objects: 1 },
        { kind: 'Ingress', condition: 'Programmed', status: 'True', objects: 2 },
      ]),
    );
  });
});

test('a change of one object among many is told of that one', async () => {
  const { change, live, told } = harness();
  const many = Array.from({ length: 500 }, (_, index) => ingress(`i${index}`));
  await change(...world, ...many);
  await live();
  expect(told()).toHaveLength(500);
  await change(ingress('i7', { generation: 2, path: '/moved' }));
  await live();
  expect(told()).toEqual(['Ingress/team/i7']);
});
