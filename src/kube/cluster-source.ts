import type { Diagnostic, FileLocation } from '../diagnostics/diagnostic.ts';
import type { ObjectKey } from '../model/object-meta.ts';
import type { Kind, ObjectChange, Snapshot } from '../model/snapshot.ts';
import type { Log } from '../telemetry/log.ts';
import { ColdStart } from './cold-start.ts';
import { IncomingChanges } from './incoming-changes.ts';
import { systemClock } from './kube-clock.ts';
import type { KubeClock } from './kube-clock.ts';
import type { StatusListener } from './observed-status.ts';
import { readFaults, savedSnapshotFault } from './read-faults.ts';
import { ReferencedObjects } from './referenced-objects.ts';
import type { ReflectorFactory } from './reflector-factory.ts';
import type { ObjectIdentity, ReflectorSink } from './reflector-events.ts';
import type { RunningReflector } from './reflector-options.ts';
import type { SavedSnapshot, SnapshotFile } from './snapshot-file.ts';
import type { ReportedKind } from './status-feed.ts';
import { SyncGate } from './sync-gate.ts';
import type { WatchPlan } from './watch-plan.ts';

// The cluster as a source of snapshots. In: what reflectors tell, one a scope, and what compiled objects refer to. Out:
// one snapshot per turn of the event loop that brought news, with what changed, and what is wrong with what was read.
// Nothing is handed out before every scope was read once, but for a saved snapshot while there is no API server; after
// that what was read last stays in force, whatever becomes of the API server.

/** What the source hands out. */
export interface ClusterUpdate {
  readonly snapshot: Snapshot;
  /** undefined: compare with the snapshot before. */
  readonly changed: readonly ObjectChange[] | undefined;
  /** Everything that the source itself finds wrong now. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface ClusterSourceOptions {
  readonly plan: WatchPlan;
  readonly createReflector: ReflectorFactory;
  readonly onChange: (update: ClusterUpdate) => void;
  readonly log: Log;
  readonly clock?: KubeClock;
  /** Where the newest good snapshot is kept for a start without an API server. */
  readonly snapshotFile?: SnapshotFile;
  /** How long a start waits for an API server that is silent before it takes the snapshot file. Default 5 s. */
  readonly snapshotWaitMs?: number;
  /** First look-ups of Secrets and ConfigMaps at a time. Default 32. */
  readonly lookUps?: number;
}

/** How often the log says what a start is waiting for. */
const waitingLogMs = 30_000;
/** There may be thousands of Secrets. */
const namedInLog = 20;
/** A file as old as this is written again although nothing changed, so that its age tells how current it is. */
const snapshotRefreshMs = 3_600_000;

/** One `start` and one `stop` in a life. Has the shape of control's Source. */
export class ClusterSource {
  readonly #options: ClusterSourceOptions;
  readonly #clock: KubeClock;
  readonly #incoming = new IncomingChanges();
  readonly #gate: SyncGate;
  readonly #references: ReferencedObjects;
  readonly #reflectors: readonly RunningReflector[];
  readonly #coldStart: ColdStart | undefined;
  readonly #timers = new Set<() => void>();
  #flush: NodeJS.Immediate | undefined;
  #faultsChanged = false;
  #diagnostics: readonly Diagnostic[] = [];
  /** The snapshot of the cluster was handed out. */
  #live = false;
  /** In force until the cluster was read. */
  #saved: Snapshot | undefined;
  readonly #fromFile = new WeakSet<Snapshot>();
  #settled: Snapshot | undefined;
  #stopped = false;

