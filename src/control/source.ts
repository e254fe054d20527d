import type { Diagnostic, FileLocation, ObjectRef } from '../diagnostics/diagnostic.ts';
import type { ObjectChange, Snapshot } from '../model/snapshot.ts';

/** What a source hands out: everything known now, and what differs from the time before. */
export interface SourceUpdate {
  readonly snapshot: Snapshot;
  /** undefined: compare with the snapshot before. */
  readonly changed: readonly ObjectChange[] | undefined;
  /** Everything that the source itself finds wrong now. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Where objects come from: a folder of manifests, or a cluster. It reports through a callback that it is made with. */
export interface Source {
  /** Resolves when the source is at work. A folder was read by then; a cluster may still be out of reach. */
  start(): Promise<void>;
  /** Resolves when nothing of it is left running; nothing is reported after. */
  stop(): Promise<void>;
  /** Where a field was declared, for sources that know; an empty path stands for the object. */
  locate(ref: ObjectRef, path: string): FileLocation | undefined;
  /** See LoopOptions.fetch; left out by sources that read everything. */
  fetch?(references: ReadonlySet<string>): Promise<void> | undefined;
}
