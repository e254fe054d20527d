import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { secret } from '../../test/support/kube-objects.ts';
import { ScriptedReflectors, scopeName } from '../../test/support/scripted-reflectors.ts';
import { SimulatedTime } from '../../test/support/simulated-time.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import { parseReference } from './named-object.ts';
import { ReferencedObjects } from './referenced-objects.ts';
import type { ReferencedObjectsOptions } from './referenced-objects.ts';

let time: SimulatedTime;
let cluster: ScriptedReflectors;
let held: Map<string, string>;
let notices: number;
let objects: ReferencedObjects;

function create(options: Partial<ReferencedObjectsOptions> = {}): ReferencedObjects {
  return new ReferencedObjects({
    createReflector: cluster.create,
    clock: time.clock(),
    changed: (changes) => {
      for (const change of changes) {
        if (change.type === 'set') {
          const { kind, meta } = change.object;
          held.set(`${kind}/${meta.namespace}/${meta.name}`, meta.resourceVersion);
        } else if (change.type === 'delete') {
          held.delete(`${change.kind}/${change.key}`);
        }
      }
    },
    noticed: () => {
      notices++;
    },
    ...options,
  });
}

beforeEach(() => {
  time = new SimulatedTime();
  cluster = new ScriptedReflectors();
  held = new Map();
  notices = 0;
  objects = create();
});

afterEach(async () => {
  await objects.stop();
  cluster.expectStopped();
  time.expectIdle();
});

/** Whether a promise has been resolved by now. */
async function isDone(promise: Promise<void> | undefined): Promise<boolean> {
  const open = Symbol('open');
  return (await Promise.race([promise, Promise.resolve().then(() => open)])) !== open;
}

const set = (...names: readonly string[]): ReadonlySet<string> =>
  new Set(names.map((name) => `Secret/${name}`));

