import { setImmediate as nextTurn } from 'node:timers/promises';

import type { ObjectKey } from '../model/object-meta.ts';
import type { Kind } from '../model/snapshot.ts';
import type { ApiFailure } from './api-failure.ts';
import { systemClock } from './kube-clock.ts';
import type { KubeClock } from './kube-clock.ts';
import { listPages, scopeRequest } from './list-pages.ts';
import { defaultTuning } from './reflector-options.ts';
import type { ReflectorOptions, ReflectorTuning, RunningReflector, WatchEnd } from './reflector-options.ts';
import { isOlder } from './resource-version.ts';
import { RetryPauses } from './retry-pauses.ts';
import { ScopeReport } from './scope-report.ts';
import { runWatch } from './watch-events.ts';
import type { WatchEvent, WatchOutcome } from './watch-events.ts';

/** A watch that lived so long proves that watching works; failures before it no longer count. */
const goodWatchMs = 5_000;
/** A watch that ended in good order sooner than this was cut short by something: it is not opened again at once. */
const shortWatchMs = 1_000;
/** How often in a row a list must be older than what was seen before a cluster counts as set back. */
const restoreProofs = 3;
/** How often in a row a kind must be unknown before its objects count as gone. */
const absenceProofs = 2;
/** How often in a row the versions of a list may expire between its pages. */
const patientLists = 2;
/** Beyond the time after which the API server was asked to end a watch. */
const watchGraceMs = 15_000;

/**
 * Keeps a sink up to date with one scope: lists it once, then watches, and goes on from the last version whenever a watch
 * ends. It lists again when versions expired (410), when a stream made no sense, when one fell silent against its promise
 * and when the cluster was set back; each time only differences are told. Every step below answers how many milliseconds
 * to wait before the next one.
 */
