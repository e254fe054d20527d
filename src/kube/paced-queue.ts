import { DueHeap } from './due-heap.ts';
import type { KubeClock } from './kube-clock.ts';

/** What came of one piece of work. */
export type WorkOutcome =
  | { readonly kind: 'done' }
  /** To be tried again; the pause before that grows with each failure in a row. */
  | { readonly kind: 'failed' }
  /** To be looked at again, no sooner than this. */
  | { readonly kind: 'later'; readonly afterMs: number }
  /** Nothing at all is to be tried before this; then it is tried again. */
  | { readonly kind: 'pause'; readonly forMs: number };

export interface PacedQueueOptions {
  /** Must not reject. Asks for the newest state when it is called. */
  readonly work: (key: string) => Promise<WorkOutcome>;
  readonly clock: KubeClock;
  /** At least so long between two starts for one key. Default 1 s. */
  readonly intervalMs?: number;
  /** Default 10. */
  readonly concurrency?: number;
}

interface Task {
  readonly key: string;
  dueMs: number;
  /** False: it only remembers when the key may be worked on again. */
  wanted: boolean;
  running: boolean;
  failures: number;
}

const firstRetryMs = 1000;
const longestRetryMs = 60_000;

/**
 * Work by key: at most one at a time for a key and one start an interval, a few at a time for all. A key that is added
 * while it waits or runs is worked on once more, whatever the number of times, so the newest state wins.
 */
export class PacedQueue {
  readonly #options: PacedQueueOptions;
  readonly #intervalMs: number;
  readonly #concurrency: number;
  #tasks = new Map<string, Task>();
  #due = new DueHeap<Task>();
  #running = 0;
  #pausedUntilMs = -Infinity;
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #idle: (() => void)[] = [];

  constructor(options: PacedQueueOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 1000;
    this.#concurrency = options.concurrency ?? 10;
  }

  /** Keys that wait to be worked on. */
  get waiting(): number {
    let count = 0;
    for (const { wanted } of this.#tasks.values()) if (wanted) count++;
    return count;
  }

  add(key: string): void {
    const task = this.#tasks.get(key);
    if (task !== undefined) {
      task.wanted = true;
      return;
    }
    const fresh: Task = {
      key,
      dueMs: this.#options.clock.now(),
      wanted: true,
      running: false,
      failures: 0,
    };
    this.#tasks.set(key, fresh);
    this.#due.push(fresh);
    this.#schedule();
  }

  /** Forgets everything that waits. What runs goes on. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#tasks = new Map();
    this.#due = new DueHeap();
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    const next = this.#due.peek();
    if (next === undefined || this.#running >= this.#concurrency) return;
    const atMs = Math.max(next.dueMs, this.#pausedUntilMs);
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.cancel();
    const waitMs = Math.max(0, atMs - this.#options.clock.now());
    this.#timer = { atMs, cancel: this.#options.clock.after(waitMs, () => this.#pump()) };
  }

  #pump(): void {
    this.#timer = undefined;
    const nowMs = this.#options.clock.now();
    while (this.#running < this.#concurrency && nowMs >= this.#pausedUntilMs) {
      const next = this.#due.peek();
      if (next === undefined || next.dueMs > nowMs) break;
      this.#due.pop();
      if (next.wanted) void this.#run(next, nowMs);
      else this.#tasks.delete(next.key);
    }
    this.#schedule();
  }

  async #run(task: Task, startMs: number): Promise<void> {
    this.#running++;
    task.wanted = false;
    const outcome = await this.#options.work(task.key);
    this.#running--;
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
    // Else forgotten meanwhile.
    if (this.#tasks.get(task.key) === task) {
      task.dueMs = Math.max(startMs + this.#intervalMs, this.#nextMs(task, outcome));
      this.#due.push(task);
    }
    this.#schedule();
  }

  #nextMs(task: Task, outcome: WorkOutcome): number {
    const { clock } = this.#options;
    const nowMs = clock.now();
    if (outcome.kind === 'done') {
      task.failures = 0;
      return nowMs;
    }
    task.wanted = true;
    if (outcome.kind === 'later') return nowMs + outcome.afterMs;
    if (outcome.kind === 'pause') {
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + outcome.forMs);
      return this.#pausedUntilMs;
    }
    const topMs = Math.min(longestRetryMs, firstRetryMs * 2 ** task.failures++);
    return nowMs + topMs * (0.5 + clock.random() / 2);
  }
}
