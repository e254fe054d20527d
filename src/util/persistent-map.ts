const SHARDS = 256;
const noEntries: ReadonlyMap<string, never> = new Map<string, never>();

/**
 * An immutable map from strings whose next version shares what did not change: 256 shards, of which an edit copies those
 * that it touches. At 10,000 entries one change copies a few hundred of them at most, where a Map would copy all.
 * Iterates by shard, not in order of insertion.
 */
export class PersistentMap<V> implements ReadonlyMap<string, V> {
  readonly #shards: readonly ReadonlyMap<string, V>[];
  readonly size: number;

  private constructor(shards: readonly ReadonlyMap<string, V>[], size: number) {
    this.#shards = shards;
    this.size = size;
  }

  static empty<V>(): PersistentMap<V> {
    return new PersistentMap<V>(
      Array.from({ length: SHARDS }, () => noEntries),
      0,
    );
  }

  get(key: string): V | undefined {
    return this.#shard(key).get(key);
  }

  has(key: string): boolean {
    return this.#shard(key).has(key);
  }

  /** Starts an edit; this map stays as it is. */
  edit(): PersistentMapEdit<V> {
    return new PersistentMapEdit(this.#shards, this.size, (shards, size) => new PersistentMap(shards, size));
  }

  *entries(): MapIterator<[string, V]> {
    for (const shard of this.#shards) yield* shard.entries();
  }

  *keys(): MapIterator<string> {
    for (const shard of this.#shards) yield* shard.keys();
  }

  *values(): MapIterator<V> {
    for (const shard of this.#shards) yield* shard.values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(callback: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this) callback(value, key, this);
  }

  #shard(key: string): ReadonlyMap<string, V> {
    return this.#shards[shardOf(key)] ?? noEntries;
  }
}

/** Changes to one version of a map, readable while they are made. `finish` ends it. */
export class PersistentMapEdit<V> {
  readonly #shards: ReadonlyMap<string, V>[];
  readonly #own = new Map<number, Map<string, V>>();
  readonly #make: (shards: readonly ReadonlyMap<string, V>[], size: number) => PersistentMap<V>;
  #size: number;

  constructor(
    shards: readonly ReadonlyMap<string, V>[],
    size: number,
    make: (shards: readonly ReadonlyMap<string, V>[], size: number) => PersistentMap<V>,
  ) {
    this.#shards = shards.slice();
    this.#size = size;
    this.#make = make;
  }

  get(key: string): V | undefined {
    return this.#shards[shardOf(key)]?.get(key);
  }

  set(key: string, value: V): void {
    const shard = this.#writable(key);
    if (!shard.has(key)) this.#size++;
    shard.set(key, value);
  }

  delete(key: string): boolean {
    if (this.#shards[shardOf(key)]?.has(key) !== true) return false;
    this.#size--;
    return this.#writable(key).delete(key);
  }

  /** The edited map. The edit must not be used afterwards: it would write into that map. */
  finish(): PersistentMap<V> {
    return this.#make(this.#shards, this.#size);
  }

  #writable(key: string): Map<string, V> {
    const place = shardOf(key);
    const own = this.#own.get(place);
    if (own !== undefined) return own;
    const copy = new Map(this.#shards[place]);
    this.#own.set(place, copy);
    this.#shards[place] = copy;
    return copy;
  }
}

const SAMPLES = 8;

/**
 * The shard of a key, from its length and eight characters spread over it: on the path of every request a hash of the whole
 * key would cost more than the lookup. Keys that only differ elsewhere share a shard, which makes edits slower, not lookups.
 */
function shardOf(key: string): number {
  const { length } = key;
  let hash = length;
  for (let sample = 0; sample < SAMPLES; sample++) {
    hash = Math.imul(hash ^ key.charCodeAt((sample * length) >> 3), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) & (SHARDS - 1);
}
