/** Kinds that a source reads by name and only because something refers to them. */
const fetchedKinds = ['Secret/', 'ConfigMap/'] as const;

/** Which fragments looked up which objects. */
export class ReaderIndex {
  readonly #readers = new Map<string, Set<string>>();
  readonly #fetched = new Set<string>();
  #references: ReadonlySet<string> = new Set();
  #referencesChanged = false;

  /** Dependency keys of the Secrets and ConfigMaps that some fragment looks up; the same set while none comes or goes. */
  get references(): ReadonlySet<string> {
    if (this.#referencesChanged) this.#references = new Set(this.#fetched);
    this.#referencesChanged = false;
    return this.#references;
  }

  /** Dependency key → fragments that looked it up. */
  of(read: string): Iterable<string> {
    return this.#readers.get(read) ?? [];
  }

  /** A fragment now reads `after` where it read `before`. */
  replace(fragment: string, before: ReadonlySet<string>, after: ReadonlySet<string>): void {
    for (const read of before) {
      if (!after.has(read)) this.#forget(read, fragment);
    }
    for (const read of after) {
      const readers = this.#readers.get(read);
      if (readers !== undefined) {
        readers.add(fragment);
        continue;
      }
      this.#readers.set(read, new Set([fragment]));
      if (!isFetched(read)) continue;
      this.#fetched.add(read);
      this.#referencesChanged = true;
    }
  }

  #forget(read: string, fragment: string): void {
    const readers = this.#readers.get(read);
    readers?.delete(fragment);
    if (readers?.size !== 0) return;
    this.#readers.delete(read);
    if (this.#fetched.delete(read)) this.#referencesChanged = true;
  }
}

function isFetched(read: string): boolean {
  return fetchedKinds.some((kind) => read.startsWith(kind));
}