export class Reflector implements RunningReflector {
  readonly #options: ReflectorOptions;
  readonly #tuning: ReflectorTuning;
  readonly #clock: KubeClock;
  readonly #pauses: RetryPauses;
  readonly #stopping = new AbortController();
  readonly #report: ScopeReport;
  #running: Promise<void> | undefined;
  /** Where the next watch goes on; undefined: list first. */
  #version: string | undefined;
  /** The newest version ever seen. */
  #newest = '';
  #olderLists = 0;
  #absences = 0;
  /** Told as synced, without objects. */
  #absent = false;
  #expiredLists = 0;
  /** The API server was away, or mute. It may have an older state now, and a watch from our version would wait in silence. */
  #mistrusted = false;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#tuning = { ...defaultTuning, ...options.tuning };
    this.#clock = options.clock ?? systemClock;
    this.#pauses = new RetryPauses(() => this.#clock.random(), options.scope, this.#tuning);
    this.#report = new ScopeReport(options, this.#stopping.signal);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return this.#running;
    this.#stopping.abort();
    await this.#running;
    this.#report.close();
  }

  get #kind(): Kind {
    return this.#options.scope.resource.kind;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const pauseMs = await this.#step();
      if (pauseMs > 0 && !this.#stopped) await this.#pause(pauseMs);
    }
  }

  #step(): Promise<number> {
    if (this.#version === undefined) return this.#list();
    return this.#mistrusted ? this.#checkVersion() : this.#watch(this.#version);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#clock.after(ms, end);
      signal.addEventListener('abort', end, { once: true });
    });
  }

  // --- list ---

  async #list(): Promise<number> {
    const { transport, scope, metrics } = this.#options;
    // Versions that expire again and again while pages are read: better everything at once than nothing.
    const pageSize = this.#expiredLists >= patientLists ? 0 : this.#tuning.pageSize;
    const gone = new Set<ObjectKey>(this.#report.keys());
    let version: string | undefined;
    for await (const page of listPages({ transport, scope, pageSize, signal: this.#stopping.signal })) {
      if (this.#stopped) return 0;
      if ('stall' in page) return this.#listFailed(page);
      this.#pauses.succeeded();
      if (version === undefined && !this.#believe(page.resourceVersion)) return this.#pauses.next();
      version ??= page.resourceVersion;
      if (!this.#report.takeItems(page.items, gone)) return this.#garbage();
      await nextTurn();
    }
    if (version === undefined || this.#stopped) return 0;
    this.#report.remove(gone);
    metrics?.relisted(this.#kind);
    this.#goOnFrom(version);
    this.#report.stall(undefined);
    this.#report.synced();
    return 0;
  }

  #goOnFrom(version: string): void {
    this.#version = version;
    this.#newest = version;
    this.#absences = 0;
    this.#absent = false;
    this.#expiredLists = 0;
    this.#mistrusted = false;
  }

  /**
   * Whether a list of this version is taken at its word. A consistent list is never older than what was seen before, so one
   * that is comes from something that lags, and is asked for again; or from a cluster that was set back to a backup, and
   * stays older.
   */
  #believe(version: string): boolean {
    if (!isOlder(version, this.#newest)) {
      this.#olderLists = 0;
      return true;
    }
    this.#olderLists += 1;
    const { path } = scopeRequest(this.#options.scope);
    if (this.#olderLists < restoreProofs) {
      const message = `GET ${path}: answered version ${version}, want ${this.#newest} or newer`;
      this.#report.stall({ kind: 'failing', message });
      return false;
    }
    this.#olderLists = 0;
    this.#newest = version;
    this.#report.restored();
    return true;
  }

  #listFailed(failure: ApiFailure): number {
    const { kind } = failure.stall;
    if (kind === 'absent') return this.#unknownKind(failure);
    if (failure.expired) this.#expiredLists += 1;
    const pauseMs = this.#pauses.after(failure);
    // Pages that took longer than versions are kept are nothing to report, unless it goes on.
    if (!failure.expired || this.#expiredLists > patientLists) this.#stalled(failure);
    return pauseMs;
  }

  /** What was read before and is refused now is worth a word only when it goes on. */
  #stalled({ stall }: ApiFailure): void {
    if (stall.kind === 'forbidden' && !this.#pauses.isRefused && this.#newest !== '') return;
    this.#report.stall(stall);
  }

  /** 404. An API server that is just starting may say so for a moment, so objects are not given up for one answer. */
  #unknownKind(failure: ApiFailure): number {
    this.#absences += 1;
    const pauseMs = this.#pauses.after(failure);
    const proven = this.#absences >= absenceProofs || this.#report.size === 0;
    this.#report.stall(failure.stall);
    if (!this.#options.scope.resource.optional || !proven) return pauseMs;
    this.#report.remove([...this.#report.keys()]);
    if (!this.#absent) this.#report.synced();
    this.#absent = true;
    return this.#tuning.absentRetryMs;
  }

  #garbage(): number {
    this.#options.metrics?.garbage(this.#kind);
    this.#version = undefined;
    return this.#pauses.next();
  }

  // --- watch ---

  /** One object of the scope is read for the version of the whole: has the cluster gone back behind ours? */
  async #checkVersion(): Promise<number> {
    const { transport, scope } = this.#options;
    const pages = listPages({ transport, scope, pageSize: 1, signal: this.#stopping.signal });
    const { value: page } = await pages.next();
    await pages.return(undefined);
    if (this.#stopped || page === undefined) return 0;
    if ('stall' in page) {
      if (page.stall.kind === 'absent' || page.stall.kind === 'forbidden') this.#version = undefined;
      return this.#listFailed(page);
    }
    this.#pauses.succeeded();
    this.#mistrusted = false;
    if (isOlder(page.resourceVersion, this.#newest)) this.#version = undefined;
    return 0;
  }

  async #watch(version: string): Promise<number> {
    const { transport, scope, metrics } = this.#options;
    const { watchMinMs, watchMaxMs, silenceMs } = this.#tuning;
    const timeoutMs = watchMinMs + this.#clock.random() * (watchMaxMs - watchMinMs);
    const request = scopeRequest(scope);
    request.query.set('watch', 'true');
    request.query.set('allowWatchBookmarks', 'true');
    request.query.set('resourceVersion', version);
    request.query.set('timeoutSeconds', String(Math.ceil(timeoutMs / 1000)));
    let openedMs: number | undefined;
    let promised = false;
    let mute = true;
    const outcome = await runWatch({
      transport,
      request,
      clock: this.#clock,
      signal: this.#stopping.signal,
      // Bookmarks are promised by their first. Without one a single object may well be quiet until the watch ends.
      silenceMs: () => (promised || scope.name === undefined ? silenceMs : watchMaxMs + watchGraceMs),
      onOpen: () => {
        openedMs = this.#clock.now();
        this.#pauses.succeeded();
        this.#report.stall(undefined);
      },
      onEvents: (events) => {
        mute = false;
        promised ||= events.some(({ type }) => type === 'BOOKMARK');
        return this.#takeEvents(events);
      },
    });
    if (this.#stopped) return 0;
    const end: WatchEnd = outcome.end === 'silent' && !promised ? 'quiet' : outcome.end;
    metrics?.watchRestarted(this.#kind, end);
    const livedMs = openedMs === undefined ? undefined : this.#clock.now() - openedMs;
    if (livedMs !== undefined && livedMs >= goodWatchMs) this.#pauses.reset();
    // Nothing happened, or the cluster was set back and has not come to our version yet.
    if (mute && livedMs !== undefined && livedMs >= silenceMs) this.#mistrusted = true;
    return this.#watchEnded({ ...outcome, end }, livedMs);
  }

  #takeEvents(events: readonly WatchEvent[]): boolean {
    return this.#report.takeEvents(events, (version) => {
      if (isOlder(version, this.#newest)) return;
      this.#version = version;
      this.#newest = version;
    });
  }

  /** `livedMs`: undefined when the watch was never answered. */
  #watchEnded({ end, failure }: WatchOutcome, livedMs: number | undefined): number {
    switch (end) {
      case 'ended':
        return livedMs !== undefined && livedMs < shortWatchMs ? this.#pauses.next() : 0;
      case 'quiet':
        return 0;
      case 'silent':
        this.#version = undefined;
        return 0;
      case 'garbage':
        return this.#garbage();
      case 'expired':
        this.#version = undefined;
        return livedMs !== undefined && livedMs >= goodWatchMs ? 0 : this.#pauses.next();
      case 'error':
        return failure === undefined
          ? this.#pauses.next()
          : this.#watchFailed(failure, livedMs !== undefined);
    }
  }

  #watchFailed(failure: ApiFailure, answered: boolean): number {
    const { stall } = failure;
    // A connection that broke is news only when it cannot be made again.
    if (answered && stall.kind === 'unreachable') return this.#pauses.next();
    const pauseMs = this.#pauses.after(failure);
    this.#stalled(failure);
    if (stall.kind === 'unreachable' || stall.kind === 'failing') this.#mistrusted = true;
    // An ERROR event, and what a list will say more of.
    if (answered || stall.kind === 'absent' || stall.kind === 'forbidden') this.#version = undefined;
    return pauseMs;
  }
}
