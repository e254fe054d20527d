import type { CompileResult, Compiler } from '../compile/compiler.ts';
import type { ObjectChange, Snapshot } from '../model/snapshot.ts';
import { emptyTable } from '../table/create-table.ts';
import { applyDelta, endpointsDelta, isEmptyDelta, tableDelta } from '../table/diff-tables.ts';
import type { RouteTable } from '../table/route-table.ts';
import type { TableDelta } from '../table/table-delta.ts';
import type { PublishOutcome } from '../workers/acknowledgements.ts';
import { atMost } from './at-most.ts';

// The one loop of the control plane. In: snapshots from a source. Out: compiled tables, published one after the other,
// and what came of each. It coalesces bursts, and a steady stream of changes cannot keep it from publishing.
// Nothing that fails here harms what is served: the table before stays in force. It must not import a source or a socket.

/** Where tables go: the worker pool. */
export interface TablePublisher {
  publish(table: RouteTable, delta: TableDelta): Promise<PublishOutcome>;
}

/** One compilation that is about to be published. */
export interface Compilation {
  readonly result: CompileResult;
  readonly snapshot: Snapshot;
  /** What differs from the compilation told before; undefined: anything may. */
  readonly changes: readonly ObjectChange[] | undefined;
  readonly compileMs: number;
}

/**
 * What the loop tells about its work. Called in this order: compiled or compileFailed, then published, then settled. Of
 * endpoints that go ahead while a compilation waits for `fetch` only published is told.
 */
