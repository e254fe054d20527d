import type { ObjectKey } from '../model/object-meta.ts';
import type { ReportedKind } from './status-feed.ts';

const reportedKinds: ReadonlySet<string> = new Set<ReportedKind>(['Ingress', 'Route', 'BackendPolicy']);

export function isReported(kind: string): kind is ReportedKind {
  return reportedKinds.has(kind);
}

export type StatusListener = (kind: ReportedKind, key: ObjectKey) => void;

/** `.status` of the objects that this controller reports on, as the API server last had it. */
export class ObservedStatus {
  readonly #statuses = new Map<ReportedKind, Map<ObjectKey, unknown>>();
  readonly #listeners = new Set<StatusListener>();

  /** undefined: the object is gone, unknown, or has no status. */
  of(kind: ReportedKind, key: ObjectKey): unknown {
    return this.#statuses.get(kind)?.get(key);
  }

  /** Calls back whenever an object was seen again, or is gone. Returns what ends that. Listeners must not throw. */
  listen(listener: StatusListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `status` undefined: without one, or gone. */
  seen(kind: ReportedKind, key: ObjectKey, status: unknown): void {
    if (status === undefined) this.#statuses.get(kind)?.delete(key);
    else this.#statuses.getOrInsertComputed(kind, () => new Map()).set(key, status);
    for (const listener of this.#listeners) listener(kind, key);
  }
}
