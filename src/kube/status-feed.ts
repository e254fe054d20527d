import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Condition } from '../diagnostics/condition.ts';
import type { ObjectKey } from '../model/object-meta.ts';

/** Kinds that are reported on. */
export type ReportedKind = 'Ingress' | 'Route' | 'BackendPolicy';

/** Names one of them. */
export interface ReportedObject {
  readonly kind: ReportedKind;
  readonly key: ObjectKey;
}

/** What this controller has to say of one object. */
export interface ObjectReport extends ReportedObject {
  readonly uid: string;
  /** `metadata.generation` of the version that the report is about. */
  readonly observedGeneration: number;
  /** Ours to serve. Of one that is not, nothing is written but what is taken back. */
  readonly owned: boolean;
  /** Accepted, ResolvedRefs, Programmed, in that order. */
  readonly conditions: readonly Condition[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Where reports come from. control/ makes them, kube/ writes them to the cluster. */
export interface StatusFeed {
  /** undefined: the object is gone, or its first version is still on its way to the workers. */
  report(kind: ReportedKind, key: ObjectKey): ObjectReport | undefined;
  /** Everything there is to report on; for whoever becomes leader. */
  reports(): Iterable<ObjectReport>;
}