export interface LoopObserver {
  compiled(compilation: Compilation): void;
  /** The compiler threw, which is a bug; the table before stays in force. */
  compileFailed(error: unknown): void;
  /** `table` is live in every worker, or could not be linked. `changeMs` counts from the first change that it holds. */
  published(table: RouteTable, outcome: PublishOutcome, changeMs: number): void;
  /** Every worker serves what this snapshot compiles to. Also told of changes that made no difference to the table. */
  settled(snapshot: Snapshot): void;
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
  /**
   * Told what compiled objects refer to and the source reads by name only. Answers undefined when all of it was looked up
   * before, else what resolves once it was; found objects come through `update`. Left out: the source reads everything.
   */
  readonly fetch?: (references: ReadonlySet<string>) => Promise<void> | undefined;
  /**
   * How long one publication waits for `fetch`. Default 1 s: then it goes out without what is missing. Endpoints do not
   * wait. The first waits as long as it takes, because what it lacks would be served as if it were not there.
   */
  readonly fetchWaitMs?: number;
  /** Quiet time that ends a burst of changes. Default 3 ms. */
  readonly holdoffMs?: number;
  /** Longest time that a change waits for the quiet. Default 15 ms. */
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

/** What the newest table was compiled from, and whether every worker serves it. */
interface Serving {
  /** undefined: from no snapshot, only some endpoints are newer than in the table before. */
  snapshot: Snapshot | undefined;
  live: boolean;
}

/** A run's own work is followed by as long a rest at most, so that churn takes half of the thread and no more. */
const longestRestMs = 500;

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
  #serving: Serving | undefined;
  #pending: Pending | undefined;
  #cancelTimer: (() => void) | undefined;
  #busy = false;
  /** Has what came meanwhile compiled, while a publication waits for `fetch`. */
  #wake: (() => void) | undefined;
  #stopped = false;
  #restUntilMs = 0;
  /** The compiler starts anew after it threw. */
  #compilerIsFresh = true;
  /** The newest result is not relative to our table: the compiler started anew, or a result was not published. */
  #tableIsBehind = true;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#holdoffMs = options.holdoffMs ?? 3;
    this.#maxHoldoffMs = options.maxHoldoffMs ?? 15;
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
    if (pending === undefined || (this.#busy && this.#wake === undefined)) return;
    const now = this.#clock.now();
    const quietMs = Math.min(this.#holdoffMs, pending.sinceMs + this.#maxHoldoffMs - now);
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(Math.max(0, quietMs, this.#restUntilMs - now), () => {
      if (this.#wake === undefined) void this.#run();
      else this.#wake();
    });
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    const pending = this.#takePending();
    if (pending === undefined) return;
    this.#busy = true;
    const compilation = await this.#compileAndFetch(pending);
    if (compilation !== undefined) await this.#publish(compilation, pending.sinceMs);
    this.#busy = false;
    this.#schedule();
  }

  #takePending(): Pending | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }

  /** Compiles, and again with what was fetched because the result refers to it, and with what else came meanwhile. */
  async #compileAndFetch(first: Pending): Promise<Compilation | undefined> {
    let compilation = this.#compile(first);
    let { sinceMs } = first;
    const waitMs = this.#table.generation === 0 ? Infinity : (this.#options.fetchWaitMs ?? 1000);
    const deadlineMs = this.#clock.now() + waitMs;
    /* oxlint-disable no-await-in-loop -- what is fetched may refer to more */
    while (compilation !== undefined) {
      const fetched = this.#options.fetch?.(compilation.result.references);
      if (fetched === undefined) break;
      await this.#publishEndpoints(compilation.result, sinceMs);
      await atMost(this.#clock, deadlineMs - this.#clock.now(), this.#orNews(fetched));
      this.#wake = undefined;
      if (this.#stopped) return undefined;
      const pending = this.#takePending();
      if (pending !== undefined) {
        this.#tableIsBehind = true;
        ({ sinceMs } = pending);
        const before = compilation;
        const again = this.#compile(pending);
        compilation = again && mergeCompilations(before, again);
      }
      if (this.#clock.now() >= deadlineMs) break;
    }
    /* oxlint-enable no-await-in-loop */
    if (compilation !== undefined) this.#options.observer.compiled(compilation);
    return compilation;
  }

  /** Resolves with `fetched`, or sooner when something came that may hold endpoints for what is served. */
  #orNews(fetched: Promise<void>): Promise<void> {
    if (this.#serving?.live !== true) return fetched;
    const news = Promise.withResolvers<void>();
    this.#wake = news.resolve;
    this.#schedule();
    return Promise.race([fetched, news.promise]);
  }

  /** Sends what is new of the endpoints of upstreams that are served, ahead of everything else that was compiled. */
  async #publishEndpoints({ changes }: CompileResult, sinceMs: number): Promise<void> {
    if (this.#serving?.live !== true) return;
    const delta = endpointsDelta(this.#table, changes.endpoints.set);
    const table = delta && applyDelta(this.#table, delta);
    if (delta === undefined || typeof table !== 'object') return;
    this.#tableIsBehind = true;
    await this.#send(table, delta, { sinceMs });
  }

  #compile({ snapshot, changes: given }: Pending): Compilation | undefined {
    const { compiler, observer } = this.#options;
    const startMs = this.#clock.now();
    const changes = this.#compilerIsFresh ? undefined : given;
    try {
      const result = compiler.compile(snapshot, changes);
      if (this.#compilerIsFresh) this.#tableIsBehind = true;
      this.#compilerIsFresh = false;
      const endMs = this.#clock.now();
      const compileMs = endMs - startMs;
      this.#restUntilMs = endMs + Math.min(compileMs, longestRestMs);
      return { result, snapshot, changes, compileMs };
    } catch (error) {
      this.#compilerIsFresh = true;
      observer.compileFailed(error);
      return undefined;
    }
  }

  async #publish({ result, snapshot }: Compilation, sinceMs: number): Promise<void> {
    const before = this.#table;
    const table: RouteTable = Object.freeze({ generation: before.generation + 1, ...result.table });
    const delta: TableDelta = this.#tableIsBehind
      ? tableDelta(before, table)
      : { base: before.generation, generation: table.generation, digest: table.digest, ...result.changes };
    this.#tableIsBehind = false;
    // The first table is published even when it is empty: being ready means to serve what there is.
    if (this.#serving !== undefined && isEmptyDelta(delta)) {
      this.#serving.snapshot = snapshot;
      if (this.#serving.live) this.#options.observer.settled(snapshot);
      return;
    }
    await this.#send(table, delta, { sinceMs, snapshot });
  }

  async #send(
    table: RouteTable,
    delta: TableDelta,
    { sinceMs, snapshot }: { readonly sinceMs: number; readonly snapshot?: Snapshot },
  ): Promise<void> {
    const serving: Serving = { snapshot, live: false };
    this.#table = table;
    this.#serving = serving;
    const published = this.#options.publisher.publish(table, delta).then((outcome) => {
      if (this.#stopped) return;
      this.#options.observer.published(table, outcome, this.#clock.now() - sinceMs);
      serving.live = outcome.kind === 'live';
      if (serving.live && serving.snapshot !== undefined) this.#options.observer.settled(serving.snapshot);
    });
    await atMost(this.#clock, this.#options.publishWaitMs ?? 1000, published);
  }
}

/** One compilation for the observer in place of two, of which the first was not published. */
function mergeCompilations(first: Compilation, second: Compilation): Compilation {
  const { changes } = first;
  return {
    ...second,
    changes:
      changes === undefined || second.changes === undefined ? undefined : [...changes, ...second.changes],
    compileMs: first.compileMs + second.compileMs,
    result: {
      ...second.result,
      diagnosticsChanged: first.result.diagnosticsChanged.union(second.result.diagnosticsChanged),
    },
  };
}
