import type { Log } from '../telemetry/log.ts';
import { countsAsRead } from './read-faults.ts';
import type { StalledScope } from './read-faults.ts';
import type { StallReason } from './reflector-events.ts';
import { describeScope } from './watch-plan.ts';
import type { PlannedScope } from './watch-plan.ts';

/** How far the reading of one scope is. */
class ScopeProgress {
  readonly planned: PlannedScope;
  synced = false;
  reason: StallReason | undefined;

  constructor(planned: PlannedScope) {
    this.planned = planned;
  }

  get stalled(): StalledScope | undefined {
    return this.reason === undefined ? undefined : { ...this.planned, reason: this.reason };
  }

  get read(): boolean {
    const { stalled } = this;
    return this.synced || (stalled !== undefined && countsAsRead(stalled));
  }
}

/** Whether everything that is watched was read at least once. Once open it stays so. */
export class SyncGate {
  readonly #log: Log;
  readonly #scopes: readonly ScopeProgress[];
  readonly #unread: Set<ScopeProgress>;

  constructor(scopes: readonly PlannedScope[], log: Log) {
    this.#log = log;
    this.#scopes = scopes.map((planned) => new ScopeProgress(planned));
    this.#unread = new Set(this.#scopes);
  }

  get open(): boolean {
    return this.#unread.size === 0;
  }

  /** `index` is the scope's place in the plan, here and below. */
  synced(index: number): void {
    const scope = this.#scopes[index];
    if (scope === undefined) return;
    scope.synced = true;
    this.#unread.delete(scope);
  }

  stalled(index: number, reason: StallReason | undefined): void {
    const scope = this.#scopes[index];
    if (scope === undefined) return;
    const isNews = reason !== undefined && reason.kind !== scope.reason?.kind && !this.#isKnown(reason);
    scope.reason = reason;
    if (isNews) this.#logStall(scope.planned, reason);
    if (scope.read) this.#unread.delete(scope);
  }

  /** What was not read yet, for people. */
  waitingFor(): readonly string[] {
    return [...this.#unread].map(({ planned, reason }) => {
      const what = describeScope(planned.scope);
      if (reason === undefined) return what;
      const verbs = reason.kind === 'forbidden' ? 'want the verbs list and watch: ' : '';
      return `${what}: ${verbs}${reason.message}`;
    });
  }

  /** Whether the API server answers, and will not let something be read without which there is no start. */
  get refused(): boolean {
    return [...this.#unread].some(
      ({ reason }) => reason?.kind === 'forbidden' || reason?.kind === 'unauthorized',
    );
  }

  *stalledScopes(): Generator<StalledScope> {
    for (const { stalled } of this.#scopes) if (stalled !== undefined) yield stalled;
  }

  /** Out of reach is the API server, not a kind: the first that notices says it for all. */
  #isKnown({ kind }: StallReason): boolean {
    return kind === 'unreachable' && this.#scopes.some(({ reason }) => reason?.kind === 'unreachable');
  }

  #logStall({ scope, mayBeForbidden }: PlannedScope, reason: StallReason): void {
    const fields = { resource: describeScope(scope), reason: reason.kind, detail: reason.message };
    if (reason.kind === 'absent' && scope.resource.optional) {
      this.#log.info('a kind is not installed in the cluster', fields);
    } else if (reason.kind === 'forbidden' && !mayBeForbidden) {
      this.#log.error('the API server refuses to let a kind be read', { ...fields, verbs: 'list, watch' });
    } else if (reason.kind === 'unreachable') {
      this.#log.warn('the API server does not answer', { detail: reason.message });
    } else {
      this.#log.warn('a kind cannot be read now', fields);
    }
  }
}
