import { isDeepStrictEqual } from 'node:util';

import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { ObjectKey } from '../model/object-meta.ts';
import { SnapshotStore, objectKey } from '../model/snapshot-store.ts';
import type { StoreChange, StoreUpdate } from '../model/snapshot-store.ts';
import type { Kind, ModelObject, Snapshot } from '../model/snapshot.ts';
import { ObservedStatus, isReported } from './observed-status.ts';
import type { ObjectEvent, ObjectIdentity } from './reflector-events.ts';

/** An object that is there and cannot be used. */
interface Refusal {
  readonly identity: ObjectIdentity;
  readonly diagnostics: readonly Diagnostic[];
}

/** What reflectors tell, gathered until it is applied to the store at once. */
export class IncomingChanges {
  readonly status = new ObservedStatus();
  readonly #store = new SnapshotStore();
  /** The last word on each object since the last `apply`. */
  readonly #pending = new Map<string, StoreChange>();
  readonly #refusals = new Map<string, Refusal>();
  #refusalsChanged = false;

  get snapshot(): Snapshot {
    return this.#store.snapshot;
  }

  take(changes: readonly ObjectEvent[]): void {
    for (const change of changes) {
      if (change.type === 'set') this.#set(change.object, change.status);
      else if (change.type === 'delete') this.#delete(change.kind, change.key);
      else this.#refuse(change);
    }
  }

  /** Makes one snapshot of everything since the last time. */
  apply(): StoreUpdate {
    const update = this.#store.apply(this.#pending.values());
    this.#pending.clear();
    return update;
  }

  /** Whether `diagnostics` changed since this was asked the last time. */
  takeNews(): boolean {
    const changed = this.#refusalsChanged;
    this.#refusalsChanged = false;
    return changed;
  }

  /** Everything wrong with objects that are there and cannot be used. */
  *diagnostics(): Generator<Diagnostic> {
    for (const { diagnostics } of this.#refusals.values()) yield* diagnostics;
  }

  /** Of an object that cannot be used; undefined for all others. */
  refused(kind: Kind, key: ObjectKey): ObjectIdentity | undefined {
    return this.#refusals.get(`${kind}/${key}`)?.identity;
  }

  #set(object: ModelObject, status: unknown): void {
    const key = objectKey(object.meta);
    const id = `${object.kind}/${key}`;
    this.#accept(id);
    // A write of status changes nothing that is read here, and must not have anything compiled again.
    if (!this.#pending.has(id)) {
      const known = this.#store.snapshot.objects[object.kind].get(key);
      if (known === undefined || !sameContent(known, object)) this.#pending.set(id, { type: 'set', object });
    } else {
      this.#pending.set(id, { type: 'set', object });
    }
    if (isReported(object.kind)) this.status.seen(object.kind, key, status);
  }

  #delete(kind: Kind, key: ObjectKey): void {
    const id = `${kind}/${key}`;
    this.#accept(id);
    this.#pending.set(id, { type: 'delete', kind, key });
    if (isReported(kind)) this.status.seen(kind, key, undefined);
  }

  #refuse({ kind, key, diagnostics, identity, status }: ObjectEvent & { readonly type: 'refused' }): void {
    const id = `${kind}/${key}`;
    // A write of its status is no news here either: with thousands of such objects there is one for each of them.
    if (!isDeepStrictEqual(this.#refusals.get(id), { identity, diagnostics })) {
      this.#refusals.set(id, { identity, diagnostics });
      this.#refusalsChanged = true;
    }
    if (isReported(kind)) this.status.seen(kind, key, status);
    // Another object of the same name: what the one before it said is no longer anybody's wish.
    const known = this.#known(id, kind, key);
    if (known !== undefined && known.meta.uid !== identity.uid) {
      this.#pending.set(id, { type: 'delete', kind, key });
    }
  }

  #known(id: string, kind: Kind, key: ObjectKey): ModelObject | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return this.#store.snapshot.objects[kind].get(key);
    return pending.type === 'set' ? pending.object : undefined;
  }

  #accept(id: string): void {
    if (this.#refusals.delete(id)) this.#refusalsChanged = true;
  }
}

/** Whether two versions of an object say the same. */
function sameContent(known: ModelObject, object: ModelObject): boolean {
  if (known.meta.uid !== object.meta.uid) return false;
  if (known.meta.resourceVersion === object.meta.resourceVersion) return true;
  const { resourceVersion } = known.meta;
  return isDeepStrictEqual(known, { ...object, meta: { ...object.meta, resourceVersion } });
}
