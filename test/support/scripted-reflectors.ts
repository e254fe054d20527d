import type { ReflectorFactory } from '../../src/kube/reflector-factory.ts';
import type { ObjectEvent, ReflectorSink, StallReason } from '../../src/kube/reflector-events.ts';
import type { ResourceScope } from '../../src/kube/resources.ts';
import { objectKey } from '../../src/model/snapshot-store.ts';
import type { ModelObject } from '../../src/model/snapshot.ts';

/** One reflector that says what a test has it say. */
export class ScriptedReflector {
  readonly scope: ResourceScope;
  readonly #sink: ReflectorSink;
  started = false;
  stopped = false;

  constructor(scope: ResourceScope, sink: ReflectorSink) {
    this.scope = scope;
    this.#sink = sink;
  }

  get running(): boolean {
    return this.started && !this.stopped;
  }

  tell(...changes: readonly ObjectEvent[]): void {
    this.#check();
    this.#sink.changed(changes);
  }

  set(object: ModelObject, status?: unknown): void {
    this.tell({ type: 'set', object, status });
  }

  delete({ kind, meta }: Pick<ModelObject, 'kind' | 'meta'>): void {
    this.tell({ type: 'delete', kind, key: objectKey(meta) });
  }

  synced(): void {
    this.#check();
    this.#sink.synced();
  }

  stalled(kind: StallReason['kind'] | undefined, message = 'as scripted'): void {
    this.#check();
    this.#sink.stalled(kind === undefined ? undefined : { kind, message });
  }

  #check(): void {
    if (!this.running) throw new Error(`The reflector of ${scopeName(this.scope)} does not run`);
  }
}

/** Every reflector that was asked for. */
export class ScriptedReflectors {
  readonly all: ScriptedReflector[] = [];

  readonly create: ReflectorFactory = (scope, sink) => {
    const reflector = new ScriptedReflector(scope, sink);
    this.all.push(reflector);
    return {
      start: () => {
        reflector.started = true;
      },
      stop: () => {
        reflector.stopped = true;
        return Promise.resolve();
      },
    };
  };

  get running(): readonly ScriptedReflector[] {
    return this.all.filter(({ running }) => running);
  }

  /** The newest that was asked for of `Ingress`, `Ingress team-a` or `Secret team-a/tls`. */
  of(name: string): ScriptedReflector {
    const found = this.all.findLast(({ scope }) => scopeName(scope) === name);
    if (found === undefined) throw new Error(`Nobody asked for ${name}`);
    return found;
  }

  has(name: string): boolean {
    return this.running.some(({ scope }) => scopeName(scope) === name);
  }

  /** Throws when one was not stopped. */
  expectStopped(): void {
    const left = this.running.map(({ scope }) => scopeName(scope));
    if (left.length > 0) throw new Error(`Reflectors were left behind: ${left.join(', ')}`);
  }

  /** Each that runs and is not by name has read its scope. */
  syncAll(): void {
    for (const reflector of this.running) if (reflector.scope.name === undefined) reflector.synced();
  }
}

export function scopeName({ resource, namespace, name }: ResourceScope): string {
  const place = [namespace, name].filter((part) => part !== undefined).join('/');
  return place === '' ? resource.kind : `${resource.kind} ${place}`;
}
