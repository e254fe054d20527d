/** What an entry costs beyond its bytes (RFC 7541 §4.1). */
const ENTRY_OVERHEAD_BYTES = 32;

/** The dynamic table of one direction of a connection (RFC 7541 §2.3.2, §4): newest entry first, oldest evicted first. */
export class DynamicTable {
  /** A ring: entry number `n` (counted from the first ever added) lies at `n & mask`. */
  #names: (string | undefined)[] = emptySlots(64);
  #values: (string | undefined)[] = emptySlots(64);
  #added = 0;
  #evicted = 0;
  #sizeBytes = 0;
  #maxBytes: number;
  readonly #onEvict: ((name: string, value: string, number: number) => void) | undefined;

  /** `onEvict` is told the entry and its number. */
  constructor(maxBytes: number, onEvict?: (name: string, value: string, number: number) => void) {
    this.#maxBytes = maxBytes;
    this.#onEvict = onEvict;
  }

  get length(): number {
    return this.#added - this.#evicted;
  }

  /** Entries that were ever added: the number of the next one. */
  get added(): number {
    return this.#added;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Evicts what no longer fits. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evictDownTo(maxBytes);
  }

  /** `index` counts from 0, the newest. The caller checks it against `length`. */
  name(index: number): string {
    return this.#names[this.#place(index)] as string;
  }

  value(index: number): string {
    return this.#values[this.#place(index)] as string;
  }

  /** Whether an entry of these lengths would stay. */
  fits(name: string, value: string): boolean {
    return entrySize(name, value) <= this.#maxBytes;
  }

  /** An entry that is larger than the table empties it (§4.4). */
  add(name: string, value: string): void {
    const size = entrySize(name, value);
    this.#evictDownTo(this.#maxBytes - size);
    if (size > this.#maxBytes) return;
    if (this.length === this.#names.length) this.#grow();
    const at = this.#added++ & (this.#names.length - 1);
    this.#names[at] = name;
    this.#values[at] = value;
    this.#sizeBytes += size;
  }

  #place(index: number): number {
    return (this.#added - 1 - index) & (this.#names.length - 1);
  }

  #evictDownTo(bytes: number): void {
    while (this.#sizeBytes > bytes && this.length > 0) {
      const number = this.#evicted++;
      const at = number & (this.#names.length - 1);
      const [name, value] = [this.#names[at] as string, this.#values[at] as string];
      // The ring must not hold on to what left it.
      this.#names[at] = undefined;
      this.#values[at] = undefined;
      this.#sizeBytes -= entrySize(name, value);
      this.#onEvict?.(name, value, number);
    }
  }

  #grow(): void {
    const [names, values] = [this.#names, this.#values];
    const size = names.length * 2;
    this.#names = emptySlots(size);
    this.#values = emptySlots(size);
    for (let number = this.#evicted; number < this.#added; number++) {
      this.#names[number & (size - 1)] = names[number & (size / 2 - 1)];
      this.#values[number & (size - 1)] = values[number & (size / 2 - 1)];
    }
  }
}

/** Texts are latin1: a character is a byte. */
export function entrySize(name: string, value: string): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES;
}

function emptySlots(count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => undefined);
}
