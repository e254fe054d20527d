import { eventText } from '../diagnostics/event-text.ts';
import type { Log } from '../telemetry/log.ts';
import { countEvent, createEvent, eventName } from './event-object.ts';
import type { EventReporter, EventSubject } from './event-object.ts';
import { systemClock } from './kube-clock.ts';
import type { KubeClock } from './kube-clock.ts';
import type { Leadership } from './leadership.ts';
import { isRecord } from './project-object.ts';
import { noReportingMetrics } from './reporting-metrics.ts';
import type { ReportingMetrics } from './reporting-metrics.ts';
import type { ObjectReport, ReportedObject, StatusFeed } from './status-feed.ts';
import { TokenBucket } from './token-bucket.ts';
import type { ApiResponse, Transport } from './transport.ts';
import { TurnQueue } from './turn-queue.ts';

export interface EventRecorderOptions {
  readonly transport: Transport;
  readonly feed: StatusFeed;
  readonly leadership: Leadership;
  readonly reporter: EventReporter;
  readonly metrics?: ReportingMetrics;
  readonly log: Log;
  readonly clock?: KubeClock;
  /** Milliseconds since the epoch, as people read it in an Event. */
  readonly wallNow?: () => number;
}

/** An Event that was written here. */
interface Told {
  count: number;
  atMs: number;
}

/** Overall: 50 at once, then 10 a second. */
const overallBurst = 50;
const overallRefillMs = 100;
/** For one object, as client-go has it: 25 at once, then one in five minutes. */
const objectBurst = 25;
const objectRefillMs = 300_000;
const maxWaiting = 1000;
const atOnce = 4;
/** What came up so shortly before this process became the leader may have been told by nobody. */
const recentMs = 60_000;
/** Events are kept for an hour, unless the API server is told otherwise. */
const keptMs = 3_600_000;
const maxTold = 4096;
const maxBuckets = 4096;

