import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, FileLocation, ObjectRef } from '../diagnostics/diagnostic.ts';
import { SnapshotStore, objectKey } from '../model/snapshot-store.ts';
import type { StoreChange } from '../model/snapshot-store.ts';
import type { ModelObject, ObjectChange, Snapshot } from '../model/snapshot.ts';

import { duplicateOf, objectId } from './manifest-file.ts';
import type { LocatedObject, ManifestFile, UnreadObject } from './manifest-file.ts';

export interface DirectoryUpdate {
  readonly snapshot: Snapshot;
  readonly changed: readonly ObjectChange[];
  /** All that is wrong with the folder now, by file and line. */
  readonly diagnostics: readonly Diagnostic[];
}

/** A file as it is now; `file` is undefined when it is gone. */
export interface FileChange {
  readonly path: string;
  readonly file: ManifestFile | undefined;
}

/** All files together: which declaration of an object is in force, and what is wrong. Work follows the change. */
export class ManifestSet {
  readonly #store = new SnapshotStore();
  readonly #files = new Map<string, ManifestFile>();
  /** Object id → paths of the files that declare it. */
  readonly #owners = new Map<string, Set<string>>();
  /** Ids with more than one owner. */
  readonly #shared = new Set<string>();
  readonly #inForce = new Map<string, LocatedObject>();

  file(path: string): ManifestFile | undefined {
    return this.#files.get(path);
  }

  /** Where a field of the object in force was declared; without a path, the object. */
  locate(ref: ObjectRef, path = ''): FileLocation | undefined {
    return this.#inForce.get(objectId(ref))?.locate(path);
  }

  update(changes: readonly FileChange[]): DirectoryUpdate {
    const touched = new Set<string>();
    for (const { path, file } of changes) this.#replace(path, file, touched);
    const storeChanges: StoreChange[] = [];
    for (const id of touched) this.#settle(id, storeChanges);
    const { snapshot, changed } = this.#store.apply(storeChanges);
    return { snapshot, changed, diagnostics: this.#diagnostics() };
  }

  #replace(path: string, file: ManifestFile | undefined, touched: Set<string>): void {
    for (const id of this.#files.get(path)?.objects.keys() ?? []) {
      this.#owners.get(id)?.delete(path);
      touched.add(id);
    }
    for (const id of file?.objects.keys() ?? []) {
      this.#owners.getOrInsertComputed(id, () => new Set()).add(path);
      touched.add(id);
    }
    if (file === undefined) this.#files.delete(path);
    else this.#files.set(path, file);
  }

  /** Decides anew which declaration of an object is in force. */
  #settle(id: string, changes: StoreChange[]): void {
    const owners = this.#owners.get(id);
    const [first] = [...(owners ?? [])].sort();
    if (owners !== undefined && owners.size > 1) this.#shared.add(id);
    else this.#shared.delete(id);
    const winner = first === undefined ? undefined : this.#files.get(first)?.objects.get(id);
    if (winner !== undefined) {
      this.#inForce.set(id, winner);
      changes.push({ type: 'set', object: winner.object });
      return;
    }
    const gone = this.#inForce.get(id)?.object;
    this.#owners.delete(id);
    this.#inForce.delete(id);
    if (gone !== undefined) changes.push({ type: 'delete', kind: gone.kind, key: objectKey(gone.meta) });
  }

  #diagnostics(): readonly Diagnostic[] {
    const files = [...this.#files.values()];
    return [
      ...files.flatMap(({ diagnostics }) => diagnostics),
      ...[...this.#shared].flatMap((id) => this.#duplicates(id)),
      ...unreadKinds(files.flatMap(({ unread }) => unread)),
    ].sort(byLocation);
  }

  #duplicates(id: string): readonly Diagnostic[] {
    const inForce = this.#inForce.get(id);
    if (inForce === undefined) return [];
    return [...(this.#owners.get(id) ?? [])].flatMap((path) => {
      const located = this.#files.get(path)?.objects.get(id);
      if (located === undefined || located === inForce) return [];
      return [duplicateOf(refOf(inForce.object), inForce.location, located.location)];
    });
  }
}

function refOf({ kind, meta: { namespace, name } }: ModelObject): ObjectRef {
  return { kind, namespace, name };
}

/** One SP1003 a kind, at its first object. */
function unreadKinds(unread: readonly UnreadObject[]): readonly Diagnostic[] {
  const groups = Map.groupBy(unread, ({ name }) => name);
  return [...groups].map(([name, group]) => {
    const first = group.reduce((a, b) => (compareLocations(b.location, a.location) < 0 ? b : a));
    const count = group.length === 1 ? 'one object' : `${group.length} objects`;
    const message = `Left out ${count} of kind ${JSON.stringify(name)}, want a kind that Sallyport reads`;
    return { ...diagnose('SP1003', first.ref, 'kind', message), location: first.location };
  });
}

function byLocation(a: Diagnostic, b: Diagnostic): number {
  if (a.location === undefined || b.location === undefined) return 0;
  return compareLocations(a.location, b.location);
}

function compareLocations(a: FileLocation, b: FileLocation): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line;
}
