import type { CompileResult } from '../../src/compile/compiler.ts';
import type { ObjectChange, Snapshot } from '../../src/model/snapshot.ts';
import { applyDelta } from '../../src/table/diff-tables.ts';
import { emptyTable } from '../../src/table/create-table.ts';
import { sealEntry } from '../../src/table/entry-digest.ts';
import type { EndpointSet, RouteTable, TableUpstream } from '../../src/table/route-table.ts';
import { TableEditor } from '../../src/table/table-editor.ts';
import type { TableDelta } from '../../src/table/table-delta.ts';
import type { PublishOutcome } from '../../src/workers/acknowledgements.ts';
import { ControlLoop } from '../../src/control/loop.ts';

/** A clock that stands still until told. */
export class ManualClock {
  #now = 0;
  #timers = new Map<() => void, number>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    this.#timers.set(run, this.#now + ms);
    return () => this.#timers.delete(run);
  }

  /** Time passes while something runs. */
  work(ms: number): void {
    this.#now += ms;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].toSorted((a, b) => a[1] - b[1]).find(([, at]) => at <= end);
      if (next === undefined) break;
      this.#timers.delete(next[0]);
      this.#now = Math.max(this.#now, next[1]);
      next[0]();
      await settle();
    }
    this.#now = Math.max(this.#now, end);
  }
}

/** Lets promises that are due run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** A snapshot that stands for the names of the upstreams that it compiles into. */
export function snapshotOf(...upstreams: string[]): Snapshot {
  return { upstreams } as unknown as Snapshot;
}

/** The same, with references to objects that are read by name. */
export function snapshotReferring(upstreams: readonly string[], references: readonly string[]): Snapshot {
  return { upstreams, references } as unknown as Snapshot;
}

/** A snapshot whose upstreams have endpoints: `a=10.0.0.1` stands for an upstream and its only one. */
export function snapshotAt(upstreams: readonly string[], references: readonly string[] = []): Snapshot {
  const at = new Map(upstreams.map((text) => text.split('=') as [string, string]));
  return { upstreams: [...at.keys()], at, references } as unknown as Snapshot;
}

export const change: ObjectChange = { kind: 'Ingress', key: 'a/b' };

export interface LoopHarnessOptions {
  hold?: boolean;
  fetch?: (references: ReadonlySet<string>) => Promise<void> | undefined;
}

/** Compiles what the snapshots of this file stand for. */
function scriptedCompiler(clock: ManualClock) {
  let editor = new TableEditor();
  let present = new Set<string>();
  let failNext = false;
  let workMs = 0;
  const compiled: { snapshot: Snapshot; changes: readonly ObjectChange[] | undefined }[] = [];
  return {
    compiled,
    compile: (snapshot: Snapshot, changes?: readonly ObjectChange[]): CompileResult => {
      compiled.push({ snapshot, changes });
      clock.work(workMs);
      if (failNext) {
        failNext = false;
        editor = new TableEditor();
        present = new Set();
        throw new Error('bug');
      }
      const wanted = new Set((snapshot as unknown as { upstreams: string[] }).upstreams);
      for (const id of present) if (!wanted.has(id)) editor.edit('upstreams', id, undefined);
      const { at } = snapshot as unknown as { at?: ReadonlyMap<string, string> };
      for (const id of wanted) {
        const address = at?.get(id);
        const endpoints = address === undefined ? [] : [{ address, port: 80, weight: 1 }];
        editor.edit('endpoints', id, sealEntry<EndpointSet>('endpoints', { id, endpoints }));
        editor.edit(
          'upstreams',
          id,
          sealEntry<TableUpstream>('upstreams', { id, protocol: 'http1', balance: 'round-robin' }),
        );
      }
      present = wanted;
      return {
        ...editor.commit(),
        diagnostics: new Map(),
        diagnosticsChanged: new Set(),
        compiledObjects: wanted.size,
        references: new Set((snapshot as unknown as { references?: string[] }).references),
        isOwned: () => true,
      };
    },
    failNext: () => {
      failNext = true;
    },
    /** Each compilation takes this long from now on. */
    workFor: (ms: number) => {
      workMs = ms;
    },
  };
}

/** A control loop over a compiler, a publisher and a clock that do as they are told. */
export function loopHarness(options: LoopHarnessOptions = {}) {
  const clock = new ManualClock();
  const compiler = scriptedCompiler(clock);
  const sent: { table: RouteTable; delta: TableDelta }[] = [];
  const events: string[] = [];
  const held: ((outcome: PublishOutcome) => void)[] = [];
  const loop = new ControlLoop({
    clock,
    compiler,
    publisher: {
      publish: (table, delta) => {
        sent.push({ table, delta });
        const live: PublishOutcome = {
          kind: 'live',
          generation: table.generation,
          linkMs: 1,
          stallMs: 1,
          closed: [],
        };
        return options.hold === true ? new Promise((resolve) => held.push(resolve)) : Promise.resolve(live);
      },
    },
    observer: {
      compiled: () => events.push('compiled'),
      compileFailed: (error) => events.push(`failed: ${(error as Error).message}`),
      published: (table, outcome, ms) => events.push(`${outcome.kind} ${table.generation} after ${ms}`),
      settled: (snapshot) =>
        events.push(`settled ${(snapshot as unknown as { upstreams: string[] }).upstreams.join(' ')}`.trim()),
    },
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
  const { compiled, failNext, workFor } = compiler;
  return { loop, clock, compiled, sent, events, held, failNext, workFor };
}

/** The table of whoever took every delta. */
export function received(sent: readonly { readonly delta: TableDelta }[]): RouteTable {
  return sent.reduce<RouteTable>((table, { delta }) => {
    const next = applyDelta(table, delta);
    if (typeof next === 'string') throw new Error(next);
    return next;
  }, emptyTable);
}
