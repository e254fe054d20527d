import { describe, expect, test } from '@jest/globals';
import { counterBytes, errorNames, gcKinds } from './counter-layout.ts';
import type { CounterName } from './counter-layout.ts';
import { CounterReader, WorkerCounters, createCounterMemory } from './worker-counters.ts';

function read(count: (counters: WorkerCounters) => void, memory = createCounterMemory()): CounterReader {
  count(new WorkerCounters(memory));
  return new CounterReader(memory);
}

describe('worker counters', () => {
  const cases: readonly (readonly [
    string,
    (counters: WorkerCounters) => void,
    Partial<Record<CounterName, number>>,
  ])[] = [
    ['connectionOpened', (c) => c.connectionOpened(), { connectionsActive: 1, connectionsTotal: 1 }],
    ['connectionClosed', (c) => c.connectionClosed(), { connectionsActive: -1 }],
    ['requestStarted', (c) => c.requestStarted(), { requestsActive: 1, requestsTotal: 1 }],
    ['requestEnded', (c) => c.requestEnded(), { requestsActive: -1 }],
    ['tunnelOpened', (c) => c.tunnelOpened('upgrade'), { tunnelsActive: 1, tunnelsTotal: 1 }],
    ['upstreamOpened', (c) => c.upstreamOpened(), { upstreamActive: 1, upstreamOpened: 1 }],
    ['upstreamReused', (c) => c.upstreamReused(), { upstreamReused: 1 }],
    ['upstreamClosed', (c) => c.upstreamClosed(), { upstreamActive: -1 }],
    ['logLinesDropped', (c) => c.logLinesDropped(3), { logLinesDropped: 3 }],
    [
      'linked',
      (c) => c.linked(9, 250),
      { generation: 9, linkSecondsLast: 0.25, linksTotal: 1, linkSecondsTotal: 0.25 },
    ],
  ];

  test.each(cases)('%s changes its own cells only', (_, count, expected) => {
    const memory = createCounterMemory();
    const reader = read(count, memory);
    for (const [name, value] of Object.entries(expected))
      expect(reader.read(name as CounterName)).toBe(value);
    const changed = new Float64Array(memory).filter((value) => value !== 0);
    expect(changed).toHaveLength(Object.keys(expected).length);
  });

  test('every error code and kind of collection has cells of its own', () => {
    const reader = read((counters) => {
      errorNames.forEach((code, index) => {
        for (let times = 0; times <= index; times++) counters.error(code);
      });
      gcKinds.forEach((kind, index) => counters.collectedGarbage(kind, index + 0.5));
    });
    expect(errorNames.map((code) => reader.errors(code))).toEqual(errorNames.map((_, index) => index + 1));
    expect(gcKinds.map((kind) => reader.gcSeconds(kind))).toEqual([0.5, 1.5, 2.5, 3.5]);
    expect(gcKinds.map((kind) => reader.gcCount(kind))).toEqual([1, 1, 1, 1]);
  });

  test('memory of another size is refused', () => {
    expect(() => new WorkerCounters(new SharedArrayBuffer(counterBytes + 8))).toThrow(RangeError);
  });
});
