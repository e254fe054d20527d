import type { Log } from '../telemetry/log.ts';
import { systemClock } from './kube-clock.ts';
import type { KubeClock } from './kube-clock.ts';
import { absentLease, decodeLease, heldLease, releasedLease } from './lease-record.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { Leadership, LeadershipListener } from './leadership.ts';
import { resourcePath } from './resources.ts';
import type { ApiResponse, Transport } from './transport.ts';

export interface LeaderLeaseOptions {
  readonly transport: Transport;
  readonly namespace: string;
  readonly name: string;
  /** Of this process among all that want the Lease. */
  readonly identity: string;
  /** How long a silent leader keeps the Lease. Default 12 s. The leader gives up after two thirds of it. */
  readonly durationMs?: number;
  readonly log: Log;
  readonly clock?: KubeClock;
  /** Milliseconds since the epoch: for people who read the Lease, no decision depends on it. */
  readonly wallNow?: () => number;
}

/** What was seen last of somebody's hold, and since when by our own clock. */
interface Observation {
  readonly record: LeaseRecord;
  readonly sinceMs: number;
}

const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

/**
 * Leader election by a coordination.k8s.io/v1 Lease, as client-go does it.
 *
 * One writer at a time rests on two durations and on no wall clock. The leader counts itself as such until two thirds of
 * the duration after it *began* its last successful renewal. Another takes over once it has *seen* the same record for the
 * whole duration. Both are monotonic time of the own process, so clocks may disagree, and may run up to a third faster or
 * slower than each other. Every write is a compare-and-swap by resourceVersion. A Lease that is deleted is no release: who
 * ever saw it waits for the whole duration. Only a process that starts just then cannot know, and takes it.
 */
export class LeaderLease implements Leadership {
  readonly #options: LeaderLeaseOptions;
  readonly #clock: KubeClock;
  readonly #durationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  readonly #path: string;
  readonly #listeners: LeadershipListener[] = [];
  readonly #stopping = new AbortController();
  /** The Lease as we wrote it last; undefined when it is not ours, or nobody knows. */
  #mine: LeaseRecord | undefined;
  #observed: Observation | undefined;
  /** When the Lease was last found to be gone. */
  #absentAtMs = -Infinity;
  #leadsUntilMs = -Infinity;
  #term: AbortController | undefined;
  #cancelTerm: (() => void) | undefined;
  #cancelNext: (() => void) | undefined;
  #attempt: Promise<void> | undefined;
  #failing = false;

  constructor(options: LeaderLeaseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#durationMs = options.durationMs ?? 12_000;
    this.#renewDeadlineMs = (this.#durationMs * 2) / 3;
    this.#retryMs = this.#durationMs / 6;
    const { namespace, name } = options;
    this.#path = resourcePath(leases, { namespace, name });
  }

  /** Who leads, as far as is known: an identity, or '' for nobody. */
  get holder(): string {
    return this.isLeader() ? this.#options.identity : (this.#observed?.record.holder ?? '');
  }

  isLeader(): boolean {
    return this.#term !== undefined && this.#clock.now() < this.#leadsUntilMs;
  }

  subscribe(listener: LeadershipListener): void {
    this.#listeners.push(listener);
  }

  start(): void {
    this.#run();
  }

  /** Gives the Lease back, so that another takes it within seconds. Whoever writes as the leader must be done by then. */
  async stop(): Promise<void> {
    this.#cancelNext?.();
    this.#stopping.abort();
    this.#endTerm('stopping');
    await this.#attempt;
    if (this.#mine !== undefined) await this.#release(this.#mine);
  }

  #run(): void {
    if (this.#stopping.signal.aborted) return;
    this.#attempt = this.#tryOnce().then((waitMs) => {
      if (this.#stopping.signal.aborted) return;
      this.#cancelNext = this.#clock.after(waitMs, () => this.#run());
    });
  }

  /** Acquires or renews. Returns how long to wait before the next time. Never rejects. */
  async #tryOnce(): Promise<number> {
    try {
      const answer = this.#mine === undefined ? await this.#acquire() : await this.#renew(this.#mine);
      if (answer === undefined || answer.status < 300) {
        this.#failing = false;
        return this.#nextMs();
      }
      this.#fails({ status: answer.status });
      return Math.max(this.#jitter(this.#retryMs), Math.min(answer.retryAfterMs ?? 0, this.#durationMs));
    } catch (error) {
      this.#fails({ err: error });
      // The time that is left is short, and a call that timed out has waited already.
      return this.#jitter(this.#retryMs / 2);
    }
  }

