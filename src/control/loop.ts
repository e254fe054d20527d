import type { CompileResult, Compiler } from '../compile/compiler.ts';
import type { ObjectChange, Snapshot } from '../model/snapshot.ts';
import { emptyTable } from '../table/create-table.ts';
import { isEmptyDelta, tableDelta } from '../table/diff-tables.ts';
import type { RouteTable } from '../table/route-table.ts';
import type { TableDelta } from '../table/table-delta.ts';
import type { PublishOutcome } from '../workers/acknowledgements.ts';

// The one loop of the control plane. In: snapshots from a source. Out: compiled tables, published one after the other,
// and what came of each. It coalesces bursts, and a steady stream of changes cannot keep it from publishing.
// Nothing that fails here harms what is served: the table before stays in force. It must not import a source or a socket.

/** Where tables go: the worker pool. */
export interface TablePublisher {
  publish(table: RouteTable, delta: TableDelta): Promise<PublishOutcome>;
}

/** What the loop tells about its work. Called in this order: compiled or compileFailed, then published. */
export interface LoopObserver {
  compiled(result: CompileResult, snapshot: Snapshot, compileMs: number): void;
  /** The compiler threw, which is a bug; the table before stays in force. */
  compileFailed(error: unknown): void;
  /** `table` is live in every worker, or could not be linked. `changeMs` counts from the first change that it holds. */
  published(table: RouteTable, outcome: PublishOutcome, changeMs: number): void;
}

/** Time as the loop sees it. */
export interface LoopClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Returns what cancels it. */
  after(ms: number, run: () => void): () => void;
}

export interface LoopOptions {
  readonly compiler: Compiler;
  readonly publisher: TablePublisher;
  readonly observer: LoopObserver;
  readonly clock?: LoopClock;
  /** Quiet time that ends a burst of changes. Default 10 ms. */
  readonly holdoffMs?: number;
  /** Longest time that a change waits for the quiet. Default 100 ms. */
  readonly maxHoldoffMs?: number;
  /** How long a publication may keep the next one waiting. Default 1 s: a worker that is being replaced must not stop the rest. */
  readonly publishWaitMs?: number;
}

interface Pending {
  snapshot: Snapshot;
  /** undefined: compare with the snapshot before. */
  changes: ObjectChange[] | undefined;
  readonly sinceMs: number;
}

export const systemClock: LoopClock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export class ControlLoop {
  readonly #options: LoopOptions;
  readonly #clock: LoopClock;
  readonly #holdoffMs: number;
  readonly #maxHoldoffMs: number;
  #table: RouteTable = emptyTable;
  #pending: Pending | undefined;
  #cancelTimer: (() => void) | undefined;
  #busy = false;
  #stopped = false;
  /** The compiler starts anew after it threw, so its changes are not relative to our table. */
  #compilerIsFresh = true;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#holdoffMs = options.holdoffMs ?? 10;
    this.#maxHoldoffMs = options.maxHoldoffMs ?? 100;
  }

  /** The newest table that was sent to the workers. */
  get table(): RouteTable {
    return this.#table;
  }

  /** Takes a newer snapshot. `changes` names what differs from the one given before; left out, the two are compared. */
  update(snapshot: Snapshot, changes?: readonly ObjectChange[]): void {
    if (this.#stopped) return;
    const before = this.#pending;
    if (before === undefined) {
      this.#pending = {
        snapshot,
        changes: changes === undefined ? undefined : [...changes],
        sinceMs: this.#clock.now(),
      };
    } else {
      before.snapshot = snapshot;
      if (changes === undefined) before.changes = undefined;
      else before.changes?.push(...changes);
    }
    this.#schedule();
  }

  /** Nothing is compiled or published from now on. */
  stop(): void {
    this.#stopped = true;
    this.#pending = undefined;
    this.#cancelTimer?.();
  }

  #schedule(): void {
    const pending = this.#pending;
    if (pending === undefined || this.#busy) return;
    const now = this.#clock.now();
    const latest = pending.sinceMs + this.#maxHoldoffMs;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(Math.max(0, Math.min(this.#holdoffMs, latest - now)), () => {
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    const pending = this.#pending;
    if (pending === undefined || this.#busy) return;
    this.#pending = undefined;
    this.#busy = true;
    const result = this.#compile(pending);
    if (result !== undefined) await this.#publish(result, pending.sinceMs);
    this.#busy = false;
    this.#schedule();
  }

  #compile({ snapshot, changes }: Pending): CompileResult | undefined {
    const { compiler, observer } = this.#options;
    const startMs = this.#clock.now();
    try {
      const result = compiler.compile(snapshot, this.#compilerIsFresh ? undefined : changes);
      observer.compiled(result, snapshot, this.#clock.now() - startMs);
      return result;
    } catch (error) {
      this.#compilerIsFresh = true;
      observer.compileFailed(error);
      return undefined;
    }
  }

  async #publish(result: CompileResult, sinceMs: number): Promise<void> {
    const before = this.#table;
    const table: RouteTable = Object.freeze({ generation: before.generation + 1, ...result.table });
    const delta: TableDelta = this.#compilerIsFresh
      ? tableDelta(before, table)
      : { base: before.generation, generation: table.generation, digest: table.digest, ...result.changes };
    this.#compilerIsFresh = false;
    // The first table is published even when it is empty: being ready means to serve what there is.
    if (before.generation > 0 && isEmptyDelta(delta)) return;
    this.#table = table;
    const published = this.#options.publisher.publish(table, delta).then((outcome) => {
      if (!this.#stopped) this.#options.observer.published(table, outcome, this.#clock.now() - sinceMs);
    });
    await this.#atMost(this.#options.publishWaitMs ?? 1000, published);
  }

  async #atMost(ms: number, work: Promise<void>): Promise<void> {
    let cancel: (() => void) | undefined;
    const limit = new Promise<void>((resolve) => {
      cancel = this.#clock.after(ms, resolve);
    });
    await Promise.race([work, limit]);
    cancel?.();
  }
}
