import { PersistentMap } from '../util/persistent-map.ts';
import type { PersistentMapEdit } from '../util/persistent-map.ts';
import { kinds } from './kinds.ts';
import type { ObjectKey, ObjectMeta } from './object-meta.ts';
import type { EndpointSlice } from './service.ts';
import type { Kind, ModelObject, ObjectChange, Snapshot } from './snapshot.ts';

/** What a source tells the store: an object as it is now, or that it is gone. */
export type StoreChange =
  | { readonly type: 'set'; readonly object: ModelObject }
  | { readonly type: 'delete'; readonly kind: Kind; readonly key: ObjectKey };

export interface StoreUpdate {
  /** The same snapshot as before when nothing changed. */
  readonly snapshot: Snapshot;
  /** Each object that differs, once. */
  readonly changed: readonly ObjectChange[];
}

/** Identity within a kind: `namespace/name`, or `name` without a namespace. */
export function objectKey({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): ObjectKey {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** A snapshot made at once. A later object of the same kind and key replaces an earlier one. */
export function createSnapshot(objects: Iterable<ModelObject>): Snapshot {
  return new SnapshotStore().apply([...objects].map((object) => ({ type: 'set', object }))).snapshot;
}

/**
 * The newest snapshot and how to get to the next one. Snapshots are never changed: the next one shares all but the parts
 * of its maps that a batch touches, so a change costs the same among ten objects and among ten thousand.
 */
export class SnapshotStore {
  #snapshot: Snapshot = emptySnapshot();

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /**
   * Applies a batch in order. An object whose uid and resourceVersion are the stored ones is no change; one that a
   * batch changes and changes back is none either.
   */
  apply(changes: Iterable<StoreChange>): StoreUpdate {
    const batch = new Batch(this.#snapshot);
    for (const change of changes) {
      if (change.type === 'set') batch.set(change.object);
      else batch.delete(change.kind, change.key);
    }
    const changed = batch.changed();
    if (changed.length > 0) this.#snapshot = batch.finish(changed);
    return { snapshot: this.#snapshot, changed };
  }
}

type ObjectMap = PersistentMap<ModelObject>;

class Batch {
  readonly #before: Snapshot;
  readonly #edits = new Map<Kind, PersistentMapEdit<ModelObject>>();
  readonly #touched = new Map<Kind, Set<ObjectKey>>();

  constructor(before: Snapshot) {
    this.#before = before;
  }

  set(object: ModelObject): void {
    const key = objectKey(object.meta);
    if (sameVersion(this.#current(object.kind).get(key), object)) return;
    const known = this.#before.objects[object.kind].get(key);
    // Back to what it was: the old object itself, so that whoever memoises by identity keeps what it has.
    this.#edit(object.kind, key).set(key, known !== undefined && sameVersion(known, object) ? known : object);
  }

  delete(kind: Kind, key: ObjectKey): void {
    if (this.#current(kind).get(key) !== undefined) this.#edit(kind, key).delete(key);
  }

  changed(): readonly ObjectChange[] {
    const changed: ObjectChange[] = [];
    for (const [kind, keys] of this.#touched) {
      const before = this.#mapOf(kind);
      for (const key of keys) {
        if (before.get(key) !== this.#current(kind).get(key)) changed.push({ kind, key });
      }
    }
    return changed;
  }

  finish(changed: readonly ObjectChange[]): Snapshot {
    const edited = [...this.#edits].map(([kind, edit]) => [kind, edit.finish()]);
    const objects = { ...this.#before.objects, ...Object.fromEntries(edited) } as Snapshot['objects'];
    const touchedSlices = changed.filter(({ kind }) => kind === 'EndpointSlice').map(({ key }) => key);
    const slicesByService =
      touchedSlices.length === 0 ? this.#before.slicesByService : this.#regroup(touchedSlices, objects);
    return Object.freeze({ objects: Object.freeze(objects), slicesByService });
  }

  /** Takes the touched slices out of their old groups and puts them into their new ones. */
  #regroup(
    keys: readonly ObjectKey[],
    { EndpointSlice: after }: Snapshot['objects'],
  ): ReadonlyMap<string, readonly EndpointSlice[]> {
    const { EndpointSlice: before } = this.#before.objects;
    const touched = new Set(keys);
    const added = new Map<string, EndpointSlice[]>();
    const groups = (this.#before.slicesByService as PersistentMap<readonly EndpointSlice[]>).edit();
    for (const key of keys) {
      const [old, slice] = [before.get(key), after.get(key)];
      if (old !== undefined && old.service !== '') added.getOrInsert(serviceOf(old), []);
      if (slice !== undefined && slice.service !== '') added.getOrInsert(serviceOf(slice), []).push(slice);
    }
    for (const [service, slices] of added) {
      const kept = (groups.get(service) ?? []).filter(({ meta }) => !touched.has(objectKey(meta)));
      const group = [...kept, ...slices].sort(byName);
      if (group.length === 0) groups.delete(service);
      else groups.set(service, Object.freeze(group));
    }
    return groups.finish();
  }

  #current(kind: Kind): Pick<ObjectMap, 'get'> {
    return this.#edits.get(kind) ?? this.#mapOf(kind);
  }

  /** Every map of a snapshot is made here. */
  #mapOf(kind: Kind): ObjectMap {
    return this.#before.objects[kind] as ObjectMap;
  }

  #edit(kind: Kind, key: ObjectKey): PersistentMapEdit<ModelObject> {
    let edit = this.#edits.get(kind);
    if (edit === undefined) {
      edit = this.#mapOf(kind).edit();
      this.#edits.set(kind, edit);
      this.#touched.set(kind, new Set());
    }
    this.#touched.get(kind)?.add(key);
    return edit;
  }
}

function emptySnapshot(): Snapshot {
  const objects = Object.fromEntries(
    kinds.map((kind) => [kind, PersistentMap.empty()]),
  ) as unknown as Snapshot['objects'];
  return Object.freeze({
    objects: Object.freeze(objects),
    slicesByService: PersistentMap.empty<readonly EndpointSlice[]>(),
  });
}

function sameVersion(known: ModelObject | undefined, object: ModelObject): boolean {
  return known?.meta.uid === object.meta.uid && known.meta.resourceVersion === object.meta.resourceVersion;
}

function serviceOf(slice: EndpointSlice): string {
  return `${slice.meta.namespace}/${slice.service}`;
}

function byName(a: EndpointSlice, b: EndpointSlice): number {
  if (a.meta.name === b.meta.name) return 0;
  return a.meta.name < b.meta.name ? -1 : 1;
}
