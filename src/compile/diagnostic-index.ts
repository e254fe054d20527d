import type { Diagnostic, ObjectRef } from '../diagnostics/diagnostic.ts';
import { PersistentMap } from '../util/persistent-map.ts';

/** `kind/namespace/name` → the object's diagnostics, in order of path, code and message. Objects without any are absent. */
export type DiagnosticsByObject = ReadonlyMap<string, readonly Diagnostic[]>;

/** Names an object among the diagnostics. */
function diagnosticKey({ kind, namespace, name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

/** Diagnostics by source, so that each source replaces its own and no other's. */
export class DiagnosticIndex {
  /** Object → source → diagnostics. */
  readonly #sources = new Map<string, Map<string, readonly Diagnostic[]>>();
  /** Source → objects that it reported on. */
  readonly #objects = new Map<string, ReadonlySet<string>>();
  #current = PersistentMap.empty<readonly Diagnostic[]>();
  #touched = new Set<string>();

  /** Replaces everything that a source said before. */
  replace(source: string, diagnostics: readonly Diagnostic[]): void {
    for (const object of this.#objects.get(source) ?? []) this.#drop(object, source);
    this.#objects.delete(source);
    if (diagnostics.length === 0) return;
    const grouped = Map.groupBy(diagnostics, ({ object }) => diagnosticKey(object));
    for (const [object, list] of grouped) {
      const sources = this.#sources.get(object) ?? new Map<string, readonly Diagnostic[]>();
      this.#sources.set(object, sources.set(source, list));
      this.#touched.add(object);
    }
    this.#objects.set(source, new Set(grouped.keys()));
  }

  commit(): { readonly diagnostics: DiagnosticsByObject; readonly changed: ReadonlySet<string> } {
    const touched = this.#touched;
    this.#touched = new Set();
    const edit = this.#current.edit();
    const changed = new Set<string>();
    for (const object of touched) {
      const list = [...(this.#sources.get(object)?.values() ?? [])].flat().toSorted(byPlace);
      if (sameDiagnostics(list, edit.get(object) ?? [])) continue;
      changed.add(object);
      if (list.length > 0) edit.set(object, Object.freeze(list));
      else edit.delete(object);
    }
    if (changed.size > 0) this.#current = edit.finish();
    return { diagnostics: this.#current, changed };
  }

  #drop(object: string, source: string): void {
    const sources = this.#sources.get(object);
    sources?.delete(source);
    if (sources?.size === 0) this.#sources.delete(object);
    this.#touched.add(object);
  }
}

/** All diagnostics, in order of object, path, code and message. */
export function listDiagnostics(diagnostics: DiagnosticsByObject): readonly Diagnostic[] {
  return [...diagnostics.keys()].toSorted().flatMap((key) => diagnostics.get(key) ?? []);
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  const left = placeOf(a);
  const right = placeOf(b);
  return left < right ? -1 : Number(left > right);
}

/** Indices are padded, so that `rules[2]` comes before `rules[10]`. */
function placeOf({ path, code, message }: Diagnostic): string {
  return `${path.replaceAll(/\d+/g, (digits) => digits.padStart(5, '0'))}\n${code}\n${message}`;
}

function sameDiagnostics(a: readonly Diagnostic[], b: readonly Diagnostic[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ path, code, message, service }, index) => {
      const other = b[index];
      return (
        other?.path === path && other.code === code && other.message === message && other.service === service
      );
    })
  );
}
