import { describe, expect, test } from '@jest/globals';
import type { CompileResult } from '../compile/compiler.ts';
import type { ObjectChange, Snapshot } from '../model/snapshot.ts';
import { applyDelta } from '../table/diff-tables.ts';
import { emptyTable } from '../table/create-table.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { RouteTable, TableUpstream } from '../table/route-table.ts';
import { TableEditor } from '../table/table-editor.ts';
import type { TableDelta } from '../table/table-delta.ts';
import type { PublishOutcome } from '../workers/acknowledgements.ts';
import { ControlLoop } from './loop.ts';

/** A clock that stands still until told. */
class ManualClock {
  #now = 0;
  #timers = new Map<() => void, number>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    this.#timers.set(run, this.#now + ms);
    return () => this.#timers.delete(run);
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].toSorted((a, b) => a[1] - b[1]).find(([, at]) => at <= end);
      if (next === undefined) break;
      this.#timers.delete(next[0]);
      this.#now = next[1];
      next[0]();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets promises that are due run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** A snapshot that stands for the names of the upstreams that it compiles into. */
function snapshotOf(...upstreams: string[]): Snapshot {
  return { upstreams } as unknown as Snapshot;
}

const change: ObjectChange = { kind: 'Ingress', key: 'a/b' };

function harness(options: { hold?: boolean } = {}) {
  const clock = new ManualClock();
  let editor = new TableEditor();
  let present = new Set<string>();
  let failNext = false;
  const compiled: { snapshot: Snapshot; changes: readonly ObjectChange[] | undefined }[] = [];
  const sent: { table: RouteTable; delta: TableDelta }[] = [];
  const events: string[] = [];
  const held: ((outcome: PublishOutcome) => void)[] = [];
  const loop = new ControlLoop({
    clock,
    compiler: {
      compile: (snapshot, changes): CompileResult => {
        compiled.push({ snapshot, changes });
        if (failNext) {
          failNext = false;
          editor = new TableEditor();
          present = new Set();
          throw new Error('bug');
        }
        const wanted = new Set((snapshot as unknown as { upstreams: string[] }).upstreams);
        for (const id of present) if (!wanted.has(id)) editor.edit('upstreams', id, undefined);
        for (const id of wanted) {
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
        };
      },
    },
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
    },
  });
  return {
    loop,
    clock,
    compiled,
    sent,
    events,
    held,
    failNext: () => {
      failNext = true;
    },
  };
}

describe('control loop', () => {
  test('a burst becomes one publication, with the changes of all its updates', async () => {
    const { loop, clock, compiled, sent } = harness();
    loop.update(snapshotOf('a'));
    await clock.advance(50);
    loop.update(snapshotOf('a', 'b'), [change]);
    await clock.advance(5);
    loop.update(snapshotOf('a', 'b', 'c'), [{ ...change, key: 'c/d' }]);
    await clock.advance(50);
    expect(compiled.map(({ changes }) => changes?.map(({ key }) => key))).toEqual([
      undefined,
      ['a/b', 'c/d'],
    ]);
    expect(sent.map(({ delta }) => delta.upstreams.set.map(({ id }) => id))).toEqual([['a'], ['b', 'c']]);
  });

  test('a steady stream of changes is published at least every 100 ms', async () => {
    const { loop, clock, sent } = harness();
    for (let i = 0; i < 100; i++) {
      loop.update(snapshotOf(`u${i}`), [change]);
      await clock.advance(5);
    }
    // 500 ms of changes that never leave 10 ms of quiet.
    expect(sent.length).toBeGreaterThanOrEqual(4);
    expect(sent.length).toBeLessThanOrEqual(6);
  });

  test('the first table is published even when it is empty, an unchanged one is not', async () => {
    const { loop, clock, sent, events } = harness();
    loop.update(snapshotOf());
    await clock.advance(50);
    loop.update(snapshotOf());
    await clock.advance(50);
    expect(sent.map(({ table }) => table.generation)).toEqual([1]);
    expect(events).toEqual(['compiled', 'live 1 after 10', 'compiled']);
  });

  test('a compiler that throws leaves the table, and what it makes afterwards fits the table', async () => {
    const { loop, clock, sent, events, failNext, compiled } = harness();
    loop.update(snapshotOf('a', 'b'));
    await clock.advance(50);
    const before = loop.table;
    failNext();
    loop.update(snapshotOf('b', 'c'), [change]);
    await clock.advance(50);
    expect(loop.table).toBe(before);
    expect(events.at(-1)).toBe('failed: bug');
    loop.update(snapshotOf('b', 'c', 'd'), [change]);
    await clock.advance(50);
    expect(compiled.at(-1)?.changes).toBeUndefined();
    const last = sent.at(-1);
    expect(last?.delta).toMatchObject({ base: 1, generation: 2, upstreams: { removed: ['a'] } });
    const received = sent.reduce<RouteTable>((table, { delta }) => {
      const next = applyDelta(table, delta);
      if (typeof next === 'string') throw new Error(next);
      return next;
    }, emptyTable);
    expect([...received.upstreams.keys()].toSorted()).toEqual(['b', 'c', 'd']);
  });

  test('publications follow each other, but a worker that never answers does not stop them', async () => {
    const { loop, clock, sent, held, events } = harness({ hold: true });
    loop.update(snapshotOf('a'));
    await clock.advance(50);
    loop.update(snapshotOf('b'), [change]);
    await clock.advance(500);
    expect(sent).toHaveLength(1);
    await clock.advance(600);
    expect(sent.map(({ delta }) => delta.base)).toEqual([0, 1]);
    for (const resolve of held) resolve({ kind: 'failed', generation: 1, message: 'no' });
    await settle();
    expect(events.filter((event) => event.startsWith('failed'))).toHaveLength(2);
  });

  test('after stop nothing happens', async () => {
    const { loop, clock, compiled } = harness();
    loop.update(snapshotOf('a'));
    loop.stop();
    loop.update(snapshotOf('b'));
    await clock.advance(1000);
    expect(compiled).toHaveLength(0);
  });
});
