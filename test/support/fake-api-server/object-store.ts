import { randomUUID } from 'node:crypto';

/** Any JSON object of an API server. */
export type Json = Record<string, unknown>;

export interface StoredObject extends Json {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
  } & Json;
}

/** Where an object is kept: a collection (`/apis/networking.k8s.io/v1/ingresses`), a namespace and a name. */
export interface Place {
  readonly collection: string;
  /** '' for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
}

export interface StoredEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly place: Place;
  /** After it; of a deletion too. */
  readonly version: number;
  readonly object: StoredObject;
}

/** Everything at one moment, to come back to. */
export interface Backup {
  readonly version: number;
  readonly objects: ReadonlyMap<string, { readonly place: Place; readonly object: StoredObject }>;
}

/** Objects with versions and a history of events, like etcd behind an API server. */
export class ObjectStore {
  #version = 100;
  #objects = new Map<string, { readonly place: Place; readonly object: StoredObject }>();
  #history: StoredEvent[] = [];
  /** Events up to this version are forgotten. */
  #compactedTo = 0;
  readonly #listeners = new Set<(event: StoredEvent) => void>();

  get version(): number {
    return this.#version;
  }

  get compactedTo(): number {
    return this.#compactedTo;
  }

  read(place: Place): StoredObject | undefined {
    return this.#objects.get(keyOf(place))?.object;
  }

  /** Sorted by namespace and name, as etcd keeps them. An empty namespace stands for all. */
  list(collection: string, namespace: string): readonly StoredObject[] {
    return [...this.#objects.entries()]
      .filter(([, { place }]) => place.collection === collection)
      .filter(([, { place }]) => namespace === '' || place.namespace === namespace)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { object }]) => object);
  }

  /** Creates or replaces; uid and creation stay, the generation counts changes beside metadata and status. */
  write(place: Place, object: Json): StoredObject {
    const before = this.read(place);
    const metadata = (object['metadata'] ?? {}) as Json;
    this.#version += 1;
    const stored = {
      ...object,
      metadata: {
        ...metadata,
        name: place.name,
        ...(place.namespace === '' ? {} : { namespace: place.namespace }),
        uid: before?.metadata.uid ?? metadata['uid'] ?? randomUUID(),
        creationTimestamp: before?.metadata['creationTimestamp'] ?? '2026-01-01T00:00:00Z',
        generation: generationOf(before, object),
        resourceVersion: String(this.#version),
      },
    } as unknown as StoredObject;
    this.#objects.set(keyOf(place), { place, object: stored });
    this.#record(before === undefined ? 'ADDED' : 'MODIFIED', place, stored);
    return stored;
  }

  remove(place: Place): StoredObject | undefined {
    const before = this.read(place);
    if (before === undefined) return undefined;
    this.#objects.delete(keyOf(place));
    this.#version += 1;
    const metadata = { ...before.metadata, resourceVersion: String(this.#version) };
    const last = { ...before, metadata };
    this.#record('DELETED', place, last);
    return last;
  }

  /** Makes the version grow as if somebody had written another kind. */
  passVersions(count: number): void {
    this.#version += count;
  }

  /** Events after a version; undefined when some of them are forgotten. */
  since(version: number): readonly StoredEvent[] | undefined {
    if (version < this.#compactedTo) return undefined;
    return this.#history.filter((event) => event.version > version);
  }

  /** Forgets all events so far. */
  compact(): void {
    this.#compactedTo = this.#version;
    this.#history = [];
  }

  onEvent(listener: (event: StoredEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  backup(): Backup {
    return { version: this.#version, objects: new Map(this.#objects) };
  }

  /** The state of the backup with its version, as after restoring etcd: no event tells of it. */
  restore({ version, objects }: Backup): void {
    this.#version = version;
    this.#objects = new Map(objects);
    this.#history = [];
    this.#compactedTo = version;
  }

  #record(type: StoredEvent['type'], place: Place, object: StoredObject): void {
    const event = { type, place, object, version: this.#version };
    this.#history.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}

function generationOf(before: StoredObject | undefined, object: Json): number {
  if (before === undefined) return 1;
  const same = contentOf(before) === contentOf(object);
  return before.metadata.generation + (same ? 0 : 1);
}

function contentOf({ metadata: _metadata, status: _status, ...content }: Json): string {
  return JSON.stringify(content);
}

function keyOf({ collection, namespace, name }: Place): string {
  return `${collection}\n${namespace}\n${name}`;
}