describe('fetch', () => {
  test('waits until each was found or found to be absent, and what was found is handed out', async () => {
    const fetched = objects.fetch(new Set(['Secret/a/one', 'ConfigMap/a/two']));
    cluster.of('Secret a/one').set(secret('a/one'));
    cluster.of('Secret a/one').synced();
    objects.flushed();
    expect(await isDone(fetched)).toBe(false);
    cluster.of('ConfigMap a/two').synced();
    expect(await isDone(fetched)).toBe(false);
    objects.flushed();
    expect(await isDone(fetched)).toBe(true);
    expect(held).toEqual(new Map([['Secret/a/one', '1']]));
  });

  test('has nothing to wait for when all of it was looked up before', async () => {
    const first = set('a/one', 'a/two');
    const fetched = objects.fetch(first);
    cluster.of('Secret a/one').synced();
    cluster.of('Secret a/two').stalled('forbidden');
    objects.flushed();
    await fetched;
    expect(objects.fetch(first)).toBeUndefined();
    expect(objects.fetch(set('a/two'))).toBeUndefined();
  });

  test('keeps what is still referred to, drops what is not, and reads it anew when it is again', async () => {
    void objects.fetch(set('a/one', 'a/two'));
    for (const name of ['one', 'two']) {
      cluster.of(`Secret a/${name}`).set(secret(`a/${name}`));
      cluster.of(`Secret a/${name}`).synced();
    }
    objects.flushed();
    const kept = cluster.of('Secret a/two');
    expect(objects.fetch(set('a/two'))).toBeUndefined();
    expect([...held.keys()]).toEqual(['Secret/a/two']);
    expect(cluster.running).toEqual([kept]);
    const again = objects.fetch(set('a/one', 'a/two'));
    expect(await isDone(again)).toBe(false);
    cluster.of('Secret a/one').set(secret('a/one', 2));
    cluster.of('Secret a/one').synced();
    objects.flushed();
    await again;
    expect(held.get('Secret/a/one')).toBe('2');
  });

  test('does not wait for what is referred to no more', async () => {
    const fetched = objects.fetch(set('a/one'));
    expect(objects.fetch(set())).toBeUndefined();
    expect(notices).toBeGreaterThan(0);
    objects.flushed();
    await fetched;
  });

  test('holds each up once: who asks again a second later goes on without', async () => {
    const first = objects.fetch(set('a/one'));
    await time.advance(1000);
    expect(objects.fetch(set('a/one'))).toBeUndefined();
    expect(objects.fetch(set('a/one', 'a/two'))).toBe(first);
    cluster.of('Secret a/one').synced();
    cluster.of('Secret a/two').synced();
    objects.flushed();
    await first;
  });

  test('one that is slow holds nobody up again: those who come later wait for what is new to them', async () => {
    void objects.fetch(set('a/slow'));
    await time.advance(1000);
    const later = objects.fetch(set('a/slow', 'a/new'));
    cluster.of('Secret a/new').synced();
    expect(await isDone(later)).toBe(false);
    objects.flushed();
    expect(await isDone(later)).toBe(true);
  });

  test('looks up a few at a time, the next as soon as one is done', async () => {
    objects = create({ concurrency: 2 });
    const fetched = objects.fetch(set('a/1', 'a/2', 'a/3', 'a/4', 'a/5'));
    const names = (): readonly string[] => cluster.running.map(({ scope }) => scopeName(scope));
    expect(names()).toEqual(['Secret a/1', 'Secret a/2']);
    cluster.of('Secret a/2').synced();
    expect(names()).toEqual(['Secret a/1', 'Secret a/2', 'Secret a/3']);
    cluster.of('Secret a/3').stalled('forbidden');
    expect(names()).toHaveLength(4);
    // Nothing answers: no use in asking for more.
    cluster.of('Secret a/4').stalled('unreachable');
    expect(names()).toHaveLength(4);
    void objects.fetch(set('a/2', 'a/5'));
    expect(names()).toEqual(['Secret a/2', 'Secret a/5']);
    cluster.of('Secret a/5').synced();
    objects.flushed();
    await fetched;
  });

  test('namespaces take turns, so that one with thousands keeps no other waiting', () => {
    objects = create({ concurrency: 1 });
    void objects.fetch(set('a/1', 'a/2', 'a/3', 'a/4', 'b/1', 'b/2', 'c/1'));
    const order: string[] = [];
    const seen = new Set<unknown>();
    for (
      let next = cluster.running[0];
      next !== undefined;
      next = cluster.running.find((one) => !seen.has(one))
    ) {
      seen.add(next);
      order.push(scopeName(next.scope));
      next.synced();
    }
    expect(order.map((name) => name.replace('Secret ', ''))).toEqual([
      'a/1',
      'b/1',
      'c/1',
      'a/2',
      'b/2',
      'a/3',
      'a/4',
    ]);
  });

  test('what the API server fails to answer takes no place of others', async () => {
    objects = create({ concurrency: 1 });
    const fetched = objects.fetch(set('a/broken', 'b/fine'));
    cluster.of('Secret a/broken').stalled('failing');
    cluster.of('Secret b/fine').synced();
    objects.flushed();
    expect(await isDone(fetched)).toBe(false);
    await time.advance(10_000);
    objects.flushed();
    await fetched;
  });

  test('gives up waiting for an API server that fails for one object, not for one that is silent', async () => {
    const fetched = objects.fetch(set('a/failing'));
    cluster.of('Secret a/failing').stalled('failing');
    await time.advance(6000);
    cluster.of('Secret a/failing').stalled('failing');
    objects.flushed();
    expect(await isDone(fetched)).toBe(false);
    await time.advance(4000);
    objects.flushed();
    expect(await isDone(fetched)).toBe(true);
    expect([...objects.stalled()].map(({ reason }) => reason.kind)).toEqual(['failing']);
    const silent = objects.fetch(set('a/failing', 'a/silent'));
    cluster.of('Secret a/silent').stalled('unreachable');
    await time.advance(60_000);
    objects.flushed();
    expect(await isDone(silent)).toBe(false);
    cluster.of('Secret a/silent').stalled(undefined);
    cluster.of('Secret a/silent').synced();
    objects.flushed();
    await silent;
  });

  test('a failure that passes does not count', async () => {
    const fetched = objects.fetch(set('a/one'));
    cluster.of('Secret a/one').stalled('failing');
    await time.advance(9000);
    cluster.of('Secret a/one').stalled(undefined);
    await time.advance(9000);
    objects.flushed();
    expect(await isDone(fetched)).toBe(false);
    cluster.of('Secret a/one').synced();
    objects.flushed();
    await fetched;
  });

  test('leaves out what is no reference to a Secret or ConfigMap', () => {
    expect(
      objects.fetch(new Set(['Service/a/b', 'Secret/a', 'Secret//x', 'Secret/a/b/c', ''])),
    ).toBeUndefined();
    expect(cluster.all).toEqual([]);
    expect(parseReference('ConfigMap/a/b')).toMatchObject({ namespace: 'a', name: 'b' });
  });
});

