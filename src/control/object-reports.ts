import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { ObjectReport, ReportedKind, ReportedObject, StatusFeed } from '../kube/status-feed.ts';
import type { ObjectKey } from '../model/object-meta.ts';
import type { ObjectChange, Snapshot } from '../model/snapshot.ts';
import type { RouteTable } from '../table/route-table.ts';
import type { PublishOutcome } from '../workers/acknowledgements.ts';
import { ClosedRoutes } from './closed-routes.ts';
import { InFlight, sameContent } from './in-flight.ts';
import { systemClock } from './loop.ts';
import type { Compilation, LoopClock } from './loop.ts';
import { makeReport, reportedKind, reportedKinds, sameReport } from './report-entry.ts';
import type { ReportEntry } from './report-entry.ts';
import { UnreadObjects } from './unread-objects.ts';
import type { Identify } from './unread-objects.ts';

// What this process has to say of each Ingress, Route and BackendPolicy: findings, and whether every worker serves its
// newest generation. In: what the loop and the source tell. Out: reports, and the names of those that changed. Work follows
// the change: nothing here walks all objects, except for a first compilation and when classes or namespaces change.
// It writes nothing: kube/ takes it from here.

export interface ObjectReportsOptions {
  /** Of an object that the source could not read: which version of it. Left out: such objects have no version. */
  readonly identify?: Identify;
  /** How long a generation may be on its way to the workers before its objects say so. Default 1 s. */
  readonly patienceMs?: number;
  readonly clock?: Pick<LoopClock, 'after'>;
}

/** How many objects there are, by what is said of them. */
export interface ReportCount {
  readonly kind: ReportedKind;
  readonly condition: string;
  readonly status: string;
  readonly objects: number;
}

type Listener = (changed: readonly ReportedObject[]) => void;

/**
 * A report stays as it was while its object's next version is on its way to the workers, so that nobody sees a state that
 * lasts for milliseconds; past `patienceMs` it says Programmed Unknown.
 */
export class ObjectReports implements StatusFeed {
  readonly #patienceMs: number;
  readonly #clock: Pick<LoopClock, 'after'>;
  readonly #listeners: Listener[] = [];
  /** By `kind/namespace/name`. */
  readonly #entries = new Map<string, ReportEntry>();
  readonly #inFlight = new InFlight();
  readonly #closed = new ClosedRoutes();
  /** What no worker could link, as long as it is the newest that was tried. */
  #refused: { readonly table: RouteTable; readonly message: string } | undefined;
  #refusedKeys = new Set<string>();
  readonly #unread: UnreadObjects;
  readonly #waits = new Set<() => void>();

  constructor({ identify, patienceMs, clock }: ObjectReportsOptions = {}) {
    this.#unread = new UnreadObjects(identify ?? (() => undefined));
    this.#patienceMs = patienceMs ?? 1000;
    this.#clock = clock ?? systemClock;
  }

  /** Told of every report that changed, came or went, from now on. */
  subscribe(listener: Listener): void {
    this.#listeners.push(listener);
  }

  report(kind: ReportedKind, key: ObjectKey): ObjectReport | undefined {
    return this.#entries.get(`${kind}/${key}`)?.report;
  }

  *reports(): Generator<ObjectReport> {
    for (const { report } of this.#entries.values()) if (report !== undefined) yield report;
  }

  /** Our own objects by kind, condition and its status. */
  counts(): readonly ReportCount[] {
    const counts = new Map<string, { -readonly [K in keyof ReportCount]: ReportCount[K] }>();
    for (const { kind, owned, conditions } of this.reports()) {
      if (!owned) continue;
      for (const { type, status } of conditions) {
        const id = `${kind} ${type} ${status}`;
        const known = counts.get(id);
        if (known === undefined) counts.set(id, { kind, condition: type, status, objects: 1 });
        else known.objects++;
      }
    }
    return [...counts.values()];
  }

  /** Everything that the source itself finds wrong now. The same list as before costs nothing. */
  source(diagnostics: readonly Diagnostic[]): void {
    const { came, went } = this.#unread.update(diagnostics);
    const touched: string[] = [];
    for (const unread of came) {
      const name = `${unread.kind}/${unread.key}`;
      this.#entry(name, unread).unread = unread;
      touched.push(name);
    }
    const readable: string[] = [];
    for (const name of went) {
      const entry = this.#entries.get(name);
      if (entry === undefined) continue;
      entry.unread = undefined;
      (entry.compiled === undefined ? touched : readable).push(name);
    }
    this.#renew(touched);
    // What can be read again is about to be compiled, and its report waits for that; unless it is just as it was before.
    if (readable.length > 0) this.#later(() => this.#renew(readable));
  }

  /** See LoopObserver. */
  compiled(compilation: Compilation): void {
    const { result, snapshot } = compilation;
    const gone: string[] = [];
    const keys = new Set<string>();
    for (const name of this.#concerned(compilation)) {
      if (this.#take(name, compilation)) keys.add(name);
      else gone.push(name);
    }
    this.#renew(gone);
    const cancel =
      keys.size === 0 ? undefined : this.#clock.after(this.#patienceMs, () => this.#impatient(snapshot));
    this.#inFlight.add({ table: result.table, snapshot, keys, cancel });
    const refused = this.#refused;
    if (refused !== undefined && sameContent(refused.table, result.table)) {
      this.#refuse(
        this.#inFlight.takeThrough((one) => one.snapshot === snapshot),
        refused.message,
      );
    }
  }

  /** See LoopObserver. */
  published(table: RouteTable, outcome: PublishOutcome): void {
    if (outcome.kind === 'live') {
      this.#renew(this.#closed.linked(table, outcome.closed));
      return;
    }
    this.#refused = { table, message: outcome.message };
    this.#refuse(
      this.#inFlight.takeThrough((one) => sameContent(one.table, table)),
      outcome.message,
    );
  }

