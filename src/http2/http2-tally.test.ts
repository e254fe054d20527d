import { describe, expect, test } from '@jest/globals';

import {
  Http2Rig,
  data,
  frame,
  get,
  goaway,
  ping,
  post,
  reset,
  settings,
  windowUpdate,
} from '../../test/support/http2-rig.ts';
import type { RigOptions } from '../../test/support/http2-rig.ts';
import { http2Codes } from '../telemetry/protocol-cells.ts';
import { CounterReader, WorkerCounters, createCounterMemory } from '../telemetry/worker-counters.ts';
import { renderProtocolFamilies } from '../telemetry/protocol-families.ts';
import { HeaderList } from '../util/header-list.ts';
import { errorCode, flag, frameType, setting } from './frames.ts';

/** A rig that is counted as clients' connections are, and what its counters show. */
class CountedRig extends Http2Rig {
  readonly #reader: CounterReader;

  constructor(options: RigOptions = {}) {
    const memory = createCounterMemory();
    super({ ...options, tally: new WorkerCounters(memory).http2Client });
    this.#reader = new CounterReader(memory);
  }

  get counted(): Readonly<Record<string, number>> {
    const entries: [string, number][] = [];
    const line = /^sallyport_http2_(\w+?)(?:_total)?\{(.*)\} (\d+)$/gm;
    for (const [, name, labels = '', value] of renderProtocolFamilies([this.#reader]).matchAll(line)) {
      const values = [...labels.matchAll(/(direction|code|limit)="(\w+)"/g)].map((match) => match[2]);
      if (Number(value) > 0) entries.push([[name, ...values].join(' '), Number(value)]);
    }
    return Object.fromEntries(entries.filter(([name]) => !/^(?:sessions|streams)$/.test(name)));
  }

  get active(): readonly [sessions: number, streams: number] {
    return [this.#reader.read('http2ClientSessions'), this.#reader.read('http2ClientStreams')];
  }

  get opened(): readonly [sessions: number, streams: number] {
    return [this.#reader.read('http2ClientSessionsTotal'), this.#reader.read('http2ClientStreamsTotal')];
  }
}

describe('what a connection counts', () => {
  test('its life, and those of its streams', () => {
    const rig = new CountedRig();
    rig.receive(rig.headers(1, get), rig.headers(3, post, 0), rig.headers(5, get));
    rig.stream(1).respond(200, new HeaderList(), true);
    expect([rig.active, rig.opened]).toEqual([
      [1, 2],
      [1, 3],
    ]);
    rig.receive(reset(3));
    expect(rig.active).toEqual([1, 1]);
    rig.connection.close();
    rig.connection.close();
    expect([rig.active, rig.opened]).toEqual([
      [0, 0],
      [1, 3],
    ]);
    expect(rig.counted).toMatchObject({ 'resets received CANCEL': 1 });
  });

  test('a failed connection is over, whatever its transport does', () => {
    const rig = new CountedRig();
    rig.receive(rig.headers(1, get), data(7, 'x'));
    expect(rig.active).toEqual([0, 0]);
    rig.connection.close();
    expect(rig.active).toEqual([0, 0]);
    expect(rig.counted['goaways sent PROTOCOL_ERROR']).toBe(1);
  });

  test('frames that go out', () => {
    const rig = new CountedRig();
    rig.receive(rig.headers(1, get), rig.headers(3, get));
    rig.stream(1).reset('INTERNAL_ERROR');
    rig.receive(windowUpdate(3, 0));
    rig.connection.shutdown();
    rig.connection.shutdownNow();
    expect(rig.counted).toMatchObject({
      'resets sent INTERNAL_ERROR': 1,
      'resets sent PROTOCOL_ERROR': 1,
      'goaways sent NO_ERROR': 2,
    });
  });

  test('frames that come in, known codes or not', () => {
    const rig = new CountedRig();
    rig.receive(rig.headers(1, get), reset(1, 0xdead_beef), goaway(0, errorCode.ENHANCE_YOUR_CALM));
    expect(rig.counted).toMatchObject({
      'resets received other': 1,
      'goaways received ENHANCE_YOUR_CALM': 1,
    });
  });

  test('streams of ours, and what the server refuses', () => {
    const rig = new CountedRig({ role: 'client' });
    rig.open();
    rig.open();
    expect(rig.active).toEqual([1, 2]);
    rig.receive(goaway(1), reset(1, errorCode.REFUSED_STREAM));
    expect(rig.active).toEqual([1, 0]);
    expect(rig.counted).toMatchObject({
      'goaways received NO_ERROR': 1,
      'resets received REFUSED_STREAM': 1,
    });
  });

  test('a refused stream is a reset and no stream', () => {
    const rig = new CountedRig({ limits: { maxConcurrentStreams: 1 } });
    rig.receive(rig.headers(1, get), rig.headers(3, get));
    expect(rig.opened).toEqual([1, 1]);
    expect(rig.counted).toMatchObject({ 'resets sent REFUSED_STREAM': 1 });
  });

  test.each<[string, (rig: CountedRig) => void]>([
    ['reset', (rig) => flood(rig, (id) => [rig.headers(id, get), reset(id)])],
    ['ping', (rig) => flood(rig, () => [ping()])],
    ['settings', (rig) => flood(rig, () => [settings()])],
    ['glitch', (rig) => flood(rig, () => [frame(99, 0, 0)])],
    ['windowUpdate', (rig) => flood(rig, () => [windowUpdate(0, 1)])],
    [
      'continuation',
      (rig) => {
        rig.receive(frame(frameType.headers, flag.endStream, 1));
        flood(rig, () => [frame(frameType.continuation, 0, 1)]);
      },
    ],
    [
      'waiting',
      (rig) => {
        rig.receive(settings([setting.initialWindowSize, 0]), rig.headers(1, get));
        rig.stream(1).respond(200, new HeaderList(), false);
        const bytes = Buffer.alloc(16_384);
        while (!rig.stream(1).isClosed) rig.stream(1).write(bytes, 0, bytes.length);
      },
    ],
    [
      'output',
      (rig) => {
        const limits = 1_048_576;
        const headers = new HeaderList();
        headers.append('x-large', 'x'.repeat(60_000));
        for (let id = 1; id < limits && rig.counted['limits output'] === undefined; id += 2) {
          rig.receive(rig.headers(id, get));
          rig.stream(id).respond(200, headers, true);
        }
      },
    ],
  ])('going beyond the limit of %s, once', (limit, abuse) => {
    const rig = new CountedRig();
    abuse(rig);
    expect(rig.counted[`limits ${limit}`]).toBe(1);
  });

  test('counts are told by the names of their codes', () => {
    for (const [name, code] of Object.entries(errorCode)) expect(http2Codes[code]).toBe(name);
    expect(http2Codes).toHaveLength(Object.keys(errorCode).length + 1);
  });
});

/** Repeats a step until the connection fails. */
function flood(rig: CountedRig, step: (id: number) => readonly Buffer[]): void {
  for (let id = 1; id < 20_000 && rig.active[0] === 1; id += 2) {
    rig.receive(...step(id));
    rig.sent();
  }
}