  constructor(options: ClusterSourceOptions) {
    this.#options = options;
    const { plan, createReflector, log, snapshotFile, lookUps } = options;
    this.#clock = options.clock ?? systemClock;
    this.#gate = new SyncGate(plan.scopes, log);
    this.#references = new ReferencedObjects({
      createReflector,
      clock: this.#clock,
      changed: (changes) => {
        this.#incoming.take(changes);
        this.#schedule();
      },
      noticed: () => this.#notice(),
      always: plan.references,
      ...(lookUps === undefined ? {} : { concurrency: lookUps }),
    });
    this.#reflectors = plan.scopes.map(({ scope }, index) => createReflector(scope, this.#sink(index)));
    if (snapshotFile === undefined) return;
    this.#coldStart = new ColdStart({
      file: snapshotFile,
      clock: this.#clock,
      waitMs: options.snapshotWaitMs ?? 5000,
      mayUse: () => !this.#gate.refused,
      found: (saved) => this.#useSaved(saved),
    });
  }

  /** Resolves at once: what was read comes through `onChange`. */
  start(): Promise<void> {
    this.#every(waitingLogMs, () => this.#logWaiting());
    this.#every(snapshotRefreshMs, () => this.#refreshFile());
    this.#coldStart?.start();
    this.#references.start();
    for (const reflector of this.#reflectors) reflector.start();
    return Promise.resolve();
  }

  /** Resolves when no call, timer or file of it is left; nothing is reported after. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearImmediate(this.#flush);
    for (const cancel of this.#timers) cancel();
    const reflectors = this.#reflectors.map((reflector) => reflector.stop());
    await Promise.all([...reflectors, this.#references.stop(), this.#coldStart?.stop()]);
    await this.#options.snapshotFile?.stop();
  }

  /** Objects of a cluster have no place in a file. */
  locate(): FileLocation | undefined {
    return undefined;
  }

  /** What compiled objects refer to, `Secret/namespace/name` or `ConfigMap/namespace/name`; see control's LoopOptions. */
  fetch(references: ReadonlySet<string>): Promise<void> | undefined {
    return this.#references.fetch(references);
  }

  /** Every worker serves what this snapshot compiles to: worth keeping for a start without an API server. */
  settled(snapshot: Snapshot): void {
    if (this.#fromFile.has(snapshot)) return;
    this.#settled = snapshot;
    this.#options.snapshotFile?.offer(snapshot);
  }

  /** Whether a snapshot is the one from the file: what it says of objects may be long past. */
  isSaved(snapshot: Snapshot): boolean {
    return this.#fromFile.has(snapshot);
  }

  /** What was not read yet, for people: scopes, and then what their objects refer to. Empty once everything was. */
  get waitingFor(): readonly string[] {
    return this.#live ? this.#references.waitingFor() : this.#gate.waitingFor();
  }

  /** `.status` of an object as the API server last had it; undefined when it has none. */
  observedStatus(kind: ReportedKind, key: ObjectKey): unknown {
    return this.#incoming.status.of(kind, key);
  }

  /** Calls back when an object that is reported on was seen again, or is gone. Returns what ends that. */
  onStatus(listener: StatusListener): () => void {
    return this.#incoming.status.listen(listener);
  }

  /** Of an object that is in the cluster and cannot be decoded; undefined for all others. */
  refused(kind: Kind, key: ObjectKey): ObjectIdentity | undefined {
    return this.#incoming.refused(kind, key);
  }

  #sink(index: number): ReflectorSink {
    return {
      changed: (changes) => {
        this.#coldStart?.heard();
        this.#incoming.take(changes);
        this.#schedule();
      },
      synced: () => {
        this.#coldStart?.heard();
        this.#gate.synced(index);
        this.#schedule();
      },
      stalled: (reason) => {
        this.#gate.stalled(index, reason);
        this.#notice();
      },
    };
  }

  #notice(): void {
    this.#faultsChanged = true;
    this.#schedule();
  }

  /** Everything that one turn of the event loop brings becomes one update. */
  #schedule(): void {
    if (this.#stopped || this.#flush !== undefined) return;
    this.#flush = setImmediate(() => {
      this.#flush = undefined;
      this.#handOut();
    });
  }

  #handOut(): void {
    const { changed } = this.#incoming.apply();
    const diagnosticsChanged = this.#renewDiagnostics();
    if (this.#live) {
      if (changed.length > 0 || diagnosticsChanged) this.#report(changed);
    } else if (this.#gate.open) {
      this.#goLive();
    } else if (this.#saved !== undefined && diagnosticsChanged) {
      this.#options.onChange({ snapshot: this.#saved, changed: [], diagnostics: this.#diagnostics });
    }
    this.#references.flushed();
  }

  #goLive(): void {
    this.#live = true;
    void this.#coldStart?.stop();
    if (this.#saved !== undefined) {
      this.#options.log.info('the cluster was read, the saved snapshot is no longer in use');
      this.#saved = undefined;
      this.#references.answerFrom(undefined);
      this.#faultsChanged = true;
      this.#renewDiagnostics();
    }
    this.#report(undefined);
  }

  #report(changed: readonly ObjectChange[] | undefined): void {
    this.#options.onChange({ snapshot: this.#incoming.snapshot, changed, diagnostics: this.#diagnostics });
  }

  #useSaved({ snapshot, ageMs }: SavedSnapshot): void {
    if (this.#stopped || this.#live) return;
    this.#options.log.warn('the cluster does not answer: serving the saved snapshot', {
      ageSeconds: Math.round(ageMs / 1000),
    });
    this.#fromFile.add(snapshot);
    this.#saved = snapshot;
    this.#references.answerFrom(snapshot);
    this.#faultsChanged = true;
    this.#renewDiagnostics();
    this.#options.onChange({ snapshot, changed: undefined, diagnostics: this.#diagnostics });
  }

  /** Whether anything differs. */
  #renewDiagnostics(): boolean {
    const refusals = this.#incoming.takeNews();
    if (!refusals && !this.#faultsChanged) return false;
    this.#faultsChanged = false;
    const faults = readFaults([...this.#gate.stalledScopes(), ...this.#references.stalled()]);
    const saved = this.#saved === undefined ? [] : [savedSnapshotFault];
    const now = [...saved, ...faults, ...this.#incoming.diagnostics()];
    const changed = refusals || !sameFindings(now, this.#diagnostics);
    if (changed) this.#diagnostics = now;
    return changed;
  }

  #logWaiting(): void {
    const { waitingFor } = this;
    const isServing = this.#settled !== undefined || this.#saved !== undefined;
    if (isServing || waitingFor.length === 0) return;
    this.#options.log.warn('not ready: the cluster was not read completely yet', {
      waitingFor: waitingFor.slice(0, namedInLog),
      missing: waitingFor.length,
    });
  }

  #refreshFile(): void {
    const isCurrent = [...this.#gate.stalledScopes()].every(({ reason }) => reason.kind === 'absent');
    if (isCurrent && this.#settled !== undefined) this.#options.snapshotFile?.offer(this.#settled);
  }

  #every(ms: number, run: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#timers.delete(cancel);
      run();
      this.#every(ms, run);
    });
    this.#timers.add(cancel);
  }
}

function sameFindings(a: readonly Diagnostic[], b: readonly Diagnostic[]): boolean {
  const textOf = ({ code, object, message }: Diagnostic): string =>
    `${code} ${object.kind} ${object.namespace}/${object.name} ${message}`;
  return (
    a.length === b.length && a.every((finding, index) => textOf(finding) === textOf(b[index] ?? finding))
  );
}