  /** See LoopObserver. */
  settled(snapshot: Snapshot): void {
    const keys = this.#inFlight.takeThrough((one) => one.snapshot === snapshot);
    // What is live now holds everything that was compiled before, be it refused at its time.
    for (const name of this.#refusedKeys) if (!this.#inFlight.has(name)) keys.add(name);
    this.#refusedKeys = this.#refusedKeys.difference(keys);
    this.#refused = undefined;
    for (const name of keys) this.#setState(name, { kind: 'live' });
    this.#renew(keys);
  }

  /** Nothing is told from now on. */
  stop(): void {
    this.#inFlight.clear();
    for (const cancel of this.#waits) cancel();
    this.#listeners.length = 0;
  }

  /** Objects whose findings, version or ownership may differ from the compilation before. */
  *#concerned({ result, snapshot, changes }: Compilation): Generator<string> {
    if (changes === undefined) {
      for (const kind of reportedKinds)
        for (const key of snapshot.objects[kind].keys()) yield `${kind}/${key}`;
      yield* [...this.#entries.keys()];
      return;
    }
    for (const { kind, key } of changes) if (reportedKind(kind)) yield `${kind}/${key}`;
    yield* result.diagnosticsChanged;
    if (!changes.some(decidesOwnership)) return;
    for (const [name, { compiled }] of this.#entries) {
      if (compiled !== undefined && compiled.owned !== result.isOwned(name)) yield name;
    }
  }

  /** Notes what was compiled of an object. False when there is no such object. */
  #take(name: string, { result, snapshot }: Compilation): boolean {
    const [kind, key] = splitName(name);
    if (kind === undefined) return false;
    const meta = snapshot.objects[kind].get(key)?.meta;
    if (meta === undefined) {
      const entry = this.#entries.get(name);
      if (entry !== undefined) entry.compiled = undefined;
      return false;
    }
    const entry = this.#entry(name, { kind, key });
    entry.compiled = {
      uid: meta.uid,
      generation: meta.generation,
      owned: result.isOwned(name),
      diagnostics: result.diagnostics.get(name) ?? [],
    };
    entry.state = { kind: 'pending' };
    return true;
  }

  #later(run: () => void): void {
    const cancel = this.#clock.after(this.#patienceMs, () => {
      this.#waits.delete(cancel);
      run();
    });
    this.#waits.add(cancel);
  }

  #impatient(snapshot: Snapshot): void {
    const late = this.#inFlight.keysOf(snapshot);
    for (const name of late) {
      const entry = this.#entries.get(name);
      if (entry?.state.kind === 'pending') entry.state = { kind: 'late' };
    }
    this.#renew(late);
  }

  #refuse(keys: Iterable<string>, message: string): void {
    const list = [...keys];
    for (const name of list) {
      this.#setState(name, { kind: 'refused', message });
      this.#refusedKeys.add(name);
    }
    this.#renew(list);
  }

  #setState(name: string, state: ReportEntry['state']): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.state = state;
  }

  #entry(name: string, { kind, key }: ReportedObject): ReportEntry {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const entry: ReportEntry = {
      kind,
      key,
      compiled: undefined,
      unread: undefined,
      state: { kind: 'pending' },
      report: undefined,
    };
    this.#entries.set(name, entry);
    return entry;
  }

  /** Makes the reports of these objects anew, forgets those that are gone and tells of what differs. */
  #renew(names: Iterable<string>): void {
    const changed: ReportedObject[] = [];
    for (const name of names) {
      const entry = this.#entries.get(name);
      if (entry === undefined) continue;
      const { kind, key, report: before } = entry;
      if (entry.compiled === undefined && entry.unread === undefined) {
        this.#entries.delete(name);
        this.#refusedKeys.delete(name);
        if (before !== undefined) changed.push({ kind, key });
        continue;
      }
      const report = makeReport(entry, this.#closed.of(name));
      if (report === undefined || (before !== undefined && sameReport(before, report))) continue;
      entry.report = report;
      changed.push({ kind, key });
    }
    if (changed.length > 0) for (const listener of this.#listeners) listener(changed);
  }
}

function decidesOwnership({ kind }: ObjectChange): boolean {
  return kind === 'IngressClass' || kind === 'Namespace';
}

function splitName(name: string): readonly [ReportedKind | undefined, ObjectKey] {
  const slash = name.indexOf('/');
  const kind = name.slice(0, slash);
  return [reportedKind(kind) ? kind : undefined, name.slice(slash + 1)];
}
