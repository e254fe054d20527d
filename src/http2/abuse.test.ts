import { describe, expect, test } from '@jest/globals';

import {
  Http2Rig,
  data,
  frame,
  get,
  goaway,
  ping,
  post,
  priority,
  reset,
  settings,
  settingsAck,
  windowUpdate,
} from '../../test/support/http2-rig.ts';
import type { Fields } from '../../test/support/http2-rig.ts';
import { HeaderList } from '../util/header-list.ts';
import { flag, frameType, setting } from './frames.ts';
import { defaultLimits } from './limits.ts';

// What costs a server work and asks for nothing, and how much a peer can make it hold (RFC 9113 §10.5).

const MAX_HELD_BYTES = 4 * 2 ** 20;

/** Repeats a step until the connection fails; how often, and the last thing that was told. */
function flood(
  rig: Http2Rig,
  step: (count: number) => readonly Buffer[],
  atMost = 20_000,
): [count: number, last: string | undefined] {
  for (let count = 1; count <= atMost; count++) {
    rig.receive(...step(count));
    rig.sent();
    const last = rig.told().at(-1);
    if (last?.startsWith('failed') === true) return [count, last];
  }
  return [atMost, undefined];
}

const id = (count: number): number => 2 * count - 1;
const calm = (kind: string): string => `failed ENHANCE_YOUR_CALM too much: ${kind}`;

