/** Waiting items by group: groups take turns, and within one who came first goes first. */
export class TurnQueue<T> {
  /** The group whose turn it is comes first. */
  readonly #groups = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(group: string, item: T): void {
    const items = this.#groups.getOrInsertComputed(group, () => new Set());
    if (!items.has(item)) this.#size++;
    items.add(item);
  }

  delete(group: string, item: T): void {
    const items = this.#groups.get(group);
    if (items?.delete(item) !== true) return;
    this.#size--;
    if (items.size === 0) this.#groups.delete(group);
  }

  /** Gives up the item of the largest group that has waited longest. */
  dropFromLargest(): void {
    let largest: readonly [string, Set<T>] | undefined;
    for (const group of this.#groups) if (group[1].size > (largest?.[1].size ?? 0)) largest = group;
    if (largest === undefined) return;
    for (const item of largest[1]) return this.delete(largest[0], item);
  }

  /** The next item, which is then no longer in it. */
  take(): T | undefined {
    const [turn] = this.#groups;
    if (turn === undefined) return undefined;
    const [group, items] = turn;
    const [item] = items;
    this.#groups.delete(group);
    if (item !== undefined && items.delete(item)) this.#size--;
    if (items.size > 0) this.#groups.set(group, items);
    return item;
  }

  clear(): void {
    this.#groups.clear();
    this.#size = 0;
  }
}
