import { objectKey } from '../model/snapshot-store.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { KubeClock } from './kube-clock.ts';
import { NamedObject, parseReference } from './named-object.ts';
import type { NamedObjectEvents } from './named-object.ts';
import type { StalledScope } from './read-faults.ts';
import type { ReflectorFactory } from './reflector-factory.ts';
import type { ObjectEvent } from './reflector-events.ts';
import { TurnQueue } from './turn-queue.ts';
import { describeScope } from './watch-plan.ts';

export interface ReferencedObjectsOptions {
  readonly createReflector: ReflectorFactory;
  readonly clock: KubeClock;
  /** Takes what is found, and deletes of what is referred to no more. Call `flushed` once it is handed out. */
  readonly changed: (changes: readonly ObjectEvent[]) => void;
  /** What `stalled` or `flushed` answer may have changed. */
  readonly noticed: () => void;
  /** Referred to whatever `fetch` is told. */
  readonly always?: ReadonlySet<string>;
  /** First look-ups at a time. Default 32. */
  readonly concurrency?: number;
  /** How long an API server may fail to answer for one object before it counts as looked up. Default 10 s. */
  readonly failingMs?: number;
}

/**
 * How long a look-up may hold up those who ask again: publications that come later have waited for it once already.
 */
const patienceMs = 1000;

/** Secrets and ConfigMaps that something refers to: each is watched by its name for as long as that is so. */
export class ReferencedObjects {
  readonly #options: ReferencedObjectsOptions;
  readonly #always: ReadonlySet<string>;
  readonly #concurrency: number;
  readonly #objects = new Map<string, NamedObject>();
  /** Waiting for their first look-up, by namespace: one with thousands keeps no other waiting. */
  readonly #queue = new TurnQueue<NamedObject>();
  readonly #looking = new Set<NamedObject>();
  readonly #unanswered = new Set<NamedObject>();
  readonly #stopping = new Set<Promise<void>>();
  #references: ReadonlySet<string> | undefined;
  #waiting: PromiseWithResolvers<void> | undefined;
  /** What `#waiting` is about. */
  #awaited: readonly NamedObject[] = [];
  #saved: Snapshot | undefined;
  #stopped = false;

  constructor(options: ReferencedObjectsOptions) {
    this.#options = options;
    this.#always = options.always ?? new Set();
    this.#concurrency = options.concurrency ?? 32;
  }

  /** Begins with what is referred to always. */
  start(): void {
    this.#reconcile(new Set());
  }

  /**
   * From now on these are what is referred to, `kind/namespace/name` each. Answers undefined when each was looked up
   * before, else what resolves once each was: found, absent or refused, and handed out (`flushed`). Asked again, whoever
   * still waits goes on together with the one who asked last.
   */
  fetch(references: ReadonlySet<string>): Promise<void> | undefined {
    if (this.#stopped) return undefined;
    if (references !== this.#references) {
      this.#references = references;
      this.#reconcile(references);
    }
    const now = this.#options.clock.now();
    const news = [...this.#unanswered].filter((object) => object.askedFor(now) < patienceMs);
    if (news.length === 0) return undefined;
    this.#awaited = news;
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }

  /**
   * Answers what was not looked up yet, and what comes from now on, from a saved snapshot: what it holds stays in force
   * until it was looked up, and nobody waits for that. undefined: no longer.
   */
  answerFrom(saved: Snapshot | undefined): void {
    this.#saved = saved;
    if (saved === undefined) return;
    for (const object of this.#objects.values()) this.#answerFromSaved(object, saved);
  }

  /** Everything told through `changed` so far has been handed out. */
  flushed(): void {
    if (this.#awaited.some((object) => this.#unanswered.has(object))) return;
    this.#awaited = [];
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** What was not looked up yet, for people. */
  waitingFor(): readonly string[] {
    return [...this.#unanswered].map(({ scope, stall }) =>
      stall === undefined ? describeScope(scope) : `${describeScope(scope)}: ${stall.message}`,
    );
  }

  /** Objects that cannot be read now. */
  *stalled(): Generator<StalledScope> {
    for (const { scope, stall } of this.#objects.values()) {
      if (stall !== undefined) yield { scope, mayBeForbidden: false, reason: stall };
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const object of this.#objects.values()) this.#stopping.add(object.stop());
    this.#objects.clear();
    this.#queue.clear();
    this.#waiting?.resolve();
    await Promise.all(this.#stopping);
  }

  #reconcile(references: ReadonlySet<string>): void {
    const wanted = references.union(this.#always);
    for (const [reference, object] of this.#objects) {
      if (!wanted.has(reference)) this.#drop(reference, object);
    }
    for (const reference of wanted) {
      if (!this.#objects.has(reference)) this.#add(reference);
    }
    const now = this.#options.clock.now();
    for (const reference of references) this.#objects.get(reference)?.asked(now);
    this.#lookUpNext();
  }

  #add(reference: string): void {
    const scope = parseReference(reference);
    if (scope === undefined) return;
    const { createReflector, clock, changed, failingMs = 10_000 } = this.#options;
    const events: NamedObjectEvents = {
      changed,
      answered: () => this.#answered(object),
      noticed: () => this.#noticed(object),
    };
    const object = new NamedObject({ scope, createReflector, clock, events, failingMs });
    this.#objects.set(reference, object);
    this.#queue.add(scope.namespace ?? '', object);
    this.#unanswered.add(object);
    if (this.#saved !== undefined) this.#answerFromSaved(object, this.#saved);
  }

  #drop(reference: string, object: NamedObject): void {
    this.#objects.delete(reference);
    const { resource, namespace = '', name = '' } = object.scope;
    this.#queue.delete(namespace, object);
    this.#looking.delete(object);
    this.#unanswered.delete(object);
    this.#options.changed([{ type: 'delete', kind: resource.kind, key: objectKey({ namespace, name }) }]);
    const stopping = object.stop().finally(() => this.#stopping.delete(stopping));
    this.#stopping.add(stopping);
    this.#options.noticed();
  }

  #answerFromSaved(object: NamedObject, { objects }: Snapshot): void {
    if (!this.#unanswered.delete(object)) return;
    const { resource, namespace = '', name = '' } = object.scope;
    const found = objects[resource.kind].get(objectKey({ namespace, name }));
    if (found !== undefined) object.assume(found);
    this.#options.noticed();
  }

  #answered(object: NamedObject): void {
    this.#unanswered.delete(object);
    this.#looking.delete(object);
    this.#options.noticed();
    this.#lookUpNext();
  }

  #noticed(object: NamedObject): void {
    this.#options.noticed();
    // It is tried again, and others need not wait for that. While nothing answers there is no use in asking for more.
    if (object.stall?.kind === 'failing' && this.#looking.delete(object)) this.#lookUpNext();
  }

  #lookUpNext(): void {
    while (this.#looking.size < this.#concurrency && !this.#stopped) {
      const object = this.#queue.take();
      if (object === undefined) return;
      this.#looking.add(object);
      object.start();
    }
  }
}