/**
 * Makes an Event of each new finding, errors and warnings, about our own objects. A finding is new when it comes up or its
 * text changes; one that goes is not told. The name of an Event comes from what it says, so that a restart or another
 * leader does not say it twice, and one that comes up again is counted in the Event that is there. Everything is bounded:
 * what is beyond the limits is dropped and counted, and still stands in conditions, metrics and on the admin address.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: KubeClock;
  readonly #metrics: ReportingMetrics;
  /** Object → names of the Events of its open findings → since when. */
  readonly #open = new Map<string, Map<string, number>>();
  readonly #told = new Map<string, Told>();
  readonly #overall: TokenBucket;
  readonly #buckets = new Map<string, TokenBucket>();
  /** By namespace: a flood of one takes no other's place. */
  readonly #waiting = new TurnQueue<EventSubject>();
  #running = 0;
  #pausedUntilMs = -Infinity;
  #cancelTimer: (() => void) | undefined;
  #term: AbortSignal | undefined;
  #failing = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? noReportingMetrics;
    this.#overall = new TokenBucket(overallBurst, overallRefillMs, this.#clock.now());
    options.leadership.subscribe({
      onLead: (term) => {
        this.#term = term;
        this.#catchUp();
      },
      onLose: () => this.stop(),
    });
  }

  /** What is said of these objects changed. */
  changed(objects: Iterable<ReportedObject>): void {
    for (const { kind, key } of objects) this.#take(`${kind}/${key}`, this.#options.feed.report(kind, key));
    this.#pump();
  }

  /** Nothing that waits is written any more. */
  stop(): void {
    this.#term = undefined;
    this.#waiting.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #take(id: string, report: ObjectReport | undefined): void {
    const subjects = report === undefined ? [] : subjectsOf(report);
    const before = this.#open.get(id);
    if (subjects.length === 0) {
      this.#open.delete(id);
      return;
    }
    const nowMs = this.#clock.now();
    const open = new Map<string, number>();
    for (const subject of subjects) {
      const name = eventName(subject);
      const since = before?.get(name);
      open.set(name, since ?? nowMs);
      if (since === undefined && this.#term !== undefined) this.#add(subject, nowMs);
    }
    this.#open.set(id, open);
  }

  #catchUp(): void {
    const nowMs = this.#clock.now();
    for (const report of this.#options.feed.reports()) {
      const open = this.#open.get(`${report.kind}/${report.key}`);
      if (open === undefined) {
        this.#take(`${report.kind}/${report.key}`, report);
        continue;
      }
      for (const subject of subjectsOf(report)) {
        const name = eventName(subject);
        const since = open.get(name) ?? nowMs;
        const told = this.#told.get(name)?.atMs ?? -Infinity;
        if (nowMs - since < recentMs && told < since) this.#add(subject, nowMs);
      }
    }
    this.#pump();
  }

  #add(subject: EventSubject, nowMs: number): void {
    const isAllowed = this.#bucketOf(subject, nowMs).take(nowMs);
    if (isAllowed) this.#waiting.add(namespaceOf(subject), subject);
    const isTooMany = this.#waiting.size > maxWaiting;
    if (isTooMany) this.#waiting.dropFromLargest();
    if (!isAllowed || isTooMany) this.#metrics.event('dropped');
  }

  #bucketOf({ kind, key, uid }: EventSubject, nowMs: number): TokenBucket {
    const id = `${kind}/${key}/${uid}`;
    const known = this.#buckets.get(id);
    if (known !== undefined) return known;
    if (this.#buckets.size >= maxBuckets) this.#dropBuckets(nowMs);
    const bucket = new TokenBucket(objectBurst, objectRefillMs, nowMs);
    this.#buckets.set(id, bucket);
    return bucket;
  }

  /** Those that are full mean nothing; beyond them the oldest go. */
  #dropBuckets(nowMs: number): void {
    for (const [id, bucket] of this.#buckets) if (bucket.isFull(nowMs)) this.#buckets.delete(id);
    for (const id of this.#buckets.keys()) {
      if (this.#buckets.size < maxBuckets / 2) break;
      this.#buckets.delete(id);
    }
  }

  /** Sends what may be sent now, and comes back when more may be. */
  #pump(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const nowMs = this.#clock.now();
    while (this.#waiting.size > 0 && this.#running < atOnce) {
      const term = this.#term;
      if (term === undefined || !this.#options.leadership.isLeader()) return;
      const waitMs = Math.max(this.#pausedUntilMs - nowMs, this.#overall.waitMs(nowMs));
      if (waitMs > 0) {
        this.#cancelTimer = this.#clock.after(waitMs, () => this.#pump());
        return;
      }
      this.#overall.take(nowMs);
      const subject = this.#waiting.take();
      if (subject !== undefined) void this.#send(subject, term);
    }
  }

  async #send(subject: EventSubject, term: AbortSignal): Promise<void> {
    this.#running++;
    try {
      this.#judge(subject, await this.#write(subject, term));
    } catch (error) {
      if (!term.aborted) this.#fails({ err: error });
    }
    this.#running--;
    this.#pump();
  }

  async #write(subject: EventSubject, signal: AbortSignal): Promise<ApiResponse> {
    const { transport, reporter, wallNow = Date.now } = this.#options;
    const told = this.#told.get(eventName(subject));
    if (told !== undefined && this.#clock.now() - told.atMs < keptMs) {
      const counted = await transport.request({ ...countEvent(subject, told.count + 1, wallNow()), signal });
      if (counted.status !== 404) return counted;
      this.#told.delete(eventName(subject));
    }
    return transport.request({ ...createEvent(subject, reporter, wallNow()), signal });
  }

  #judge(subject: EventSubject, { status, body, retryAfterMs }: ApiResponse): void {
    if (status === 200 || status === 201) {
      this.#failing = false;
      this.#metrics.event(status === 201 ? 'written' : 'merged');
      this.#remember(subject);
    } else if (status === 409) {
      // Told before, by a leader before us.
      this.#remember(subject);
    } else if (status === 429 || status === 503) {
      this.#pausedUntilMs = this.#clock.now() + (retryAfterMs ?? 1000);
      this.#waiting.add(namespaceOf(subject), subject);
    } else {
      this.#fails({ status, detail: isRecord(body) ? body['message'] : body });
    }
  }

  #remember(subject: EventSubject): void {
    const name = eventName(subject);
    const count = (this.#told.get(name)?.count ?? 0) + 1;
    // The one that was told last stands last.
    this.#told.delete(name);
    this.#told.set(name, { count, atMs: this.#clock.now() });
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= maxTold) break;
      this.#told.delete(oldest);
    }
  }

  /** The first of a series is logged. An Event is not worth a second try: what it says stands elsewhere too. */
  #fails(fields: Readonly<Record<string, unknown>>): void {
    this.#metrics.event('failed');
    if (!this.#failing) this.#options.log.warn('Events cannot be written', fields);
    this.#failing = true;
  }
}

function namespaceOf({ key }: EventSubject): string {
  return key.slice(0, key.indexOf('/'));
}

/** Of an object that is not ours, only why it is not although it asks for us is worth an Event. */
const missingClass = 'SP2001';

/** Findings that are told. Two that say the same are one. */
function subjectsOf({ kind, key, uid, owned, diagnostics }: ObjectReport): readonly EventSubject[] {
  const subjects = new Map<string, EventSubject>();
  for (const diagnostic of diagnostics) {
    if (diagnostic.severity === 'info' || (!owned && diagnostic.code !== missingClass)) continue;
    const subject = { kind, key, uid, text: eventText(diagnostic) };
    subjects.set(eventName(subject), subject);
  }
  return [...subjects.values()];
}
