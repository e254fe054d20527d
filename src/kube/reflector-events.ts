import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { ObjectKey } from '../model/object-meta.ts';
import type { Kind, ModelObject } from '../model/snapshot.ts';

/** What one reflector tells of its scope. Events come in order; each is final for its object until the next one. */
export interface ReflectorSink {
  /** In order. A relist arrives as the differences that it found, so an object that stayed is not told again. */
  changed(changes: readonly ObjectEvent[]): void;
  /** The scope was read completely, for the first time or again. */
  synced(): void;
  /** Why the scope cannot be read now; undefined once it can be again. What was read before stays in force. */
  stalled(reason: StallReason | undefined): void;
}

/** One object as it is now, or that it is gone. */
export type ObjectEvent =
  | {
      readonly type: 'set';
      readonly object: ModelObject;
      /** `.status` as the API server has it, for kinds whose status this controller writes; else undefined. */
      readonly status: unknown;
    }
  /** The object is there and cannot be used; what it said before stays in force until it is gone. */
  | {
      readonly type: 'refused';
      readonly kind: Kind;
      readonly key: ObjectKey;
      readonly diagnostics: readonly Diagnostic[];
      readonly identity: ObjectIdentity;
      /** As of an object that can be used. */
      readonly status: unknown;
    }
  | { readonly type: 'delete'; readonly kind: Kind; readonly key: ObjectKey };

/** Enough to report on an object that could not be decoded. */
export interface ObjectIdentity {
  readonly uid: string;
  readonly generation: number;
}

export interface StallReason {
  /** `forbidden` 403, `unauthorized` 401, `absent` 404 (kind not installed), `unreachable` no answer, `failing` anything else. */
  readonly kind: 'forbidden' | 'unauthorized' | 'absent' | 'unreachable' | 'failing';
  /** For people: what was asked, what was answered. */
  readonly message: string;
}
