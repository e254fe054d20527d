import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { PREFACE, frameType, setting } from '../../src/http2/frames.ts';
import { startProxy, testSettings } from '../support/data-plane-harness.ts';
import { Http2HostileRig } from '../support/http2-hostile-harness.ts';
import {
  data,
  frame,
  ping,
  priority,
  reset,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from '../support/http2-rig.ts';
import { headers, integer, literalBlock } from '../support/raw-http2-client.ts';
import { answer } from '../support/raw-upstream.ts';
import type { Behaviour } from '../support/raw-upstream.ts';

// Clients of HTTP/2 that cost more than they send: floods, bombs, windows that never open (RFC 9113 §10.5). Names begin with
// the row of the corpus. The proxy's clock is turned forward instead of waiting.

let rig: Http2HostileRig;
let honest: Behaviour;
let offsetMs = 0;

beforeAll(async () => {
  rig = await Http2HostileRig.start('h2c', { clock: () => performance.now() + offsetMs });
  honest = rig.rig.upstream.behaviour;
});

afterEach(() => {
  rig.rig.upstream.behaviour = honest;
});

afterAll(() => rig.stop());

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Odd numbers from 1. */
const nth = (index: number): number => 2 * index + 1;

const openPost = (stream: number): Buffer[] => headers(stream, rig.post(), { endStream: false });

/** Sends all of it; the connection must end with ENHANCE_YOUR_CALM, and others be served. Tells what reached the upstream. */
async function calmed(frames: readonly Buffer[]): Promise<number> {
  await rig.rig.canary();
  const seen = rig.watch();
  const client = await rig.connect();
  client.send(...frames);
  await client.untilClosed();
  expect(client.goaways.at(-1)?.code).toBe('ENHANCE_YOUR_CALM');
  expect(client.faults).toEqual([]);
  client.close();
  while (rig.rig.proxy.counters.read('requestsActive') > 0) await turns(1);
  await rig.rig.canary();
  return seen().requests.length - 1;
}

describe('streams that are reset', () => {
  test('D04 3000 requests, each reset at once', async () => {
    const reached = await calmed(
      times(3000, (index) => [...headers(nth(index), rig.get()), reset(nth(index))]).flat(),
    );
    expect(reached).toBeLessThanOrEqual(201);
  });

  test('D04 3000 uploads, each reset at once', async () => {
    const reached = await calmed(times(3000, (index) => [...openPost(nth(index)), reset(nth(index))]).flat());
    expect(reached).toBeLessThanOrEqual(201);
  });

  test.each<[string, (stream: number) => Buffer]>([
    ['WINDOW_UPDATE of 0', (stream) => windowUpdate(stream, 0)],
    ['a window beyond its maximum', (stream) => windowUpdate(stream, 2 ** 31 - 1)],
    ['PRIORITY of a wrong size', (stream) => frame(frameType.priority, 0, stream, uint32(0))],
    ['PRIORITY that depends on itself', (stream) => priority(stream, stream)],
    ['a second head', (stream) => headers(stream, rig.post(), { endStream: false })[0] as Buffer],
  ])('D05 3000 streams that we have to reset: %s', async (_, fault) => {
    const reached = await calmed(times(3000, (index) => [...openPost(nth(index)), fault(nth(index))]).flat());
    expect(reached).toBeLessThanOrEqual(201);
  });

  test('D05 DATA on 3000 streams that have ended', async () => {
    await calmed(times(3000, (index) => [...headers(nth(index), rig.get()), data(nth(index), 'x')]).flat());
  });

  test('D05 3000 malformed requests', async () => {
    expect(await calmed(times(3000, (index) => headers(nth(index), rig.get(['X', 'y']))).flat())).toBe(0);
  });
});

describe('frames that ask for nothing', () => {
  test.each<[string, () => Buffer[]]>([
    [
      'D06 CONTINUATION without an end, ×20',
      () => [
        frame(frameType.headers, 1, 1, literalBlock(rig.get())),
        ...times(20, () => frame(frameType.continuation, 0, 1, literalBlock([['x', 'y']]))),
      ],
    ],
    [
      'D06 empty CONTINUATION, ×5000',
      () => [
        frame(frameType.headers, 1, 1, literalBlock(rig.get())),
        ...times(5000, () => frame(frameType.continuation, 0, 1)),
      ],
    ],
    ['D07 SETTINGS, ×5000', () => times(5000, () => settings([setting.initialWindowSize, 65_535]))],
    ['D07 empty SETTINGS, ×5000', () => times(5000, () => settings())],
    ['D07 acknowledgements of nothing, ×5000', () => times(5000, () => frame(frameType.settings, 1, 0))],
    ['D07 PING, ×5000', () => times(5000, () => ping())],
    ['D07 answers to no PING, ×5000', () => times(5000, () => ping('12345678', 1))],
    ['D08 PRIORITY of idle streams, ×5000', () => times(5000, (index) => priority(nth(index), 0))],
    ['D08 PRIORITY of one stream, ×5000', () => times(5000, () => priority(3, 1))],
    ['D08 unknown frames, ×5000', () => times(5000, () => frame(0xbe, 0, 0, 'x'))],
    ['D11 WINDOW_UPDATE, ×5000', () => times(5000, () => windowUpdate(0, 1))],
  ])('%s', async (_, frames) => {
    expect(await calmed(frames())).toBe(0);
  });

  test('D07 empty DATA, ×5000', async () => {
    expect(await calmed([...openPost(1), ...times(5000, () => data(1, ''))])).toBe(0);
  });

  test('D07 DATA of padding alone, ×5000', async () => {
    const padded = frame(frameType.data, 8, 1, '\x01\0');
    expect(await calmed([...openPost(1), ...times(5000, () => padded)])).toBe(0);
  });
});

describe('header blocks that grow', () => {
  test.each([
    ['V13 300 fields', times(300, (index): [string, string] => [`x-${index}`, ''])],
    ['V13 2000 crumbs', times(2000, (): [string, string] => ['cookie', 'a=b'])],
  ])('%s', async (_, fields) => {
    await rig.resets(rig.get(...fields), 'ENHANCE_YOUR_CALM');
  });

  test.each([false, true])('V14 75 KB of fields, SETTINGS acknowledged: %j', async (isAcknowledged) => {
    await rig.rig.canary();
    const seen = rig.watch();
    const client = await rig.connect({ withoutAck: !isAcknowledged });
    if (isAcknowledged) await client.until(() => client.settings.size > 0);
    const fields = times(75, (index): [string, string] => [`x-${index}`, '~'.repeat(1000)]);
    expect(await client.request(rig.get(...fields))).toMatchObject({ status: 431, isEnded: true });
    expect(rig.errors('SP_HEAD_TOO_LARGE')).toBeGreaterThan(0);
    expect(seen()).toEqual({ requests: [], bytes: '', dials: 0 });
    await rig.goesOn(client);
    client.close();
    await rig.rig.canary();
  });

  test('V14 a head that grows in a table: 95 references to 4 KB', async () => {
    const block = Buffer.concat([literalBlock(rig.get()), entry, Buffer.alloc(95, 0xbe)]);
    await rig.refuses((stream) => headers(stream, block), { status: 431, code: 'SP_HEAD_TOO_LARGE' });
  });
});

/** A field that fills the table: literal with indexing, and from then on one byte a reference (index 62). */
const entry = Buffer.concat([
  Buffer.from([0x40, 1]),
  Buffer.from('x'),
  integer(4000, 7),
  Buffer.from('y'.repeat(4000)),
]);

/** An upstream that keeps nothing, so that what grows is the proxy: 10 KB for each request. */
async function startForgetful(): Promise<{ server: Server; answered: () => number }> {
  let count = 0;
  const body = Buffer.from(answer('x'.repeat(10_000)));
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.includes('\r\n\r\n')) return;
      count++;
      socket.write(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, answered: () => count };
}

