import type { ObjectEvent, ReflectorSink, StallReason } from '../../src/kube/reflector-events.ts';
import type { ReflectorMetrics, WatchEnd } from '../../src/kube/reflector-options.ts';
import { objectKey } from '../../src/model/snapshot-store.ts';

type SetEvent = Extract<ObjectEvent, { type: 'set' }>;

/** Writes down what a reflector tells, one word an event, and waits for what is to come. */
export class RecordingSink implements ReflectorSink {
  /** `set web/a`, `refused web/a`, `delete web/a`, `synced`, `stalled forbidden`, `recovered`. */
  readonly log: string[] = [];
  readonly sets: SetEvent[] = [];
  readonly refusals: Extract<ObjectEvent, { type: 'refused' }>[] = [];
  readonly stalls: StallReason[] = [];
  /** Objects as they are now. */
  readonly objects = new Map<string, SetEvent['object']>();
  #read = 0;
  readonly #waiting = new Set<() => void>();

  changed(changes: readonly ObjectEvent[]): void {
    for (const change of changes) this.#record(this.#take(change));
    this.#wake();
  }

  synced(): void {
    this.#record('synced');
    this.#wake();
  }

  stalled(reason: StallReason | undefined): void {
    if (reason !== undefined) this.stalls.push(reason);
    this.#record(reason === undefined ? 'recovered' : `stalled ${reason.kind}`);
    this.#wake();
  }

  /** Waits until this was told, counting from what was waited for or taken last; answers with everything up to it. */
  async until(entry: string): Promise<readonly string[]> {
    for (;;) {
      const index = this.log.indexOf(entry, this.#read);
      if (index !== -1) {
        const told = this.log.slice(this.#read, index + 1);
        this.#read = index + 1;
        return told;
      }
      // oxlint-disable-next-line no-await-in-loop -- until it came
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** What was told since the last wait. */
  rest(): readonly string[] {
    const told = this.log.slice(this.#read);
    this.#read = this.log.length;
    return told;
  }

  #take(change: ObjectEvent): string {
    if (change.type === 'set') {
      const key = objectKey(change.object.meta);
      this.sets.push(change);
      this.objects.set(key, change.object);
      return `set ${key}`;
    }
    if (change.type === 'refused') this.refusals.push(change);
    else this.objects.delete(change.key);
    return `${change.type} ${change.key}`;
  }

  #record(entry: string): void {
    this.log.push(entry);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

/** Counts of a reflector. */
export class RecordingMetrics implements ReflectorMetrics {
  relists = 0;
  garbageCount = 0;
  objectCount = 0;
  readonly ends: WatchEnd[] = [];
  readonly #waiting = new Set<() => void>();

  relisted(): void {
    this.relists += 1;
  }

  watchRestarted(_kind: string, reason: WatchEnd): void {
    this.ends.push(reason);
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  garbage(): void {
    this.garbageCount += 1;
  }

  heard(): void {
    // Nothing of it is asserted here.
  }

  objects(_kind: string, difference: number): void {
    this.objectCount += difference;
  }
}
