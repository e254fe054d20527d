import { describe, expect, test } from '@jest/globals';
import { MetricRows } from './metric-rows.ts';
import {
  cellsPerRow,
  latencyBucketsSeconds,
  methodLabels,
  rowCells,
  rowsPerSegment,
  segmentBytes,
  statusClasses,
  statusLabels,
} from './row-layout.ts';

function rowsOver(memory: SharedArrayBuffer, index = 0): MetricRows {
  const rows = new MetricRows();
  rows.addSegment({ index, memory });
  return rows;
}

describe('metric rows', () => {
  test('count each method and status class in a cell of its own', () => {
    const memory = new SharedArrayBuffer(segmentBytes);
    const cells = new Float64Array(memory);
    const rows = rowsOver(memory);
    const statuses = [101, 200, 302, 404, 503];
    const methods = [...methodLabels.slice(0, -1), 'PROPFIND'];
    for (const method of methods) {
      for (const [place, status] of statuses.entries()) {
        for (let times = 0; times <= place; times++) rows.row(2).record(method, status, 1, -1, 0, 0);
      }
    }
    const base = 2 * cellsPerRow + rowCells.requests;
    const counted = [...cells.subarray(base, base + methodLabels.length * statusClasses.length)];
    expect(counted).toEqual(methods.flatMap(() => [1, 2, 3, 4, 5]));
    const statusBase = 2 * cellsPerRow + rowCells.statuses;
    const byStatus = (label: string): unknown => cells[statusBase + statusLabels.indexOf(label as '200')];
    expect(byStatus('404')).toBe(4 * methods.length);
    expect(byStatus('4xx')).toBe(0);
  });

  test.each([
    [418, '4xx', 3],
    [499, '499', 3],
    [0, '499', 3],
    [700, '5xx', 4],
    [103, '1xx', 0],
    [299, '2xx', 1],
  ])('status %d counts as %s', (status, label, statusClass) => {
    const memory = new SharedArrayBuffer(segmentBytes);
    const cells = new Float64Array(memory);
    rowsOver(memory).row(0).record('GET', status, 1, -1, 0, 0);
    expect(cells[rowCells.requests + statusClass]).toBe(1);
    expect(cells[rowCells.statuses + statusLabels.indexOf(label as '200')]).toBe(1);
  });

  test('a bucket includes its upper bound, and what is above all bounds has a bucket', () => {
    const memory = new SharedArrayBuffer(segmentBytes);
    const cells = new Float64Array(memory);
    const row = rowsOver(memory).row(0);
    row.record('GET', 200, 1, 2.5, 10, 20);
    row.record('GET', 200, 1.01, -1, 1, 2);
    row.record('GET', 200, 60_000, 10_000, 0, 0);
    row.retried();
    const last = latencyBucketsSeconds.length;
    expect([...cells.subarray(rowCells.duration, rowCells.duration + 3)]).toEqual([1, 1, 0]);
    expect(cells[rowCells.duration + last]).toBe(1);
    expect(cells[rowCells.duration + last + 1]).toBeCloseTo(60.00201, 8);
    expect(cells[rowCells.upstream + 1]).toBe(1);
    expect(cells[rowCells.upstream + last - 1]).toBe(1);
    expect(cells[rowCells.upstream + last + 1]).toBeCloseTo(10.0025, 8);
    expect(cells[rowCells.requestBytes]).toBe(11);
    expect(cells[rowCells.responseBytes]).toBe(22);
    expect(cells[rowCells.retries]).toBe(1);
  });

  test('a row writes inside its own cells only', () => {
    const memory = new SharedArrayBuffer(segmentBytes);
    const cells = new Float64Array(memory);
    const row = rowsOver(memory, 3).row(3 * rowsPerSegment + 5);
    for (const status of [100, 599, 200]) row.record('OPTIONS', status, 1e6, 1e6, 1, 1);
    row.retried();
    const start = 5 * cellsPerRow;
    expect(cells.subarray(0, start).every((value) => value === 0)).toBe(true);
    expect(cells.subarray(start + cellsPerRow).every((value) => value === 0)).toBe(true);
  });

  test('row 0 works before shared memory is there and keeps its counts when it comes', () => {
    const rows = new MetricRows();
    const early = rows.row(0);
    early.record('GET', 404, 1, -1, 0, 0);
    const memory = new SharedArrayBuffer(segmentBytes);
    rows.addSegment({ index: 0, memory });
    rows.addSegment({ index: 0, memory });
    early.record('GET', 404, 1, -1, 0, 0);
    expect(new Float64Array(memory)[rowCells.requests + 3]).toBe(2);
  });

  test('refuses a row without memory and memory of another size', () => {
    const rows = new MetricRows();
    expect(() => rows.row(rowsPerSegment)).toThrow(RangeError);
    expect(() => rows.addSegment({ index: 1, memory: new SharedArrayBuffer(8) })).toThrow(RangeError);
  });
});
