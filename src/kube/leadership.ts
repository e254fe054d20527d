/** Whether this process is the one that writes to the cluster. */
export interface Leadership {
  /** True of one process at any time. Ask right before each write. */
  isLeader(): boolean;
  /** Before `start`. */
  subscribe(listener: LeadershipListener): void;
  start(): void;
  /** No longer the leader when it resolves. */
  stop(): Promise<void>;
}

export interface LeadershipListener {
  /** `term` is aborted when this process is no longer the leader: what is under way must end then. */
  onLead(term: AbortSignal): void;
  onLose(): void;
}

/** Of a process that has no replicas (`--disable-leader-election`). */
export class SoleLeader implements Leadership {
  readonly #listeners: LeadershipListener[] = [];
  #term: AbortController | undefined;

  isLeader(): boolean {
    return this.#term !== undefined;
  }

  subscribe(listener: LeadershipListener): void {
    this.#listeners.push(listener);
  }

  start(): void {
    const term = new AbortController();
    this.#term = term;
    for (const listener of this.#listeners) listener.onLead(term.signal);
  }

  stop(): Promise<void> {
    const term = this.#term;
    this.#term = undefined;
    term?.abort();
    if (term !== undefined) for (const listener of this.#listeners) listener.onLose();
    return Promise.resolve();
  }
}
