import { PersistentMap } from '../util/persistent-map.ts';
import { DigestSum } from './digest-sum.ts';
import type { RouteTable, TableEntries, TablePart } from './route-table.ts';
import type { PartDelta, TableChanges } from './table-delta.ts';

/** A table that has no generation yet. */
export type TableContent = Omit<RouteTable, 'generation'>;

/**
 * Makes a sequence of tables, each from its predecessor: edits are gathered, `commit` applies them and tells what
 * differs. Tables that it made before stay as they are and share what did not change. Entries whose digest stays keep their identity.
 */
export class TableEditor {
  readonly #parts: { [P in TablePart]: PartEditor<TableEntries[P]> } = {
    routes: new PartEditor(),
    hosts: new PartEditor(),
    upstreams: new PartEditor(),
    endpoints: new PartEditor(),
    certificates: new PartEditor(),
    authorities: new PartEditor(),
  };
  readonly #sum = new DigestSum();

  /** Sets an entry, or removes it with undefined. The last edit of an id counts. */
  edit<P extends TablePart>(part: P, id: string, entry: TableEntries[P] | undefined): void {
    const editor: PartEditor<TableEntries[P]> = this.#parts[part];
    editor.pending.set(id, entry);
  }

  /** The entry as it will be after the next commit. */
  get<P extends TablePart>(part: P, id: string): TableEntries[P] | undefined {
    const editor: PartEditor<TableEntries[P]> = this.#parts[part];
    return editor.pending.has(id) ? editor.pending.get(id) : editor.current.get(id);
  }

  commit(): { readonly table: TableContent; readonly changes: TableChanges } {
    const changes: TableChanges = {
      routes: this.#parts.routes.commit(this.#sum),
      hosts: this.#parts.hosts.commit(this.#sum),
      upstreams: this.#parts.upstreams.commit(this.#sum),
      endpoints: this.#parts.endpoints.commit(this.#sum),
      certificates: this.#parts.certificates.commit(this.#sum),
      authorities: this.#parts.authorities.commit(this.#sum),
    };
    const { routes, hosts, upstreams, endpoints, certificates, authorities } = this.#parts;
    const table = {
      digest: this.#sum.toString(),
      routes: routes.current,
      hosts: hosts.current,
      upstreams: upstreams.current,
      endpoints: endpoints.current,
      certificates: certificates.current,
      authorities: authorities.current,
    };
    return { table: Object.freeze(table), changes };
  }
}

class PartEditor<T extends { readonly id: string; readonly digest: string }> {
  current = PersistentMap.empty<T>();
  readonly pending = new Map<string, T | undefined>();

  commit(sum: DigestSum): PartDelta<T> {
    const set: T[] = [];
    const removed: string[] = [];
    for (const [id, entry] of this.pending) {
      const old = this.current.get(id);
      if (old?.digest === entry?.digest) continue;
      if (old !== undefined) sum.toggle(old.digest);
      if (entry === undefined) {
        removed.push(id);
      } else {
        sum.toggle(entry.digest);
        set.push(entry);
      }
    }
    this.pending.clear();
    if (set.length > 0 || removed.length > 0) this.#apply(set, removed);
    return { set, removed };
  }

  #apply(set: readonly T[], removed: readonly string[]): void {
    const edit = this.current.edit();
    for (const id of removed) edit.delete(id);
    for (const entry of set) edit.set(entry.id, entry);
    this.current = edit.finish();
  }
}