describe('floods end the connection', () => {
  test('rapid reset (CVE-2023-44487)', () => {
    const rig = new Http2Rig();
    expect(flood(rig, (n) => [rig.headers(id(n), get), reset(id(n))])).toEqual([201, calm('reset')]);
  });

  test('rapid reset does not hide behind time, but an honest rate passes', () => {
    const slow = new Http2Rig();
    const step = (rig: Http2Rig, ms: number) => (n: number) => {
      rig.nowMs += ms;
      return [rig.headers(id(n), get), reset(id(n))];
    };
    expect(flood(slow, step(slow, 60), 5000)).toEqual([5000, undefined]);
    const fast = new Http2Rig();
    expect(flood(fast, step(fast, 40), 5000)[1]).toBe(calm('reset'));
  });

  test('streams that run to their end make up for a part of those that are reset', () => {
    const rig = new Http2Rig();
    rig.onRequest = (stream) => {
      if (stream.id % 10 !== 1) stream.respond(200, new HeaderList(), true);
    };
    const step = (n: number): readonly Buffer[] => [
      rig.headers(id(n), get),
      ...(id(n) % 10 === 1 ? [reset(id(n))] : []),
    ];
    expect(flood(rig, step, 5000)).toEqual([5000, undefined]);
  });

  test.each<[string, (rig: Http2Rig, n: number) => readonly Buffer[]]>([
    ['WINDOW_UPDATE of 0', (_rig, n) => [windowUpdate(id(n), 0)]],
    ['a window too large', (_rig, n) => [windowUpdate(id(n), 2 ** 31 - 1)]],
    ['PRIORITY of a wrong size', (_rig, n) => [frame(frameType.priority, 0, id(n), 'abc')]],
    ['PRIORITY on itself', (_rig, n) => [priority(id(n), id(n))]],
    ['a second head', (rig, n) => [rig.headers(id(n), get, 0)]],
    ['DATA beyond content-length', (_rig, n) => [data(id(n), 'xx')]],
  ])('resets that the client makes us send (CVE-2025-8671): %s', (_name, fault) => {
    const rig = new Http2Rig();
    const step = (n: number): readonly Buffer[] => [
      rig.headers(id(n), [...post, ['content-length', '1']], 0),
      ...fault(rig, n),
    ];
    expect(flood(rig, step)).toEqual([201, calm('reset')]);
  });

  test('DATA behind the end of requests', () => {
    const rig = new Http2Rig();
    expect(flood(rig, (n) => [rig.headers(id(n), get), data(id(n), 'x')])).toEqual([201, calm('reset')]);
  });

  test.each<[string, () => Buffer, number, string]>([
    ['PING', () => ping(), 101, calm('ping')],
    ['PING acknowledgements that nobody asked for', () => ping('12345678', flag.ack), 1001, calm('glitch')],
    ['SETTINGS', () => settings(), 51, calm('settings')],
    [
      'SETTINGS that move all windows',
      () => settings([setting.initialWindowSize, 1], [setting.initialWindowSize, 9]),
      51,
      calm('settings'),
    ],
    ['SETTINGS acknowledgements', () => settingsAck(), 1002, calm('glitch')],
    ['PRIORITY', () => priority(1, 0), 1001, calm('glitch')],
    ['frames of unknown types', () => frame(99, 0, 0), 1001, calm('glitch')],
    ['GOAWAY', () => goaway(0), 1001, calm('glitch')],
    ['WINDOW_UPDATE of the connection', () => windowUpdate(0, 1), 1001, calm('windowUpdate')],
  ])('%s', (_name, step, count, last) => {
    expect(flood(new Http2Rig(), () => [step()])).toEqual([count, last]);
  });

  test.each<[string, (rig: Http2Rig) => Buffer]>([
    ['empty DATA (CVE-2019-9518)', () => data(1, '')],
    [
      'DATA of padding alone',
      () => data(1, Buffer.concat([Buffer.from([99]), Buffer.alloc(99)]), flag.padded),
    ],
    ['RST_STREAM of a stream that is over', () => reset(3)],
  ])('%s', (_name, step) => {
    const rig = new Http2Rig();
    rig.receive(rig.headers(1, post, 0), rig.headers(3, get), reset(3));
    // Two requests earned twenty.
    expect(flood(rig, () => [step(rig)])[0]).toBeLessThanOrEqual(1021);
  });

  test('CONTINUATION without end (CVE-2024-27316)', () => {
    for (const payload of ['', 'x', Buffer.alloc(16_384)]) {
      const rig = new Http2Rig();
      rig.receive(frame(frameType.headers, 0, 1, ''));
      const [count, last] = flood(rig, () => [frame(frameType.continuation, 0, 1, payload)]);
      expect([count, last]).toEqual([9, 'failed ENHANCE_YOUR_CALM too many CONTINUATION frames']);
    }
  });

  test('requests behind the last GOAWAY', () => {
    const rig = new Http2Rig();
    rig.connection.shutdownNow();
    expect(flood(rig, (n) => [rig.headers(id(n), get)])).toEqual([1001, calm('glitch')]);
    expect(rig.streams.size).toBe(0);
  });

  test('informational heads of a server', () => {
    const rig = new Http2Rig({ role: 'client' });
    rig.open();
    expect(flood(rig, () => [rig.headers(1, [[':status', '103']], 0)])[1]).toBe(calm('glitch'));
  });
});

describe('honest use of the same frames lives on', () => {
  test('a PING and window updates for every DATA frame that is sent', () => {
    const rig = new Http2Rig();
    rig.receive(
      settings([setting.initialWindowSize, 2 ** 30]),
      windowUpdate(0, 2 ** 30),
      rig.headers(1, get),
    );
    rig.stream(1).respond(200, new HeaderList(), false);
    for (let count = 0; count < 5000; count++) {
      rig.stream(1).write(Buffer.alloc(100), 0, 100);
      rig.receive(ping(), windowUpdate(0, 100), windowUpdate(1, 100));
      rig.sent();
    }
    expect(rig.connection.isClosing).toBe(false);
  });

  test('window updates for streams that have ended here', () => {
    const rig = new Http2Rig();
    rig.receive(settings([setting.initialWindowSize, 2 ** 20]), windowUpdate(0, 2 ** 30));
    for (let stream = 1; stream < 4000; stream += 2) {
      rig.receive(rig.headers(stream, get));
      rig.stream(stream).respond(200, new HeaderList(), false);
      rig.stream(stream).write(Buffer.alloc(65_536), 0, 65_536);
      rig.stream(stream).end();
      rig.sent();
      for (let count = 0; count < 16; count++) rig.receive(windowUpdate(stream, 4096), windowUpdate(0, 4096));
    }
    expect(rig.connection.isClosing).toBe(false);
  });

  test('a PRIORITY beside every request', () => {
    const rig = new Http2Rig();
    rig.onRequest = (stream) => stream.respond(200, new HeaderList(), true);
    for (let stream = 1; stream < 8000; stream += 2)
      rig.receive(rig.headers(stream, get), priority(stream, 0));
    expect(rig.connection.openStreams).toBe(0);
    expect(rig.connection.isClosing).toBe(false);
  });
});

