import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { ObjectMeta } from './object-meta.ts';
import type { EndpointSlice } from './service.ts';
import { SnapshotStore, createSnapshot, objectKey } from './snapshot-store.ts';
import type { StoreChange } from './snapshot-store.ts';
import type { ModelObject } from './snapshot.ts';

function meta(namespace: string, name: string, resourceVersion: string): ObjectMeta {
  return {
    name,
    namespace,
    uid: `${namespace}/${name}`,
    resourceVersion,
    generation: 0,
    createdAtMs: 0,
    annotations: new Map(),
    labels: new Map(),
  };
}

const slice = (name: string, service: string, version = '1'): EndpointSlice => ({
  kind: 'EndpointSlice',
  meta: meta('ns', name, version),
  service,
  addressType: 'IPv4',
  endpoints: [],
  ports: [],
});

const namespace = (name: string, version = '1'): ModelObject => ({
  kind: 'Namespace',
  meta: meta('', name, version),
});

const set = (object: ModelObject): StoreChange => ({ type: 'set', object });

describe('SnapshotStore', () => {
  test('names each object that differs once, by namespace and name', () => {
    const store = new SnapshotStore();
    const { changed } = store.apply([set(slice('a', 's')), set(namespace('n')), set(slice('a', 's', '2'))]);
    expect(changed).toEqual([
      { kind: 'EndpointSlice', key: 'ns/a' },
      { kind: 'Namespace', key: 'n' },
    ]);
  });

  test('the same uid and resourceVersion is no change', () => {
    const store = new SnapshotStore();
    const before = store.apply([set(slice('a', 's'))]).snapshot;
    const update = store.apply([set(slice('a', 's')), { type: 'delete', kind: 'Service', key: 'ns/none' }]);
    expect(update.changed).toEqual([]);
    expect(update.snapshot).toBe(before);
  });

  test('a new uid under an old name and version is a change', () => {
    const store = new SnapshotStore();
    store.apply([set(namespace('n'))]);
    const reborn = { ...namespace('n'), meta: { ...meta('', 'n', '1'), uid: 'other' } };
    expect(store.apply([set(reborn)]).changed).toEqual([{ kind: 'Namespace', key: 'n' }]);
  });

  test('what a batch changes and changes back is no change', () => {
    const store = new SnapshotStore();
    const before = store.apply([set(namespace('n'))]).snapshot;
    const update = store.apply([
      set(namespace('n', '2')),
      { type: 'delete', kind: 'Namespace', key: 'n' },
      set(namespace('n')),
    ]);
    expect(update.changed).toEqual([]);
    expect(update.snapshot).toBe(before);
  });

  test('a snapshot once handed out stays as it was, and untouched kinds are shared', () => {
    const store = new SnapshotStore();
    const before = store.apply([set(slice('a', 's')), set(namespace('n'))]).snapshot;
    const after = store.apply([set(slice('b', 's'))]).snapshot;
    expect([...before.objects.EndpointSlice.keys()]).toEqual(['ns/a']);
    expect(before.slicesByService.get('ns/s')).toHaveLength(1);
    expect(after.slicesByService.get('ns/s')?.map(({ meta: { name } }) => name)).toEqual(['a', 'b']);
    expect(after.objects.Namespace).toBe(before.objects.Namespace);
  });

  test('a slice that moves to another Service leaves the first, and one without a Service has no group', () => {
    const store = new SnapshotStore();
    store.apply([set(slice('a', 's')), set(slice('b', ''))]);
    const { snapshot } = store.apply([set(slice('a', 't', '2'))]);
    expect([...snapshot.slicesByService.keys()]).toEqual(['ns/t']);
  });

  test('any sequence of batches ends where a store made at once ends', () => {
    const change = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      service: fc.constantFrom('s', 't', ''),
      version: fc.integer({ min: 1, max: 3 }),
      gone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 8 }), (batches) => {
        const store = new SnapshotStore();
        const expected = new Map<string, EndpointSlice>();
        for (const batch of batches) {
          const before = new Map(expected);
          const changes = batch.map(({ name, service, version, gone }): StoreChange => {
            // The version stands for the content, as it does in a cluster.
            const object = slice(name, service, `${version}${service}`);
            const key = objectKey(object.meta);
            if (gone) expected.delete(key);
            else expected.set(key, object);
            return gone ? { type: 'delete', kind: 'EndpointSlice', key } : set(object);
          });
          const versionIn = (map: typeof before, key: string): string | undefined =>
            map.get(key)?.meta.resourceVersion;
          const differing = ['ns/a', 'ns/b', 'ns/c', 'ns/d'].filter(
            (key) => versionIn(before, key) !== versionIn(expected, key),
          );
          expect(
            store
              .apply(changes)
              .changed.map(({ key }) => key)
              .sort(),
          ).toEqual(differing);
        }
        const rebuilt = createSnapshot(expected.values());
        expect(new Map(store.snapshot.objects.EndpointSlice)).toEqual(new Map(rebuilt.objects.EndpointSlice));
        expect(new Map(store.snapshot.slicesByService)).toEqual(new Map(rebuilt.slicesByService));
      }),
      { numRuns: 500 },
    );
  });
});