/** Sends the frames, and is told when they have all been read; keeps nothing of what comes back. */
async function sendBlindly(port: number, frames: Buffer): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  const mark = Buffer.from('the end!');
  const seen = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes(mark)) resolve();
    });
  });
  socket.on('error', () => undefined);
  socket.write(
    Buffer.concat([
      PREFACE,
      settings([setting.initialWindowSize, 0]),
      settingsAck(),
      frames,
      ping('the end!'),
    ]),
  );
  await seen;
  return socket;
}

describe('memory', () => {
  test('D09 references to headers behind closed windows hold no more than 4 MiB a connection', async () => {
    // 7 references each, 28 KB decoded, below every limit by itself: 100 of 2000 run, and none may be answered.
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { server, answered } = await startForgetful();
    const proxy = await startProxy([{ upstream: [(server.address() as AddressInfo).port] }], {
      settings: { http2: { ...testSettings.http2, plain: true } },
    });
    const bomb = Buffer.concat([literalBlock(rig.get()), Buffer.alloc(7, 0xbe)]);
    const frames = Buffer.concat([
      ...headers(1, Buffer.concat([literalBlock(rig.get()), entry])),
      ...times(1999, (index) => headers(nth(index + 1), bomb)).flat(),
    ]);
    const sockets: Socket[] = [];
    try {
      const used = (): number => {
        collect();
        const { heapUsed, external } = process.memoryUsage();
        return heapUsed + external;
      };
      // One first, for what is made once.
      sockets.push(await sendBlindly(proxy.port, frames));
      const before = used();
      const count = 10;
      for (let each = 0; each < count; each++) sockets.push(await sendBlindly(proxy.port, frames));
      expect(proxy.counters.read('requestsActive')).toBe(100 * (count + 1));
      while (answered() < 100 * (count + 1)) await turns(1);
      await turns(50);
      expect((used() - before) / count).toBeLessThan(4 * 2 ** 20);
    } finally {
      for (const socket of sockets) socket.destroy();
      await proxy.stop();
      server.close();
    }
  }, 60_000);
});