describe('numbers of streams', () => {
  test('D10: as many as are allowed run, the others are refused and may be tried again', () => {
    const rig = new Http2Rig();
    for (let count = 1; count <= 2000; count++) rig.receive(rig.headers(id(count), post, 0));
    const answers = rig.answers();
    expect(answers).toHaveLength(1900);
    expect(answers.every((line) => /^RST_STREAM \d+ REFUSED_STREAM$/.test(line))).toBe(true);
    expect(rig.connection.openStreams).toBe(100);
    // Bodies of theirs that were on the way are no fault.
    for (let count = 101; count <= 1000; count++) rig.receive(data(id(count), ''));
    rig.receive(data(1, 'x'), reset(3), rig.headers(4001, get));
    expect(rig.connection.isClosing).toBe(false);
    expect(rig.told().slice(-4)).toEqual([
      'data 1 1',
      'reset 3 CANCEL peer',
      'request 4001 GET a.example/ complete',
      'end 4001',
    ]);
  });

  test('at the end of its life a connection asks to go, then takes nothing more', () => {
    const rig = new Http2Rig({ limits: { maxStreams: 3, maxConcurrentStreams: 2 } });
    rig.onRequest = (stream) => stream.respond(200, new HeaderList(), true);
    for (let count = 1; count <= 4; count++) rig.receive(rig.headers(id(count), get));
    expect(rig.answers().filter((line) => !line.startsWith('HEADERS'))).toEqual([
      'GOAWAY 2147483647 NO_ERROR',
      'PING draining',
    ]);
    rig.receive(rig.headers(9, get), rig.headers(11, get));
    expect(rig.answers()).toEqual(['HEADERS 9 :status=200 end', 'GOAWAY 9 NO_ERROR']);
    expect(rig.streams.has(11)).toBe(false);
  });

  test('shutdown: GOAWAY, a round trip in which requests still come, GOAWAY with the last one', () => {
    const rig = new Http2Rig();
    rig.receive(rig.headers(1, get));
    rig.connection.shutdown();
    rig.connection.shutdown();
    expect(rig.answers()).toEqual(['GOAWAY 2147483647 NO_ERROR', 'PING draining']);
    expect(rig.connection.isClosing).toBe(true);
    rig.receive(rig.headers(3, get), ping('draining', flag.ack));
    expect(rig.answers()).toEqual(['GOAWAY 3 NO_ERROR']);
    rig.receive(rig.headers(5, post, 0), data(5, 'x'), rig.headers(5, [['x', 'y']]));
    expect(rig.told()).toEqual([
      'request 1 GET a.example/ complete',
      'end 1',
      'request 3 GET a.example/ complete',
      'end 3',
    ]);
    rig.stream(1).respond(200, new HeaderList(), true);
    rig.stream(3).respond(200, new HeaderList(), true);
    expect(rig.answers()).toEqual(['HEADERS 1 :status=200 end', 'HEADERS 3 :status=200 end']);
    expect(rig.connection.openStreams).toBe(0);
    // A later failure names no higher stream than before (§6.8).
    rig.receive(ping('short'));
    expect(rig.answers()).toEqual(['GOAWAY 3 FRAME_SIZE_ERROR']);
  });
});

