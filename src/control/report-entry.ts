import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { objectConditions } from '../diagnostics/object-conditions.ts';
import type { ProgrammedState } from '../diagnostics/object-conditions.ts';
import type { ObjectReport, ReportedKind, ReportedObject } from '../kube/status-feed.ts';

/** Everything known of one object that is reported on. */
export interface ReportEntry extends ReportedObject {
  /** As of the newest compilation; undefined while there is no readable version. */
  compiled: CompiledFacts | undefined;
  /** A version that could not be read; it is newer than what was compiled. */
  unread: UnreadObject | undefined;
  state: EntryState;
  /** What was said last; undefined while the first version is on its way. */
  report: ObjectReport | undefined;
}

export interface CompiledFacts {
  readonly uid: string;
  readonly generation: number;
  readonly owned: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

export interface UnreadObject extends ReportedObject {
  readonly uid: string;
  readonly generation: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** Where the compiled version is. `late`: pending for longer than anybody should wait for it. */
export type EntryState =
  { readonly kind: 'live' | 'pending' | 'late' } | { readonly kind: 'refused'; readonly message: string };

export const reportedKinds: readonly ReportedKind[] = ['Ingress', 'Route', 'BackendPolicy'];

export function reportedKind(kind: string): kind is ReportedKind {
  return (reportedKinds as readonly string[]).includes(kind);
}

const noConditions: ObjectReport['conditions'] = Object.freeze([]);

/** The report of an object as it stands; undefined: the one before stays. */
export function makeReport(entry: ReportEntry, closed: readonly string[]): ObjectReport | undefined {
  const { kind, key, compiled, unread, state } = entry;
  if (unread !== undefined) return unreadReport(unread, compiled);
  if (compiled === undefined || state.kind === 'pending') return undefined;
  const { uid, generation, owned, diagnostics } = compiled;
  return {
    kind,
    key,
    uid,
    observedGeneration: generation,
    owned,
    conditions: owned ? objectConditions(diagnostics, programmedState(state, closed)) : noConditions,
    diagnostics,
  };
}

/** Whose class an unreadable Ingress names cannot be known; Routes and BackendPolicies are our own kinds. */
function unreadReport(unread: UnreadObject, compiled: CompiledFacts | undefined): ObjectReport {
  const { kind, key, uid, generation, diagnostics } = unread;
  const owned = compiled?.owned ?? kind !== 'Ingress';
  return {
    kind,
    key,
    uid: uid === '' ? (compiled?.uid ?? '') : uid,
    observedGeneration: generation,
    owned,
    conditions: owned ? objectConditions(diagnostics, { kind: 'unread' }) : noConditions,
    diagnostics: compiled === undefined ? diagnostics : [...diagnostics, ...compiled.diagnostics],
  };
}

function programmedState(state: EntryState, closed: readonly string[]): ProgrammedState {
  if (state.kind === 'refused') return state;
  return state.kind === 'live' ? { kind: 'live', closed } : { kind: 'pending' };
}

/** Whether two reports of one object say the same. */
export function sameReport(a: ObjectReport, b: ObjectReport): boolean {
  if (a.uid !== b.uid || a.observedGeneration !== b.observedGeneration || a.owned !== b.owned) return false;
  if (a.diagnostics !== b.diagnostics && (a.diagnostics.length > 0 || b.diagnostics.length > 0)) return false;
  if (a.conditions === b.conditions) return true;
  return (
    a.conditions.length === b.conditions.length &&
    a.conditions.every(({ status, reason, message }, index) => {
      const other = b.conditions[index];
      return other?.status === status && other.reason === reason && other.message === message;
    })
  );
}