function isSettled({ status, reset: code }: { status: number; reset: string | undefined }): boolean {
  return status > 0 || code !== undefined;
}

describe('streams beyond the limit', () => {
  test('D10 2000 open: 100 run, the others are refused', async () => {
    await rig.rig.canary();
    const client = await rig.connect();
    await client.until(() => client.settings.get(setting.maxConcurrentStreams) === 100);
    client.send(...times(2000, (index) => openPost(nth(index))).flat());
    await client.until(() => client.stream(nth(1999)).reset !== undefined);
    const codes = times(2000, (index) => client.stream(nth(index)).reset);
    expect(codes.slice(0, 100)).toEqual(times(100, () => undefined));
    expect(codes.slice(100)).toEqual(times(1900, () => 'REFUSED_STREAM'));
    client.send(...times(100, (index) => data(nth(index), 'x', 1)));
    for (let index = 0; index < 100; index++)
      expect(await client.answer(nth(index))).toMatchObject({ status: 200, body: 'POST /case x' });
    client.close();
    await rig.rig.canary();
  });
});

describe('windows', () => {
  test('D11 the connection’s window beyond its maximum', async () => {
    await rig.fails([windowUpdate(0, 2 ** 31 - 1)], 'FLOW_CONTROL_ERROR');
  });

  test('D11 0 for the connection', async () => {
    await rig.fails([windowUpdate(0, 0)], 'PROTOCOL_ERROR');
  });

  test('D11 SETTINGS that push a stream’s window beyond its maximum', async () => {
    await rig.rig.canary();
    const client = await rig.connect();
    client.send(...openPost(1), windowUpdate(1, 2 ** 30), settings([setting.initialWindowSize, 2 ** 31 - 1]));
    await client.untilClosed();
    expect(client.goaways.at(-1)?.code).toBe('FLOW_CONTROL_ERROR');
    client.close();
    await rig.rig.canary();
  });

  test('D11 100 streams whose windows never open are freed after a minute', async () => {
    rig.rig.upstream.behaviour = (request, socket) =>
      request.target === '/case' ? answer('x'.repeat(10_000)) : honest(request, socket);
    await rig.rig.canary();
    const client = await rig.connect({ settings: [[setting.initialWindowSize, 0]], stalled: true });
    client.send(...times(100, (index) => headers(nth(index), rig.get())).flat());
    await client.until(() => times(100, (index) => client.stream(nth(index))).every(isSettled));
    expect(rig.rig.proxy.counters.read('requestsActive')).toBe(100);
    offsetMs += 61_000;
    await client
      .until(() => client.isClosed || times(100, (index) => client.stream(nth(index)).reset).every(Boolean))
      .catch(() => undefined);
    while (rig.rig.proxy.counters.read('requestsActive') > 0) await turns(1);
    client.close();
    await rig.rig.canary();
  });
});

describe('connections that say nothing', () => {
  const hello = [PREFACE, settings()];

  test.each<[string, () => Buffer[]]>([
    ['a part of the preface', () => [PREFACE.subarray(0, 20)]],
    [
      'a header block without its end',
      () => [...hello, frame(frameType.headers, 1, 1, literalBlock(rig.get()))],
    ],
    ['a part of a frame', () => [...hello, frame(frameType.data, 0, 1, 'abc').subarray(0, 5)]],
    ['hello and nothing else', () => hello],
  ])('D01 %s: ended in time', async (_, frames) => {
    const client = await rig.connect({ silent: true });
    client.send(...frames());
    await rig.rig.canary();
    expect(client.isClosed).toBe(false);
    // As long as an idle connection is kept at most.
    offsetMs += 76_000;
    await client.untilClosed();
    client.close();
    await rig.rig.canary();
  });

  test.each<[string, () => Buffer[]]>([
    ['a part of the preface', () => [PREFACE.subarray(0, 20)]],
    [
      'a header block without its end',
      () => [...hello, frame(frameType.headers, 1, 1, literalBlock(rig.get()))],
    ],
  ])('D01 %s: ended after the time for a head', async (_, frames) => {
    const client = await rig.connect({ silent: true });
    client.send(...frames());
    await rig.rig.canary();
    offsetMs += 11_000;
    await client.untilClosed();
    client.close();
    await rig.rig.canary();
  });
});
