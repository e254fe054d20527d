import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { compileLinear, isRegexFault } from '../../src/util/linear-regex.ts';
import { HostileRig, expectFinalRefusal, finalAnswers } from '../support/hostile-harness.ts';
import { request } from '../support/raw-client.ts';
import { answer } from '../support/raw-upstream.ts';
import type { Behaviour } from '../support/raw-upstream.ts';

// Peers that hold on to what they have been given: by silence, by dripping, by not reading, by patterns that take for
// ever. The proxy's clock is turned forward instead of waiting. Names begin with the row of the corpus.

let rig: HostileRig;
let honest: Behaviour;
let offsetMs = 0;

beforeAll(async () => {
  rig = await HostileRig.start({ clock: () => performance.now() + offsetMs });
  honest = rig.upstream.behaviour;
});

afterEach(() => {
  rig.upstream.behaviour = honest;
});

afterAll(() => rig.stop());

/** Turns the clock forward by more than the time for a head, until a silent connection has been seen to die of it. */
async function forward(ms: number): Promise<void> {
  const witness = await rig.connect();
  // Connections are accepted in order: the witness's time runs when a later one has its answer.
  await request(rig.proxy.port, 'GET /later HTTP/1.1\r\nHost: a.example\r\n\r\n');
  offsetMs += ms;
  await witness.untilEnd();
  witness.close();
}

