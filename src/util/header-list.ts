/** Room for a few fields from the start: growing three arrays from nothing costs more than filling them. */
function emptyPlaces(): string[] {
  return ['', '', '', '', '', '', '', ''];
}

/**
 * Header fields in the order received, names with their case. Lookups go by lower-case name.
 * One list is reused for all messages of a connection. The arrays are parallel and only valid below `length`: they never
 * shrink, because shortening an array costs more than all else that is done to a list.
 * Values are latin1 text: one character a byte.
 */
export class HeaderList {
  /** As it is written on the wire. */
  readonly names: string[] = emptyPlaces();
  readonly lower: string[] = emptyPlaces();
  readonly values: string[] = emptyPlaces();
  /** Number of fields. */
  length = 0;

  clear(): void {
    this.length = 0;
  }

  /** Appends a field whose lower-case name is known. */
  push(name: string, lower: string, value: string): void {
    const index = this.length++;
    this.names[index] = name;
    this.lower[index] = lower;
    this.values[index] = value;
  }

  append(name: string, value: string): void {
    this.push(name, name.toLowerCase(), value);
  }

  get(lowerName: string): string | undefined {
    const index = this.indexOf(lowerName);
    return index < 0 ? undefined : this.values[index];
  }

  getAll(lowerName: string): readonly string[] {
    const found: string[] = [];
    for (let index = 0; index < this.length; index++) {
      if (this.lower[index] === lowerName) found.push(this.values[index] as string);
    }
    return found;
  }

  has(lowerName: string): boolean {
    return this.indexOf(lowerName) >= 0;
  }

  /** Place of the first field of this name, counted from `from` on; -1 when there is none. */
  indexOf(lowerName: string, from = 0): number {
    const { lower, length } = this;
    for (let index = from; index < length; index++) {
      if (lower[index] === lowerName) return index;
    }
    return -1;
  }

  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    const first = this.indexOf(lower);
    if (first < 0) {
      this.push(name, lower, value);
      return;
    }
    this.names[first] = name;
    this.values[first] = value;
    this.#removeFrom(first + 1, lower);
  }

  remove(lowerName: string): void {
    this.#removeFrom(0, lowerName);
  }

  /** Name (as on the wire) and value of each field, in order. For tests and displays. */
  entries(): (readonly [name: string, value: string])[] {
    const entries: (readonly [string, string])[] = [];
    for (let index = 0; index < this.length; index++) {
      entries.push([this.names[index] as string, this.values[index] as string]);
    }
    return entries;
  }

  /** Moves a field down to an earlier place, for filtering in place; `truncate` ends such a pass. */
  place(from: number, to: number): void {
    if (from === to) return;
    this.names[to] = this.names[from] as string;
    this.lower[to] = this.lower[from] as string;
    this.values[to] = this.values[from] as string;
  }

  truncate(length: number): void {
    this.length = length;
  }

  #removeFrom(start: number, lowerName: string): void {
    let kept = start;
    for (let index = start; index < this.length; index++) {
      if (this.lower[index] !== lowerName) this.place(index, kept++);
    }
    this.length = kept;
  }
}