describe('a saved snapshot', () => {
  test('answers at once, until the API server says otherwise', async () => {
    const waiting = objects.fetch(set('a/one'));
    objects.answerFrom(createSnapshot([secret('a/one', 7), secret('a/two', 7)]));
    objects.flushed();
    await waiting;
    expect(objects.fetch(set('a/one', 'a/two', 'a/none'))).toBeUndefined();
    expect([...held.values()]).toEqual(['7', '7']);
    objects.answerFrom(undefined);
    cluster.of('Secret a/one').set(secret('a/one', 8));
    cluster.of('Secret a/one').synced();
    cluster.of('Secret a/two').synced();
    expect(held).toEqual(new Map([['Secret/a/one', '8']]));
    const fetched = objects.fetch(set('a/one', 'a/three'));
    expect(await isDone(fetched)).toBe(false);
  });
});

test('after any churn exactly what is referred to is read, and what is held is what was found of it', () => {
  const allNames = ['a/1', 'a/2', 'a/3', 'a/4'];
  const name = fc.constantFrom(...allNames);
  const step = fc.oneof(
    fc.record({ type: fc.constant('fetch' as const), names: fc.uniqueArray(name) }),
    fc.record({ type: fc.constant('found' as const), name }),
    fc.record({ type: fc.constant('absent' as const), name }),
    fc.record({ type: fc.constant('refused' as const), name }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      cluster = new ScriptedReflectors();
      held = new Map();
      const churned = create({ concurrency: 2 });
      let wanted: readonly string[] = [];
      const expected = new Map<string, string>();
      for (const [at, one] of steps.entries()) {
        if (one.type === 'fetch') {
          wanted = one.names;
          void churned.fetch(set(...wanted));
          for (const key of set(...allNames).difference(set(...wanted))) expected.delete(key);
          continue;
        }
        if (!cluster.has(`Secret ${one.name}`)) continue;
        const reflector = cluster.of(`Secret ${one.name}`);
        if (one.type === 'refused') {
          reflector.stalled('forbidden');
          continue;
        }
        if (one.type === 'found') {
          reflector.set(secret(one.name, at));
          expected.set(`Secret/${one.name}`, String(at));
        } else {
          reflector.delete(secret(one.name));
          expected.delete(`Secret/${one.name}`);
        }
        reflector.synced();
      }
      expect(held).toEqual(expected);
      const read = cluster.running.map(({ scope }) => `${scope.namespace}/${scope.name}`);
      expect(wanted).toEqual(expect.arrayContaining(read));
      // Let all that are left be looked up: then every one is read.
      for (let left = wanted.length; left > 0; left--) for (const one of cluster.running) one.synced();
      expect(cluster.running.map(({ scope }) => `${scope.namespace}/${scope.name}`).sort()).toEqual(
        [...wanted].sort(),
      );
      void churned.stop();
    }),
  );
});