describe('request heads that do not come', () => {
  const REST = 'GET /case HTTP/1.1\r\nHost: a.example\r\nX-A: ';

  test.each([
    ['silent', ''],
    ['a part of the request line', 'GET /ca'],
    ['a part of a field', REST],
    ['everything but the empty line', `${REST}b\r\n`],
    ['CR LF only', '\r\n'],
  ])('D01 %s', async (_, bytes) => {
    await rig.canary();
    const seen = rig.watch();
    const counted = rig.errors('SP_CLIENT_TIMEOUT');
    const client = await rig.connect();
    client.send(bytes);
    await rig.canary();
    offsetMs += 9_000;
    await rig.canary();
    expect(client.received).toBe('');
    expect(client.isEnded).toBe(false);
    offsetMs += 1_500;
    expectFinalRefusal(await finalAnswers(client), 408);
    client.close();
    expect(rig.errors('SP_CLIENT_TIMEOUT') - counted).toBe(1);
    expect(seen().requests.every(({ target }) => target.startsWith('/canary'))).toBe(true);
    await rig.canary();
  });

  test.each([
    ['a head', REST, 'b'],
    ['fields', 'GET /case HTTP/1.1\r\nHost: a.example\r\n', 'X-A: b\r\n'],
    ['CR LF', '', '\r\n'],
  ])('D01 %s that drips', async (name, start, drip) => {
    await rig.canary();
    const client = await rig.connect();
    client.send(start);
    // A byte every second keeps nothing alive: the time is that of the whole head.
    for (let second = 0; second < 11 && !client.isEnded; second++) {
      client.send(name === 'CR LF' && second > 0 ? '' : drip);
      await rig.canary();
      offsetMs += 1_000;
    }
    expectFinalRefusal(await finalAnswers(client), 408);
    client.close();
    await rig.canary();
  });

  test('D01 a second head that drips on a kept connection', async () => {
    const client = await rig.connect();
    client.send('GET /canary HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await client.response();
    for (let second = 0; second < 11 && !client.isEnded; second++) {
      client.send(second === 0 ? REST : 'b');
      await rig.canary();
      offsetMs += 1_000;
    }
    expectFinalRefusal(await finalAnswers(client), 408);
    client.close();
    await rig.canary();
  });
});

describe('request bodies that hardly come', () => {
  const head = (fields: string): string => `POST /case HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n\r\n`;

  test.each([
    ['with a length', head('Content-Length: 100000'), 'x', 60],
    ['in chunks', head('Transfer-Encoding: chunked'), '1\r\nx\r\n', 60],
    ['with 499 bytes a second', head('Content-Length: 100000'), 'x'.repeat(499), 10],
  ])('D02 %s', async (_, start, drip, times) => {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    client.send(start);
    await rig.upstream.until(() => seen().bytes.endsWith('\r\n\r\n'));
    const socket = rig.upstream.sockets.at(-1);
    // One after the other, each seen by the upstream: the window is that of the clock, not of the wire.
    for (let count = 0; count < times; count++) {
      const before = seen().bytes.length;
      client.send(drip);
      await rig.upstream.until(() => seen().bytes.length - before >= drip.length);
      offsetMs += 9_000 / times;
    }
    expect(client.isEnded).toBe(false);
    offsetMs += 1_500;
    expectFinalRefusal(await finalAnswers(client), 408);
    client.close();
    await rig.upstream.until(() => socket?.destroyed === true);
    expect(seen().requests).toEqual([]);
    await rig.canary();
  });

  test('D02 an honest upload has no limit on its time', async () => {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    const part = 'x'.repeat(6_000);
    const windows = 10;
    client.send(head(`Content-Length: ${part.length * windows}`));
    for (let count = 0; count < windows; count++) {
      const before = seen().bytes.length;
      client.send(part);
      await rig.upstream.until(() => seen().bytes.length - before >= part.length);
      // A silent connection dies of the same time: the sweep has been.
      await forward(10_300);
    }
    expect(await client.response()).toMatchObject({ status: 200 });
    client.close();
    await rig.canary();
  });
});

describe('patterns that take for ever elsewhere', () => {
  test.each([
    ['(a+)+$', 'a'.repeat(8_000)],
    ['(a|a)*$', 'a'.repeat(8_000)],
    ['(.*a){12}$', 'a'.repeat(8_000)],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(8_000)],
  ])('D13 %s against a header', async (pattern, value) => {
    const conditions = { headers: [{ name: 'x-value', type: 'regex' as const, value: pattern }] };
    const matching = await HostileRig.start({ routes: [{ path: '/regex', conditions }, {}] });
    try {
      const response = await request(
        matching.proxy.port,
        `GET /regex HTTP/1.1\r\nHost: a.example\r\nX-Value: ${value}!\r\n\r\n`,
      );
      expect(response).toMatchObject({ status: 200, body: 'GET /regex ' });
      await matching.canary();
    } finally {
      await matching.stop();
    }
  });

  test.each([
    ['1 MiB of alternatives', 'a|'.repeat(512 * 1024)],
    ['a repetition of 10^6', 'a{1000000}'],
    ['nested repetitions', '((a{100}){100}){100}'],
    ['a back-reference', '(a+)\\1'],
    ['look-ahead', '(?=a+)+b'],
    ['look-behind', '(?<=a)b'],
    ['an atomic group', '(?>a+)b'],
    ['an open class', '[a'],
  ])('D13 %s is refused', (_, pattern) => {
    const compiled = compileLinear(pattern);
    expect(isRegexFault(compiled)).toBe(true);
  });
});

