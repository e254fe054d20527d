/**
 * Header fields in the order received, names with their case. Lookups go by lower-case name.
 * One list is reused for all messages of a connection: `clear` keeps its arrays.
 * Values are latin1 text: one character a byte.
 */
export class HeaderList {
  /** As it is written on the wire. Parallel to `lower` and `values`. */
  readonly names: string[] = [];
  readonly lower: string[] = [];
  readonly values: string[] = [];

  get length(): number {
    return this.names.length;
  }

  clear(): void {
    this.truncate(0);
  }

  /** Appends a field whose lower-case name is known. */
  push(name: string, lower: string, value: string): void {
    this.names.push(name);
    this.lower.push(lower);
    this.values.push(value);
  }

  append(name: string, value: string): void {
    this.push(name, name.toLowerCase(), value);
  }

  get(lowerName: string): string | undefined {
    const index = this.lower.indexOf(lowerName);
    return index < 0 ? undefined : this.values[index];
  }

  getAll(lowerName: string): readonly string[] {
    return this.values.filter((_, index) => this.lower[index] === lowerName);
  }

  has(lowerName: string): boolean {
    return this.lower.includes(lowerName);
  }

  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    const first = this.lower.indexOf(lower);
    if (first < 0) {
      this.push(name, lower, value);
      return;
    }
    this.names[first] = name;
    this.values[first] = value;
    for (let index = this.length - 1; index > first; index--) {
      if (this.lower[index] === lower) this.removeAt(index);
    }
  }

  remove(lowerName: string): void {
    for (let index = this.length - 1; index >= 0; index--) {
      if (this.lower[index] === lowerName) this.removeAt(index);
    }
  }

  removeAt(index: number): void {
    this.names.splice(index, 1);
    this.lower.splice(index, 1);
    this.values.splice(index, 1);
  }

  /** Moves a field down to an earlier place, for filtering in place; `truncate` ends such a pass. */
  place(from: number, to: number): void {
    if (from === to) return;
    this.names[to] = this.names[from] as string;
    this.lower[to] = this.lower[from] as string;
    this.values[to] = this.values[from] as string;
  }

  /** By `pop`: setting `length` leaves the optimised code and gives the arrays' memory away. */
  truncate(length: number): void {
    const { names, lower, values } = this;
    for (let index = names.length; index > length; index--) {
      names.pop();
      lower.pop();
      values.pop();
    }
  }
}
