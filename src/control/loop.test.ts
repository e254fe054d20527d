import { describe, expect, test } from '@jest/globals';
import {
  change,
  loopHarness,
  received,
  settle,
  snapshotAt,
  snapshotOf,
  snapshotReferring,
} from '../../test/support/loop-harness.ts';
import type { TableDelta } from '../table/table-delta.ts';
import type { PublishOutcome } from '../workers/acknowledgements.ts';

function idsOf({ set }: TableDelta['endpoints']): readonly string[] {
  return set.map(({ id }) => id);
}

describe('control loop', () => {
  test('a burst becomes one publication, with the changes of all its updates', async () => {
    const { loop, clock, compiled, sent } = loopHarness();
    loop.update(snapshotOf('a'));
    await clock.advance(50);
    loop.update(snapshotOf('a', 'b'), [change]);
    await clock.advance(2);
    loop.update(snapshotOf('a', 'b', 'c'), [{ ...change, key: 'c/d' }]);
    await clock.advance(50);
    expect(compiled.map(({ changes }) => changes?.map(({ key }) => key))).toEqual([
      undefined,
      ['a/b', 'c/d'],
    ]);
    expect(sent.map(({ delta }) => delta.upstreams.set.map(({ id }) => id))).toEqual([['a'], ['b', 'c']]);
  });

  test('a steady stream of changes is published at least every 15 ms', async () => {
    const { loop, clock, sent } = loopHarness();
    for (let i = 0; i < 150; i++) {
      loop.update(snapshotOf(`u${i}`), [change]);
      await clock.advance(1);
    }
    // 150 ms of changes that never leave 3 ms of quiet.
    expect(sent.length).toBeGreaterThanOrEqual(9);
    expect(sent.length).toBeLessThanOrEqual(11);
  });

  test('a run is followed by a rest as long as its own work', async () => {
    const { loop, clock, sent, workFor } = loopHarness();
    loop.update(snapshotOf('a'));
    await clock.advance(50);
    workFor(200);
    loop.update(snapshotOf('b'), [change]);
    await clock.advance(3);
    expect(sent).toHaveLength(2);
    loop.update(snapshotOf('c'), [change]);
    await clock.advance(199);
    expect(sent).toHaveLength(2);
    await clock.advance(1);
    expect(sent).toHaveLength(3);
  });

  test('the first table is published even when it is empty, an unchanged one is not', async () => {
    const { loop, clock, sent, events } = loopHarness();
    loop.update(snapshotOf());
    await clock.advance(50);
    loop.update(snapshotOf());
    await clock.advance(50);
    expect(sent.map(({ table }) => table.generation)).toEqual([1]);
    expect(events).toEqual(['compiled', 'live 1 after 3', 'settled', 'compiled', 'settled']);
  });

  test('what changed nothing settles when the table that it is served by is live', async () => {
    const { loop, clock, held, events } = loopHarness({ hold: true });
    loop.update(snapshotOf('a'));
    await clock.advance(2000);
    loop.update(snapshotOf('a'), [change]);
    await clock.advance(50);
    expect(events).toEqual(['compiled', 'compiled']);
    held[0]?.({ kind: 'live', generation: 1, linkMs: 1, stallMs: 1, closed: [] });
    await settle();
    expect(events.at(-1)).toBe('settled a');
    loop.update(snapshotOf('b'), [change]);
    await clock.advance(50);
    held[1]?.({ kind: 'failed', generation: 2, message: 'no' });
    await settle();
    loop.update(snapshotOf('b'), [change]);
    await clock.advance(50);
    expect(events.slice(-3)).toEqual(['compiled', 'failed 2 after 50', 'compiled']);
  });

  test('the first table waits for everything that it refers to, however long that takes', async () => {
    const fetched = Promise.withResolvers<void>();
    const known = new Set<string>();
    const { loop, clock, sent, events } = loopHarness({
      fetch: (references) => ([...references].every((key) => known.has(key)) ? undefined : fetched.promise),
    });
    loop.update(snapshotReferring(['a'], ['Secret/a/tls']));
    await clock.advance(60_000);
    expect(sent).toHaveLength(0);
    expect(events).toEqual([]);
    known.add('Secret/a/tls');
    loop.update(snapshotReferring(['a', 'tls'], ['Secret/a/tls']), [change]);
    fetched.resolve();
    await settle();
    expect(sent.map(({ delta }) => delta.upstreams.set.map(({ id }) => id).toSorted())).toEqual([
      ['a', 'tls'],
    ]);
    expect(events.filter((event) => event === 'compiled')).toHaveLength(1);
  });

  test('a later table waits a second for what it refers to, and holds all that changed meanwhile', async () => {
    const { loop, clock, sent } = loopHarness({
      fetch: (references) => (references.size === 0 ? undefined : new Promise(() => undefined)),
    });
    loop.update(snapshotOf('a'));
    await clock.advance(50);
    loop.update(snapshotReferring(['a', 'b'], ['Secret/a/tls']), [change]);
    await clock.advance(500);
    loop.update(snapshotReferring(['b', 'c'], ['Secret/a/tls']), [change]);
    await clock.advance(502);
    expect(sent).toHaveLength(1);
    await clock.advance(1);
    expect(sent).toHaveLength(2);
    expect(sent[1]?.delta).toMatchObject({ base: 1, generation: 2, upstreams: { removed: ['a'] } });
    expect(sent[1]?.delta.upstreams.set.map(({ id }) => id)).toEqual(['b', 'c']);
  });

  test('endpoints of what is served do not wait for what a table refers to', async () => {
    const fetched = Promise.withResolvers<void>();
    const { loop, clock, sent, events } = loopHarness({
      fetch: (references) => (references.size === 0 ? undefined : fetched.promise),
    });
    loop.update(snapshotAt(['a=1', 'b=1']));
    await clock.advance(50);
    // One update brings an object that refers to something new, and an endpoint.
    loop.update(snapshotAt(['a=2', 'b=1', 'c=1'], ['Secret/a/tls']), [change]);
    await clock.advance(3);
    loop.update(snapshotAt(['a=2', 'b=2', 'c=2'], ['Secret/a/tls']), [change]);
    await clock.advance(3);
    expect(sent.slice(1).map(({ delta }) => [delta.upstreams.set.length, idsOf(delta.endpoints)])).toEqual([
      [0, ['a']],
      [0, ['b']],
    ]);
    expect(events.slice(3)).toEqual(['live 2 after 3', 'live 3 after 3']);
    await clock.advance(997);
    expect(sent).toHaveLength(4);
    expect(
      [...loop.table.endpoints.values()].map(({ id, endpoints: [one] }) => `${id}=${one?.address}`),
    ).toEqual(expect.arrayContaining(['a=2', 'b=2', 'c=2']));
    expect(events.slice(5)).toEqual(['compiled', 'live 4 after 1003', 'settled a b c']);
    expect(received(sent).endpoints).toEqual(new Map(loop.table.endpoints));
  });

  test('a table of which nothing is left when its endpoints went ahead settles all the same', async () => {
    const fetched = Promise.withResolvers<void>();
    const { loop, clock, sent, held, events } = loopHarness({
      hold: true,
      fetch: (references) => (references.size === 0 ? undefined : fetched.promise),
    });
    const live: PublishOutcome = { kind: 'live', generation: 0, linkMs: 1, stallMs: 1, closed: [] };
    loop.update(snapshotAt(['a=1']));
    await clock.advance(50);
    held[0]?.(live);
    await settle();
    loop.update(snapshotAt(['a=2'], ['Secret/a/tls']), [change]);
    await clock.advance(3000);
    expect(sent).toHaveLength(2);
    expect(events.at(-1)).toBe('compiled');
    held[1]?.(live);
    await settle();
    expect(events.at(-1)).toBe('settled a');
  });

  test('a compiler that throws leaves the table, and what it makes afterwards fits the table', async () => {
    const { loop, clock, sent, events, failNext, compiled } = loopHarness();
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
    expect([...received(sent).upstreams.keys()].toSorted()).toEqual(['b', 'c', 'd']);
  });

  test('publications follow each other, but a worker that never answers does not stop them', async () => {
    const { loop, clock, sent, held, events } = loopHarness({ hold: true });
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
    const { loop, clock, compiled } = loopHarness();
    loop.update(snapshotOf('a'));
    loop.stop();
    loop.update(snapshotOf('b'));
    await clock.advance(1000);
    expect(compiled).toHaveLength(0);
  });
});
