/** Items in order of when they are due, as a binary heap. `dueMs` must not change while an item is in it. */
export class DueHeap<T extends { readonly dueMs: number }> {
  readonly #items: T[] = [];

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let place = items.length;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || parent.dueMs <= item.dueMs) break;
      items[place] = parent;
      place = above;
    }
    items[place] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const right = left + 1;
      const lesser = (items[right]?.dueMs ?? Infinity) < (items[left]?.dueMs ?? Infinity) ? right : left;
      const child = items[lesser];
      if (child === undefined || child.dueMs >= last.dueMs) break;
      items[place] = child;
      place = lesser;
    }
    items[place] = last;
    return first;
  }
}
