import type { ModelObject } from '../model/snapshot.ts';
import type { KubeClock } from './kube-clock.ts';
import type { ReflectorFactory } from './reflector-factory.ts';
import type { ObjectEvent, StallReason } from './reflector-events.ts';
import type { RunningReflector } from './reflector-options.ts';
import { resources } from './resources.ts';
import type { ResourceScope } from './resources.ts';

/** What becomes of one object that is read by name. */
export interface NamedObjectEvents {
  changed(changes: readonly ObjectEvent[]): void;
  /** It was looked up; or it cannot be, and there is no use in waiting. Told at least once, unless nothing answers. */
  answered(): void;
  /** `stall` changed. */
  noticed(): void;
}

export interface NamedObjectOptions {
  readonly scope: ResourceScope;
  readonly createReflector: ReflectorFactory;
  readonly clock: KubeClock;
  readonly events: NamedObjectEvents;
  /** How long failures (not: silence) of the API server are waited out. */
  readonly failingMs: number;
}

/** One Secret or ConfigMap, watched by name. One `start` and one `stop` in a life. */
export class NamedObject {
  readonly #options: NamedObjectOptions;
  readonly #reflector: RunningReflector;
  #stall: StallReason | undefined;
  /** Taken from a saved snapshot; the API server did not say anything of it yet. */
  #assumed: ModelObject | undefined;
  #cancelPatience: (() => void) | undefined;
  #askedAtMs: number | undefined;
  #started = false;

  constructor(options: NamedObjectOptions) {
    this.#options = options;
    this.#reflector = options.createReflector(options.scope, {
      changed: (changes) => {
        this.#assumed = undefined;
        options.events.changed(changes);
      },
      synced: () => this.#synced(),
      stalled: (reason) => this.#stalled(reason),
    });
  }

  get scope(): ResourceScope {
    return this.#options.scope;
  }

  /** Why it cannot be read now. */
  get stall(): StallReason | undefined {
    return this.#stall;
  }

  /** Somebody waits for it. */
  asked(nowMs: number): void {
    this.#askedAtMs ??= nowMs;
  }

  /** For how long somebody has waited for it; Infinity when nobody does. */
  askedFor(nowMs: number): number {
    return this.#askedAtMs === undefined ? Infinity : nowMs - this.#askedAtMs;
  }

  /** What it was when it was last known, until the API server says otherwise. */
  assume(object: ModelObject): void {
    this.#assumed = object;
    this.#options.events.changed([{ type: 'set', object, status: undefined }]);
  }

  start(): void {
    this.#started = true;
    this.#reflector.start();
  }

  stop(): Promise<void> {
    this.#cancelPatience?.();
    return this.#started ? this.#reflector.stop() : Promise.resolve();
  }

  #synced(): void {
    this.#cancelPatience?.();
    const { scope, events } = this.#options;
    const { namespace = '', name = '', resource } = scope;
    if (this.#assumed !== undefined) {
      this.#assumed = undefined;
      events.changed([{ type: 'delete', kind: resource.kind, key: `${namespace}/${name}` }]);
    }
    events.answered();
  }

  #stalled(reason: StallReason | undefined): void {
    const { events, clock, failingMs } = this.#options;
    this.#stall = reason;
    if (reason?.kind === 'forbidden' || reason?.kind === 'absent') events.answered();
    else events.noticed();
    // An API server that answers, but not for this object, must not keep everything else from being served.
    if (reason?.kind === 'failing') {
      this.#cancelPatience ??= clock.after(failingMs, () => events.answered());
    } else {
      this.#cancelPatience?.();
      this.#cancelPatience = undefined;
    }
  }
}

/** `Secret/namespace/name` as a scope; undefined for anything that is not read by name. */
export function parseReference(reference: string): ResourceScope | undefined {
  const [kind, namespace, name, ...rest] = reference.split('/');
  const resource = Object.values(resources).find((known) => known.kind === kind && known.byName);
  if (resource === undefined || !namespace || !name || rest.length > 0) return undefined;
  return { resource, namespace, name };
}