  async #renew(mine: LeaseRecord): Promise<ApiResponse | undefined> {
    const answer = await this.#hold(mine, mine);
    if (answer.status === 409) {
      // Somebody else wrote, or we did and never heard of it: only a look will tell.
      this.#mine = undefined;
      return this.#acquire();
    }
    if (answer.status !== 404) return answer;
    this.#mine = undefined;
    return this.#createWhenSafe();
  }

  async #acquire(): Promise<ApiResponse | undefined> {
    const answer = await this.#call('GET');
    if (answer.status === 404) return this.#createWhenSafe();
    if (answer.status !== 200) return answer;
    const record = decodeLease(answer.body);
    if (record.spec !== this.#observed?.record.spec) this.#observed = { record, sinceMs: this.#clock.now() };
    if (record.holder !== this.#options.identity) this.#endTerm(`held by ${record.holder}`);
    if (this.#mustWait()) return undefined;
    const taken = await this.#hold(record, record.holder === this.#options.identity ? record : undefined);
    // Another was faster.
    return taken.status === 409 ? undefined : taken;
  }

  /** Whether somebody else may still count itself as the leader. */
  #mustWait(): boolean {
    return this.#expiresInMs() > 0;
  }

  #expiresInMs(): number {
    const { record, sinceMs } = this.#observed ?? {};
    if (record === undefined || record.holder === '' || record.holder === this.#options.identity) return 0;
    return (sinceMs ?? 0) + (record.durationMs ?? this.#durationMs) - this.#clock.now();
  }

  /** Writes the Lease with us as its holder over `base`; `own` is the record that we go on with, if it is ours already. */
  async #hold(base: LeaseRecord, own: LeaseRecord | undefined): Promise<ApiResponse> {
    const startMs = this.#clock.now();
    const answer = await this.#call('PUT', heldLease(base, { ...this.#terms(), own }));
    if (answer.status === 200) this.#held(answer.body, startMs);
    return answer;
  }

  /** A Lease that was there and is not any more may have had a holder that we did not see: it has to be waited for. */
  async #createWhenSafe(): Promise<ApiResponse | undefined> {
    const nowMs = this.#clock.now();
    if (this.isLeader()) this.#observed = undefined;
    else if (this.#observed !== undefined) {
      // While nobody looked, somebody may have held another one that is gone as well.
      const looked = this.#observed.record === absentLease && nowMs - this.#absentAtMs < this.#retryMs * 1.5;
      if (!looked) this.#observed = { record: absentLease, sinceMs: nowMs };
    }
    this.#absentAtMs = nowMs;
    this.#endTerm('the Lease was deleted');
    return this.#mustWait() ? undefined : this.#create();
  }

  async #create(): Promise<ApiResponse | undefined> {
    const { namespace, name } = this.#options;
    const startMs = this.#clock.now();
    const body = heldLease(undefined, { ...this.#terms(), own: undefined, metadata: { namespace, name } });
    const answer = await this.#call('POST', body);
    if (answer.status === 201) this.#held(answer.body, startMs);
    return answer.status === 409 ? undefined : answer;
  }

  #terms() {
    const nowMs = (this.#options.wallNow ?? Date.now)();
    return { identity: this.#options.identity, durationMs: this.#durationMs, nowMs };
  }

  #held(body: unknown, startMs: number): void {
    const record = decodeLease(body);
    this.#mine = record;
    this.#observed = { record, sinceMs: this.#clock.now() };
    this.#leadsUntilMs = startMs + this.#renewDeadlineMs;
    const leftMs = this.#leadsUntilMs - this.#clock.now();
    // An answer that came after the deadline makes nobody a leader; and one that is stopping wants to be none.
    if (leftMs <= 0 || this.#stopping.signal.aborted) return;
    this.#cancelTerm?.();
    this.#cancelTerm = this.#clock.after(leftMs, () => this.#endTerm('could not renew the Lease in time'));
    if (this.#term !== undefined) return;
    const term = new AbortController();
    this.#term = term;
    this.#options.log.info('leader', { lease: this.#options.name, identity: this.#options.identity });
    for (const listener of this.#listeners) listener.onLead(term.signal);
  }

  #endTerm(reason: string): void {
    const term = this.#term;
    if (term === undefined) return;
    this.#term = undefined;
    this.#leadsUntilMs = -Infinity;
    this.#cancelTerm?.();
    term.abort();
    this.#options.log.info('no longer leader', { lease: this.#options.name, reason });
    for (const listener of this.#listeners) listener.onLose();
  }

  async #release(mine: LeaseRecord): Promise<void> {
    try {
      const answer = await this.#callAtEnd('PUT', releasedLease(mine));
      if (answer.status !== 409) return;
      // A renewal was under way when we stopped, and came through.
      const { status, body } = await this.#callAtEnd('GET');
      const now = decodeLease(body);
      if (status === 200 && now.holder === this.#options.identity)
        await this.#callAtEnd('PUT', releasedLease(now));
    } catch (error) {
      this.#options.log.warn('could not release the Lease', { lease: this.#options.name, err: error });
    }
  }

  #nextMs(): number {
    const usualMs = this.#jitter(this.#retryMs);
    const expiresInMs = this.#expiresInMs();
    // Right after it, and not all at the same moment.
    return expiresInMs > 0 ? Math.min(usualMs, expiresInMs + this.#clock.random() * 200) : usualMs;
  }

  #jitter(ms: number): number {
    return ms * (0.8 + 0.3 * this.#clock.random());
  }

  /** Told once until it works again. */
  #fails(fields: Readonly<Record<string, unknown>>): void {
    if (this.#failing || this.#stopping.signal.aborted) return;
    this.#failing = true;
    this.#options.log.warn('Lease cannot be read or written', { path: this.#path, ...fields });
  }

  /** A call of the election: on the Lease, or with POST on the collection that it is to be in. */
  #call(method: 'GET' | 'POST' | 'PUT', body?: unknown): Promise<ApiResponse> {
    const { namespace } = this.#options;
    return this.#options.transport.request({
      method,
      path: method === 'POST' ? resourcePath(leases, { namespace }) : this.#path,
      timeoutMs: Math.max(1000, this.#retryMs * 2),
      signal: this.#stopping.signal,
      ...(body === undefined ? {} : { body }),
    });
  }

  /** A call of the release, which is made when nothing else is. */
  #callAtEnd(method: 'GET' | 'PUT', body?: unknown): Promise<ApiResponse> {
    const withBody = body === undefined ? {} : { body };
    return this.#options.transport.request({ method, path: this.#path, timeoutMs: 1500, ...withBody });
  }
}