describe('clients that do not read', () => {
  const GET = 'GET /case HTTP/1.1\r\nHost: a.example\r\n\r\n';
  const WHOLE = 50 * 1024 * 1024;

  /** A rig whose upstream pushes as much as it is let; how much that was. */
  async function pushing(clientWriteTimeoutMs: number): Promise<{ slow: HostileRig; pushed: () => number }> {
    const slow = await HostileRig.start({ settings: { clientWriteTimeoutMs } });
    const own = slow.upstream.behaviour;
    let pushed = 0;
    slow.upstream.behaviour = (received, socket) => {
      if (received.target !== '/case') return own(received, socket);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${WHOLE}\r\n\r\n`);
      const block = Buffer.alloc(64 * 1024, 'x');
      const push = (): void => {
        while (pushed < WHOLE) {
          pushed += block.length;
          if (!socket.write(block)) return;
        }
      };
      socket.on('drain', push);
      push();
      return undefined;
    };
    return { slow, pushed: () => pushed };
  }

  test.each([
    ['silent', false],
    ['sending all the while', true],
  ])('D03 %s: dropped, and the upstream with it', async (_, sends) => {
    const { slow, pushed } = await pushing(500);
    try {
      const client = await slow.connect();
      client.send(GET);
      await client.until((received) => received.length > 0);
      client.socket.pause();
      // What a client sends says nothing about whether it reads.
      const drip = setInterval(() => client.send('x'), 100);
      if (!sends) clearInterval(drip);
      await slow.upstream.until(() => slow.upstream.sockets[0]?.destroyed === true);
      clearInterval(drip);
      expect(slow.errors('SP_CLIENT_SLOW')).toBe(1);
      // Kernel buffers of two connections; of 50 MB nothing else may lie anywhere.
      expect(pushed()).toBeLessThan(WHOLE / 2);
      client.close();
      await slow.canary();
    } finally {
      await slow.stop();
    }
  });

  test('D03 a client that reads again in time gets everything', async () => {
    const { slow } = await pushing(60_000);
    try {
      const client = await slow.connect();
      let bytes = 0;
      client.socket.removeAllListeners('data');
      client.socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
      client.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
      await slow.upstream.until(() => slow.upstream.requests.length > 0);
      client.socket.pause();
      await request(slow.proxy.port, 'GET /meanwhile HTTP/1.1\r\nHost: a.example\r\n\r\n');
      client.socket.resume();
      await client.untilEnd();
      expect(bytes).toBeGreaterThan(WHOLE);
      client.close();
      await slow.canary();
    } finally {
      await slow.stop();
    }
  });

  /** Many turns of everybody else's requests: by then whatever can go on has gone on. */
  async function settle(): Promise<void> {
    const other = await rig.connect();
    for (let count = 0; count < 300; count++) {
      other.send('GET /other HTTP/1.1\r\nHost: a.example\r\n\r\n');
      await other.response();
    }
    other.close();
  }

  test('D03 the end of a last answer waits for a client that reads late', async () => {
    const whole = 24 * 1024 * 1024;
    rig.upstream.behaviour = (received, socket) =>
      received.target === '/case' ? answer('x'.repeat(whole)) : honest(received, socket);
    await rig.canary();
    const client = await rig.connect();
    client.socket.removeAllListeners('data');
    let bytes = 0;
    client.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      client.socket.pause();
    });
    client.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await settle();
    // Reads piece by piece, until the proxy has all of the answer and holds the end of it.
    while (rig.proxy.counters.read('requestsActive') > 0) {
      client.socket.resume();
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.socket.pause();
    // Longer than a connection lives that has said everything.
    await forward(10_300);
    await forward(10_300);
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
    client.socket.resume();
    await client.untilEnd();
    expect(bytes).toBeGreaterThan(whole);
    client.close();
    await rig.canary();
  });

  test('D03 answers do not pile up for a client that asks on and does not read', async () => {
    const asked = 10_000;
    const greedy = await HostileRig.start({ settings: { clientKeepAliveRequests: 1_000_000 } });
    // Each fits into one read: none is ever held back by itself.
    const body = 'x'.repeat(2_000);
    let fetched = 0;
    greedy.upstream.behaviour = ({ target }) => {
      if (target === '/case') fetched++;
      return answer(body);
    };
    try {
      const client = await greedy.connect();
      client.socket.pause();
      client.send(GET.repeat(asked));
      const other = await greedy.connect();
      // As many turns as all of them would need.
      for (let count = 0; count < asked && fetched < asked; count++) {
        other.send('GET /other HTTP/1.1\r\nHost: a.example\r\n\r\n');
        await other.response();
      }
      // 20 MB were asked for; what was fetched lies in kernel buffers, and one answer here.
      expect(fetched).toBeLessThan(asked / 2);
      client.socket.removeAllListeners('data');
      client.socket.resume();
      await greedy.upstream.until(() => fetched === asked);
      client.close();
      other.close();
    } finally {
      await greedy.stop();
    }
  }, 20_000);
});
