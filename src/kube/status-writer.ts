import type { ObjectKey } from '../model/object-meta.ts';
import type { Log } from '../telemetry/log.ts';
import { addressesIn, desiredStatus, sameAddresses, statusToApply } from './desired-status.ts';
import { systemClock } from './kube-clock.ts';
import type { KubeClock } from './kube-clock.ts';
import type { Leadership } from './leadership.ts';
import { PacedQueue } from './paced-queue.ts';
import type { WorkOutcome } from './paced-queue.ts';
import type { PublishedAddresses } from './publish-address.ts';
import { noReportingMetrics } from './reporting-metrics.ts';
import type { ReportingMetrics, StatusWriteResult } from './reporting-metrics.ts';
import type { ObjectReport, ReportedKind, ReportedObject, StatusFeed } from './status-feed.ts';
import { StatusPatch } from './status-patch.ts';
import type { ApiResponse, Transport } from './transport.ts';
import { WrittenStatuses } from './written-statuses.ts';

export interface StatusWriterOptions {
  readonly transport: Transport;
  readonly feed: StatusFeed;
  readonly leadership: Leadership;
  /** `.status` as it was last read; the same value for as long as it was not read anew. undefined: none, or not known. */
  readonly observedStatus: (kind: ReportedKind, key: ObjectKey) => unknown;
  readonly addresses: PublishedAddresses;
  /** Who owns the fields that are written. Two installations in one cluster must differ in it. Default `sallyport`. */
  readonly fieldManager?: string;
  /** Whether addresses are cleared by `stop`: whether no other replica runs. Left out: they stay. */
  readonly isLastReplica?: () => Promise<boolean>;
  /** How long clearing may take. Default 5 s. */
  readonly clearLimitMs?: number;
  readonly metrics?: ReportingMetrics;
  readonly log: Log;
  readonly clock?: KubeClock;
  /** Milliseconds since the epoch, for `lastTransitionTime`. */
  readonly wallNow?: () => number;
}