describe('what a peer can make us hold', () => {
  test('HTTP/2 bomb: heads by reference, windows of zero, nothing read', () => {
    const rig = new Http2Rig();
    rig.receive(settings([setting.initialWindowSize, 0]));
    const cookies = Array.from({ length: 90 }, (_, n): [string, string] => [`x-${n % 15}`, 'v'.repeat(200)]);
    const body = Buffer.alloc(65_536);
    rig.onRequest = (stream) => {
      stream.respond(200, new HeaderList(), false);
      stream.write(body, 0, body.length);
    };
    let heldBytes = 0;
    for (let count = 1; count <= 2000 && !rig.connection.isClosing; count++) {
      rig.receive(rig.headers(id(count), [...get, ...cookies], flag.endStream));
      heldBytes = Math.max(heldBytes, rig.connection.heldBytes);
    }
    expect(heldBytes).toBeGreaterThan(2 ** 20);
    expect(heldBytes).toBeLessThanOrEqual(defaultLimits.maxWaitingBytes + defaultLimits.maxOutputBytes);
    expect(heldBytes + defaultLimits.connectionWindowBytes).toBeLessThan(MAX_HELD_BYTES);
    expect(rig.told()).toContain('reset 57 ENHANCE_YOUR_CALM fault');
  });

  test.each<[string, (rig: Http2Rig, n: number) => readonly Buffer[]]>([
    ['PING', () => [ping()]],
    ['requests that are refused', (rig, n) => [rig.headers(id(n), post, 0)]],
    ['large heads that are answered with large heads', (rig, n) => [rig.headers(id(n), get)]],
  ])('%s, and nothing of the answers is read', (_name, step) => {
    // Budgets that stop nothing: the output alone has to.
    const many = 10 ** 9;
    const budgets = {
      reset: many,
      refused: many,
      ping: many,
      settings: many,
      windowUpdate: many,
      glitch: many,
    };
    const rig = new Http2Rig({ limits: { budgets, maxConcurrentStreams: 10, maxStreams: many } });
    const large = new HeaderList();
    large.append('location', '~'.repeat(20_000));
    rig.onRequest = (stream, { method }) => {
      if (method === 'GET') stream.respond(200, large, true);
    };
    let heldBytes = 0;
    let count = 0;
    while (!rig.connection.isClosing && count++ < 200_000) {
      rig.receive(...step(rig, count));
      heldBytes = Math.max(heldBytes, rig.connection.heldBytes);
    }
    expect(rig.told().at(-1)).toBe('failed ENHANCE_YOUR_CALM output is not read');
    expect(heldBytes).toBeLessThan(MAX_HELD_BYTES / 2);
    expect(rig.connection.wantsInput).toBe(false);
  });

  test('input that is not whole: a frame, a header block', () => {
    const rig = new Http2Rig();
    rig.receive(frame(frameType.headers, 0, 1, Buffer.alloc(16_384)));
    for (let count = 0; count < 8; count++)
      rig.receive(frame(frameType.continuation, 0, 1, Buffer.alloc(16_384)));
    rig.receive(frame(frameType.continuation, 0, 1, Buffer.alloc(16_384)).subarray(0, 16_000));
    expect(rig.connection.heldBytes).toBeLessThan(170_000);
    expect(rig.connection.isClosing).toBe(false);
  });

  test('crumbs of cookies are one field, and count one by one', () => {
    const rig = new Http2Rig();
    const crumbs: Fields = Array.from({ length: 50 }, (_, n) => ['cookie', `c${n}=${n}`]);
    rig.receive(rig.headers(1, [...get, ['a', '1'], ...crumbs, ['b', '2']]));
    const { headers } = rig.requests[0] as { headers: HeaderList };
    expect(headers.entries()).toEqual([
      ['a', '1'],
      ['cookie', crumbs.map(([, value]) => value).join('; ')],
      ['b', '2'],
    ]);
  });

  test('a head belongs to who was told of it', () => {
    const rig = new Http2Rig();
    rig.receive(
      rig.headers(1, [...get, ['x', 'one']]),
      rig.headers(3, [...get, ['x', 'two'], ['host', 'A.example']]),
    );
    expect(rig.requests.map(({ headers }) => headers.entries())).toEqual([[['x', 'one']], [['x', 'two']]]);
  });
});
