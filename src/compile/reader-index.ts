/** Which fragments looked up which objects. */
export class ReaderIndex {
  readonly #readers = new Map<string, Set<string>>();

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
      const readers = this.#readers.get(read) ?? new Set<string>();
      this.#readers.set(read, readers.add(fragment));
    }
  }

  #forget(read: string, fragment: string): void {
    const readers = this.#readers.get(read);
    readers?.delete(fragment);
    if (readers?.size === 0) this.#readers.delete(read);
  }
}