/**
 * Writes `.status` of what is ours, as the leader: addresses of an Ingress, conditions of a Route or BackendPolicy. A
 * status is compared with what the API server has and applied (KEP-555) only when it differs; at most once a second for an
 * object, ten at a time for all. Somebody else who keeps writing the same fields is answered ever more rarely.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #clock: KubeClock;
  readonly #metrics: ReportingMetrics;
  readonly #patch: StatusPatch;
  readonly #written: WrittenStatuses;
  readonly #queue: PacedQueue;
  #term: AbortSignal | undefined;
  readonly #stopping = new AbortController();
  #stopped = false;
  #failing = false;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? noReportingMetrics;
    this.#patch = new StatusPatch(options.transport, options.fieldManager ?? 'sallyport');
    this.#written = new WrittenStatuses(this.#clock);
    this.#queue = new PacedQueue({ clock: this.#clock, work: (id) => this.#look(id) });
    options.leadership.subscribe({
      onLead: (term) => {
        this.#term = term;
        this.#addAll();
      },
      onLose: () => {
        this.#term = undefined;
        this.#queue.clear();
      },
    });
    options.addresses.subscribe(() => this.#addAll('Ingress'));
  }

  /** What is said of these objects, or what their status says, changed. */
  changed(objects: Iterable<ReportedObject>): void {
    if (this.#term === undefined || this.#stopped) return;
    for (const { kind, key } of objects) this.#queue.add(`${kind}/${key}`);
  }

  /** Ends writing, and takes the addresses back if this is the last replica. The leader has to be one until then. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#queue.clear();
    const cancel = this.#clock.after(patienceMs, () => this.#stopping.abort());
    await this.#queue.idle();
    cancel();
    const { isLastReplica, leadership, log } = this.#options;
    if (isLastReplica === undefined || !leadership.isLeader() || !(await isLastReplica())) return;
    const cleared = await this.#clearAddresses();
    if (cleared > 0) log.info('addresses taken out of the status of Ingresses', { ingresses: cleared });
  }

  #addAll(kind?: ReportedKind): void {
    if (this.#term === undefined || this.#stopped) return;
    for (const report of this.#options.feed.reports()) {
      if (kind === undefined || report.kind === kind) this.#queue.add(`${report.kind}/${report.key}`);
    }
  }

  /** Writes the status of one object if it is not as it should be. */
  async #look(id: string): Promise<WorkOutcome> {
    const slash = id.indexOf('/');
    const kind = id.slice(0, slash) as ReportedKind;
    const key = id.slice(slash + 1);
    const { feed, addresses, leadership, wallNow = Date.now } = this.#options;
    const report = feed.report(kind, key);
    if (report === undefined) {
      this.#written.forget(id);
      return done;
    }
    const current = this.#current(id, report);
    const desired = desiredStatus(report, addresses.current());
    if (desired === undefined && !this.#isToBeTakenBack(id, report, current)) return done;
    const status = desired === undefined ? {} : statusToApply(desired, current, wallNow());
    if (status === undefined) return done;
    const restMs = this.#written.restMs(id, status);
    if (restMs > 0) return { kind: 'later', afterMs: restMs };
    const term = this.#term;
    if (term === undefined || !leadership.isLeader()) return done;
    return this.#write(id, report, { status, term, taken: desired === undefined });
  }

  /** What the object's status says now: what we wrote, until the API server tells it anew. */
  #current(id: string, { kind, key, uid }: ObjectReport): unknown {
    this.#written.forgetOther(id, uid);
    return this.#written.current(id, this.#options.observedStatus(kind, key));
  }

  /** Of an object that is not ours: whether we wrote what it says. */
  #isToBeTakenBack(id: string, { kind, owned }: ObjectReport, current: unknown): boolean {
    if (owned || this.#written.isTakenBack(id)) return false;
    if (this.#written.has(id)) return true;
    const own = this.#options.addresses.current() ?? [];
    // Written by the leader before us, by all appearances. If it was somebody else, applying nothing takes nothing away.
    return kind === 'Ingress' && own.length > 0 && sameAddresses(own, addressesIn(current));
  }

  async #write(
    id: string,
    report: ObjectReport,
    { status, term, taken }: { readonly status: object; readonly term: AbortSignal; readonly taken: boolean },
  ): Promise<WorkOutcome> {
    const observed = this.#options.observedStatus(report.kind, report.key);
    const signal = AbortSignal.any([term, this.#stopping.signal]);
    let answer: ApiResponse;
    try {
      answer = await this.#patch.apply(report, status, signal);
    } catch (error) {
      if (signal.aborted) return done;
      return this.#failed(report, 'failed', { err: error });
    }
    if (answer.status === 200 && this.#patch.isOf(report, answer)) {
      this.#failing = false;
      this.#metrics.statusWrite(report.kind, 'written');
      const { uid } = report;
      this.#written.note(id, { uid, observed, status: this.#patch.statusIn(answer), applied: status, taken });
      return done;
    }
    if (answer.status === 200 || this.#patch.isGone(answer)) {
      // Deleted, or replaced by another of its name. The watch will tell; should it not, this is tried again.
      this.#metrics.statusWrite(report.kind, 'gone');
      return { kind: 'failed' };
    }
    if (answer.status === 429 || answer.retryAfterMs !== undefined) {
      this.#metrics.statusWrite(report.kind, 'throttled');
      return { kind: 'pause', forMs: (answer.retryAfterMs ?? 1000) * (1 + this.#clock.random() / 10) };
    }
    const result = answer.status === 401 || answer.status === 403 ? 'denied' : 'failed';
    return this.#failed(report, result, { status: answer.status, detail: this.#patch.messageIn(answer) });
  }

  /** The first of a series is logged. */
  #failed(
    { kind, key }: ObjectReport,
    result: StatusWriteResult,
    fields: Readonly<Record<string, unknown>>,
  ): WorkOutcome {
    this.#metrics.statusWrite(kind, result);
    if (!this.#failing) this.#options.log.warn('status cannot be written', { kind, key, ...fields });
    this.#failing = true;
    return { kind: 'failed' };
  }

  async #clearAddresses(): Promise<number> {
    const limit = AbortSignal.timeout(this.#options.clearLimitMs ?? 5000);
    const own = this.#options.addresses.current() ?? [];
    const left = [...this.#options.feed.reports()].filter((report) => {
      const { kind, key, owned } = report;
      return (
        kind === 'Ingress' &&
        owned &&
        sameAddresses(own, addressesIn(this.#current(`${kind}/${key}`, report)))
      );
    });
    if (own.length === 0) return 0;
    let cleared = 0;
    const clear = async (): Promise<void> => {
      for (let report = left.pop(); report !== undefined && !limit.aborted; report = left.pop()) {
        // oxlint-disable-next-line no-await-in-loop -- one of ten lines that work at the same time
        const answer = await this.#patch.apply(report, {}, limit).catch(() => undefined);
        if (answer?.status !== 200) continue;
        this.#metrics.statusWrite('Ingress', 'written');
        cleared++;
      }
    };
    await Promise.all(Array.from({ length: 10 }, clear));
    return cleared;
  }
}

const done: WorkOutcome = { kind: 'done' };
/** How long `stop` waits for calls that are under way. */
const patienceMs = 2000;
