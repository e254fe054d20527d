import { describe, expect, test } from '@jest/globals';
import { MetricRows } from './metric-rows.ts';
import { RowAllocator } from './row-allocator.ts';
import type { MeasuredRoute } from './route-labels.ts';
import { firstRouteRow, otherRow, rowCells, rowsPerSegment } from './row-layout.ts';

function route(name: string, services: readonly string[] = ['shop'], path = '/'): MeasuredRoute {
  const backends = services.map((service, index) => ({
    upstream: `team-a/${service}:80`,
    role: index === 0 ? 'stable' : 'canary',
  }));
  return {
    id: `Ingress/team-a/${name}/0.0`,
    hosts: ['shop.example'],
    path: { value: path },
    origin: { kind: 'Ingress', namespace: 'team-a', name, service: services[0] ?? '' },
    action: services.length === 0 ? { kind: 'respond' } : { kind: 'forward', forward: { backends } },
  };
}

const idOf = (name: string): string => `Ingress/team-a/${name}/0.0`;

class Bench {
  nowMs = 0;
  readonly allocator: RowAllocator;

  constructor(maxRoutes = 100, workers = 2) {
    this.allocator = new RowAllocator({ workers, maxRoutes, now: () => this.nowMs });
  }

  set(generation: number, ...routes: readonly MeasuredRoute[]): readonly (number | undefined)[] {
    const rows = this.allocator.publish(generation, routes, []);
    return routes.map(({ id }) => rows.get(id));
  }

  remove(generation: number, name: string): void {
    this.allocator.publish(generation, [], [idOf(name)]);
  }

  scrape(): readonly string[] {
    const end = this.allocator.beginScrape();
    const shown = this.allocator.rows().flatMap((rows) => rows.labels);
    end();
    return shown.flatMap((labels) => /object="([^"]+)"/.exec(labels)?.[1] ?? []);
  }

  /** Counts one exchange in a worker, the way a worker does. */
  count(worker: number, row: number): void {
    const rows = new MetricRows();
    for (const segment of this.allocator.segments(worker)) rows.addSegment(segment);
    rows.row(row).record('GET', 200, 1, -1, 0, 0);
  }

  counted(row: number): number {
    const sums = new Float64Array(5);
    this.allocator.addCells(row, rowCells.requests, sums);
    return sums[1] as number;
  }
}

describe('row allocator', () => {
  test('gives a row to each backend, and one to a route without any', () => {
    const bench = new Bench();
    const rows = bench.set(1, route('a', ['x', 'y', 'z']), route('b', []), route('c'));
    expect(rows).toEqual([firstRouteRow, firstRouteRow + 3, firstRouteRow + 4]);
    expect(bench.allocator.rowOf(idOf('b'))).toBe(firstRouteRow + 3);
    expect(bench.allocator.rowOf('unknown')).toBeUndefined();
  });

  test('sums the workers and keeps the rows of a route that is published again', () => {
    const bench = new Bench();
    const [row] = bench.set(1, route('a'));
    bench.count(0, row as number);
    bench.count(1, row as number);
    expect(bench.set(2, route('a'))).toEqual([row]);
    expect(bench.counted(row as number)).toBe(2);
  });

  test('a route whose labels change counts anew, and the old labels are shown once more', () => {
    const bench = new Bench();
    const [row] = bench.set(1, route('a', ['old']));
    const [next] = bench.set(2, route('a', ['new']));
    expect(next).not.toBe(row);
    expect(bench.scrape()).toEqual(['a', 'a']);
    bench.allocator.acknowledged(2);
    expect(bench.scrape()).toEqual(['a', 'a']);
    expect(bench.scrape()).toEqual(['a']);
  });

  test('a removed route keeps its rows until it is acknowledged, shown and has rested; then they are zero', () => {
    const bench = new Bench(1);
    const [row] = bench.set(1, route('a')) as [number];
    bench.count(1, row);
    bench.remove(2, 'a');
    expect(bench.scrape()).toEqual(['a']);
    bench.nowMs = 1e6;
    expect(bench.set(3, route('b'))).toEqual([otherRow]);
    bench.allocator.acknowledged(2);
    expect(bench.scrape()).toEqual(['a']);
    expect(bench.scrape()).toEqual([]);
    expect(bench.set(4, route('b'))).toEqual([otherRow]);
    bench.nowMs += 60_000;
    expect(bench.counted(row)).toBe(1);
    expect(bench.set(5, route('b'))).toEqual([row]);
    expect(bench.counted(row)).toBe(0);
  });

  test('without any scrape, rows come back after a quarter of an hour', () => {
    const bench = new Bench(1);
    const [row] = bench.set(1, route('a'));
    bench.remove(2, 'a');
    bench.allocator.acknowledged(2);
    bench.nowMs = 14 * 60_000;
    expect(bench.set(3, route('b'))).toEqual([otherRow]);
    bench.nowMs = 15 * 60_000;
    expect(bench.set(4, route('b'))).toEqual([row]);
  });

  test('a scrape that began before the acknowledgement has not shown the last values', () => {
    const bench = new Bench();
    bench.set(1, route('a'));
    bench.remove(2, 'a');
    const end = bench.allocator.beginScrape();
    bench.allocator.acknowledged(2);
    end();
    expect(bench.scrape()).toEqual(['a']);
    expect(bench.scrape()).toEqual([]);
  });

  test('a route that comes back counts on in its rows', () => {
    const bench = new Bench();
    const [row] = bench.set(1, route('a')) as [number];
    bench.count(0, row);
    bench.remove(2, 'a');
    bench.allocator.acknowledged(2);
    bench.scrape();
    expect(bench.set(3, route('a'))).toEqual([row]);
    expect(bench.counted(row)).toBe(1);
    expect(bench.scrape()).toEqual(['a']);
  });

  test('routes beyond the cap share rows and are counted', () => {
    const bench = new Bench(3);
    expect(bench.set(1, route('a', ['x', 'y']), route('b', ['x', 'y']), route('c'))).toEqual([
      firstRouteRow,
      otherRow,
      firstRouteRow + 2,
    ]);
    expect(bench.allocator.droppedRows).toBe(2);
    expect(bench.allocator.rowOf(idOf('b'))).toBe(otherRow);
    bench.remove(2, 'b');
    expect(bench.allocator.rowOf(idOf('b'))).toBeUndefined();
  });

  test('adds segments as rows are needed, one for each worker', () => {
    const bench = new Bench(5000, 3);
    expect(bench.allocator.segmentCount).toBe(1);
    bench.set(1, ...Array.from({ length: 2 * rowsPerSegment }, (_, index) => route(`r${index}`)));
    expect(bench.allocator.segmentCount).toBe(3);
    expect(bench.allocator.segments(2, 1).map(({ index }) => index)).toEqual([1, 2]);
    const memories = new Set(
      [0, 1, 2].flatMap((worker) => bench.allocator.segments(worker).map((s) => s.memory)),
    );
    expect(memories.size).toBe(9);
    const last = bench.allocator.rowOf(idOf(`r${2 * rowsPerSegment - 1}`)) as number;
    bench.count(2, last);
    expect(bench.counted(last)).toBe(1);
  });
});
