/** Waiting items by group: groups take turns, and within one who came first goes first. */
export class TurnQueue<T> {
  /** The group whose turn it is comes first. */
  readonly #groups = new Map<string, Set<T>>();

  add(group: string, item: T): void {
    this.#groups.getOrInsertComputed(group, () => new Set()).add(item);
  }

  delete(group: string, item: T): void {
    const items = this.#groups.get(group);
    if (items?.delete(item) === true && items.size === 0) this.#groups.delete(group);
  }

  /** The next item, which is then no longer in it. */
  take(): T | undefined {
    const [turn] = this.#groups;
    if (turn === undefined) return undefined;
    const [group, items] = turn;
    const [item] = items;
    this.#groups.delete(group);
    if (item !== undefined) items.delete(item);
    if (items.size > 0) this.#groups.set(group, items);
    return item;
  }

  clear(): void {
    this.#groups.clear();
  }
}
