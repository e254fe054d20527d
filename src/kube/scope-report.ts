import type { ObjectKey } from '../model/object-meta.ts';
import { KnownObjects } from './known-objects.ts';
import { isRecord, readRaw } from './project-object.ts';
import type { ObjectEvent, StallReason } from './reflector-events.ts';
import type { ReflectorOptions } from './reflector-options.ts';
import type { WatchEvent } from './watch-events.ts';

/** What the sink was told of a scope so far, and how it is told more. Nothing is told once `stopped` is aborted. */
export class ScopeReport {
  readonly #options: ReflectorOptions;
  readonly #known: KnownObjects;
  readonly #stopped: AbortSignal;
  #stall: StallReason | undefined;

  constructor(options: ReflectorOptions, stopped: AbortSignal) {
    this.#options = options;
    this.#known = new KnownObjects(options.scope.resource.kind);
    this.#stopped = stopped;
  }

  get size(): number {
    return this.#known.size;
  }

  keys(): Iterable<ObjectKey> {
    return this.#known.keys();
  }

  /** Items of a list; those that are there are taken out of `gone`. False: one of them is no object of this scope. */
  takeItems(items: readonly unknown[], gone: Set<ObjectKey>): boolean {
    return this.#batch((events) => {
      for (const item of items) {
        const raw = readRaw(this.#options.scope.resource.kind, item);
        if (raw === undefined) return false;
        gone.delete(raw.key);
        const event = this.#known.set(raw);
        if (event !== undefined) events.push(event);
      }
      return true;
    });
  }

  /** Events of a watch, and the version after each. False: one of them is about no object of this scope. */
  takeEvents(watched: readonly WatchEvent[], onVersion: (version: string) => void): boolean {
    return this.#batch((events) => {
      for (const { type, object } of watched) {
        const version = type === 'BOOKMARK' ? versionOf(object) : this.#takeEvent(type, object, events);
        if (version === undefined) return false;
        onVersion(version);
      }
      return true;
    });
  }

  remove(keys: Iterable<ObjectKey>): void {
    this.#batch((events) => {
      for (const key of keys) {
        const event = this.#known.deleteKey(key);
        if (event !== undefined) events.push(event);
      }
      return true;
    });
  }

  /** See KnownObjects.restored. */
  restored(): void {
    this.#known.restored();
  }

  synced(): void {
    if (!this.#stopped.aborted) this.#options.sink.synced();
  }

  /** The same reason twice is told once. */
  stall(reason: StallReason | undefined): void {
    if (this.#stopped.aborted) return;
    if (reason?.kind === this.#stall?.kind && reason?.message === this.#stall?.message) return;
    this.#stall = reason;
    this.#options.sink.stalled(reason);
  }

  /** The objects are no longer counted. */
  close(): void {
    this.#options.metrics?.objects(this.#options.scope.resource.kind, -this.#known.size);
  }

  #takeEvent(
    type: 'ADDED' | 'MODIFIED' | 'DELETED',
    object: Record<string, unknown>,
    events: ObjectEvent[],
  ): string | undefined {
    const raw = readRaw(this.#options.scope.resource.kind, object);
    if (raw === undefined) return undefined;
    const event = type === 'DELETED' ? this.#known.delete(raw) : this.#known.set(raw);
    if (event !== undefined) events.push(event);
    return raw.resourceVersion;
  }

  /** Tells the events that `run` collects, even when it gave up in the middle: they happened. */
  #batch(run: (events: ObjectEvent[]) => boolean): boolean {
    const { metrics, scope, sink } = this.#options;
    const before = this.#known.size;
    const events: ObjectEvent[] = [];
    const sound = run(events);
    const { kind } = scope.resource;
    if (this.#known.size !== before) metrics?.objects(kind, this.#known.size - before);
    metrics?.heard(kind);
    if (events.length > 0 && !this.#stopped.aborted) sink.changed(events);
    return sound;
  }
}

function versionOf(object: Record<string, unknown>): string | undefined {
  const metadata = object['metadata'];
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  return typeof version === 'string' && version !== '' ? version : undefined;
}
