import { afterEach, describe, expect, test } from '@jest/globals';

import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy, TestProxyOptions, TestRoute } from '../support/data-plane-harness.ts';
import { startDeafListener } from '../support/deaf-listener.ts';
import { runKeepaliveRace } from '../support/keepalive-race.ts';
import { Load } from '../support/load.ts';
import { RawClient, request } from '../support/raw-client.ts';
import { RawUpstream, answer } from '../support/raw-upstream.ts';

// Endpoints that die, hang, cut and race, under a running data plane: what may be lost, and that nothing else is.

const started: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop();
});

async function upstreams(count: number): Promise<readonly RawUpstream[]> {
  const list = await Promise.all(Array.from({ length: count }, () => RawUpstream.start()));
  started.push(...list);
  return list;
}

async function proxyTo(
  route: Omit<TestRoute, 'upstream'>,
  to: readonly (number | RawUpstream)[],
  options: TestProxyOptions = {},
): Promise<TestProxy> {
  const ports = to.map((each) => (typeof each === 'number' ? each : each.port));
  const proxy = await startProxy([{ ...route, upstream: ports }], options);
  started.push(proxy);
  return proxy;
}

function get(path = '/'): string {
  return `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;
}

function post(path: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi`;
}

describe('an endpoint is killed', () => {
  test('no GET is lost', async () => {
    const [first, second, third] = (await upstreams(3)) as [RawUpstream, RawUpstream, RawUpstream];
    const proxy = await proxyTo({}, [first, second, third]);
    const load = await Load.start(proxy.port, 16);
    await load.more(300);
    expect(second.requests.length).toBeGreaterThan(0);
    started.splice(started.indexOf(second), 1);
    await second.stop();
    await load.more(1_000);
    const reports = await load.stop();
    expect(reports).toHaveLength(16);
    for (const report of reports)
      expect(report).toMatchObject({ refused: [], lost: undefined, closed: false });
  });

  test('of POSTs, those are lost that it had been sent, and none is sent twice', async () => {
    const [first, dying] = (await upstreams(2)) as [RawUpstream, RawUpstream];
    const proxy = await proxyTo({}, [first, dying]);
    dying.behaviour = () => undefined;
    const posts = Array.from({ length: 20 }, (_, index) => request(proxy.port, post(`/${index}`)));
    await dying.until(() => dying.requests.length === 10);
    started.splice(started.indexOf(dying), 1);
    await dying.stop();
    const statuses = (await Promise.all(posts)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 502)).toHaveLength(10);
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    // Dead before they are sent: these go to the other one.
    const later = await Promise.all(
      Array.from({ length: 20 }, (_, index) => request(proxy.port, post(`/later-${index}`))),
    );
    expect(later.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const targets = [...first.requests, ...dying.requests].map(({ target }) => target);
    expect(new Set(targets).size).toBe(targets.length);
    expect(targets).toHaveLength(40);
  });
});

describe('an endpoint hangs', () => {
  const timeouts = { readMs: 200 };

  test('alone: 504, once for each try', async () => {
    const [hanging] = (await upstreams(1)) as [RawUpstream];
    hanging.behaviour = () => undefined;
    const proxy = await proxyTo({ timeouts, retry: { tries: 2 } }, [hanging]);
    expect((await request(proxy.port, get())).status).toBe(504);
    expect(proxy.counters.errors('SP_UPSTREAM_TIMEOUT')).toBe(1);
    expect(hanging.requests).toHaveLength(2);
    // A late answer must be nobody's.
    await hanging.until(() => hanging.sockets.every(({ destroyed }) => destroyed));
  });

  test('with another: a GET goes on there', async () => {
    const [hanging, sound] = (await upstreams(2)) as [RawUpstream, RawUpstream];
    hanging.behaviour = () => undefined;
    const proxy = await proxyTo({ timeouts }, [hanging, sound]);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => request(proxy.port, get(`/${index}`))),
    );
    expect(answers.map(({ status, body }) => [status, body])).toEqual(
      Array.from({ length: 10 }, (_, index) => [200, `/${index}`]),
    );
    expect(hanging.requests.length).toBeGreaterThan(0);
  });

  test('a POST that it has been sent is not sent again', async () => {
    const [hanging, sound] = (await upstreams(2)) as [RawUpstream, RawUpstream];
    hanging.behaviour = () => undefined;
    const proxy = await proxyTo({ timeouts }, [hanging, sound]);
    const answers = await Promise.all([request(proxy.port, post('/a')), request(proxy.port, post('/b'))]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 504]);
    expect(hanging.requests.length + sound.requests.length).toBe(2);
  });

  test('a response that stalls in its body is cut', async () => {
    const [stalling] = (await upstreams(1)) as [RawUpstream];
    stalling.behaviour = () => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello';
    const proxy = await proxyTo({ timeouts }, [stalling]);
    const client = await RawClient.connect(proxy.port);
    client.send(get());
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/);
    client.close();
    expect(proxy.counters.errors('SP_UPSTREAM_TIMEOUT')).toBe(1);
    await stalling.until(() => stalling.sockets.every(({ destroyed }) => destroyed));
  });

  test('it does not even take connections: the next one is tried', async () => {
    const deaf = await startDeafListener();
    started.push(deaf);
    const [sound] = (await upstreams(1)) as [RawUpstream];
    const proxy = await proxyTo({ timeouts: { connectMs: 200 } }, [deaf.port, sound]);
    const answers = await Promise.all([1, 2, 3, 4].map((id) => request(proxy.port, post(`/${id}`))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const alone = await proxyTo({ timeouts: { connectMs: 200 }, retry: { tries: 1 } }, [deaf.port]);
    expect((await request(alone.port, get())).status).toBe(504);
    expect(alone.counters.errors('SP_UPSTREAM_CONNECT_TIMEOUT')).toBe(1);
  });
});

describe('responses that are cut', () => {
  test('a reset inside a response: whole answers or aborted ones, never half an answer that ends well', async () => {
    const [cutting] = (await upstreams(1)) as [RawUpstream];
    const body = 'abcdefghij'.repeat(5_000);
    let cuts = 0;
    cutting.behaviour = ({ target }, socket) => {
      const whole = answer(`${target} ${body}`);
      if (Number(target.slice(1)) % 3 !== 0) return whole;
      cuts++;
      socket.write(whole.slice(0, 200 + ((cuts * 997) % (whole.length - 300))), () =>
        socket.resetAndDestroy(),
      );
      return undefined;
    };
    const proxy = await proxyTo({}, [cutting]);
    let aborted = 0;
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.allSettled(
        Array.from({ length: 30 }, (_, index) => request(proxy.port, get(`/${round * 30 + index}`))),
      );
      for (const [index, outcome] of answers.entries()) {
        if (outcome.status === 'rejected') aborted++;
        else expect(outcome.value.body).toBe(`/${round * 30 + index} ${body}`);
      }
    }
    expect(aborted).toBe(100);
    expect(cuts).toBe(100);
    expect(proxy.counters.errors('SP_UPSTREAM_TRUNCATED')).toBe(100);
    expect(cutting.faults).toEqual([]);
  });
});

describe('the keep-alive race', () => {
  test('5 000 GETs: none lost', async () => {
    const figures = await runKeepaliveRace({ method: 'GET', requests: 5_000, connections: 16 });
    expect(figures).toMatchObject({ answered: 5_000, failed: 0, wrong: 0, doubled: 0 });
    expect(figures.closed).toBeGreaterThan(100);
  }, 20_000);

  test('5 000 POSTs: none served twice, none answered wrongly', async () => {
    const figures = await runKeepaliveRace({ method: 'POST', requests: 5_000, connections: 16 });
    expect(figures).toMatchObject({ wrong: 0, doubled: 0 });
    expect(figures.answered + figures.failed).toBe(5_000);
    expect(figures.closed).toBeGreaterThan(100);
  }, 20_000);
});

describe('a rolling update', () => {
  test('endpoints replaced one by one under load: nothing is lost', async () => {
    const pods = [...(await upstreams(3))];
    const proxy = await proxyTo({}, pods);
    const load = await Load.start(proxy.port, 16);
    for (let step = 0; step < 12; step++) {
      const [fresh] = (await upstreams(1)) as [RawUpstream];
      const old = pods.shift() as RawUpstream;
      pods.push(fresh);
      await proxy.publish([{ upstream: pods.map(({ port }) => port) }]);
      await load.more(100);
      // Terminating: what it had begun is done, and nothing new has come.
      const count = old.requests.length;
      await old.until(() => old.sockets.every(({ destroyed }) => destroyed));
      expect(old.requests.length).toBe(count);
      started.splice(started.indexOf(old), 1);
      await old.stop();
      expect(fresh.requests.length).toBeGreaterThan(0);
    }
    for (const report of await load.stop())
      expect(report).toMatchObject({ refused: [], lost: undefined, closed: false });
  }, 20_000);
});

describe('clients that leave', () => {
  test.each([
    ['before an answer', ''],
    ['inside an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
  ])('%s: the upstream request is cancelled', async (_, bytes) => {
    const [waiting] = (await upstreams(1)) as [RawUpstream];
    waiting.behaviour = () => bytes;
    const proxy = await proxyTo({}, [waiting]);
    const client = await RawClient.connect(proxy.port);
    client.send(get());
    await waiting.until(() => waiting.requests.length === 1);
    if (bytes !== '') await client.until((received) => received.endsWith('hello'));
    client.close();
    await waiting.until(() => waiting.sockets[0]?.destroyed === true);
    expect(proxy.counters.errors('SP_CLIENT_GONE')).toBe(1);
    expect(proxy.counters.read('requestsActive')).toBe(0);
  });
});

describe('a client that stops reading', () => {
  test('50 MB stay with the upstream', async () => {
    const [pushing] = (await upstreams(1)) as [RawUpstream];
    const whole = 50 * 1024 * 1024;
    let pushed = 0;
    pushing.behaviour = (_, socket) => {
      const block = Buffer.alloc(64 * 1024, 'x');
      const push = (): void => {
        while (pushed < whole && socket.write(block)) pushed += block.length;
      };
      socket.on('drain', push);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${whole}\r\n\r\n`, push);
      return undefined;
    };
    const proxy = await proxyTo({}, [pushing], { settings: { clientWriteTimeoutMs: 500 } });
    const client = await RawClient.connect(proxy.port);
    client.send(get());
    await client.until((received) => received.length > 0);
    client.socket.pause();
    const before = process.memoryUsage();
    await pushing.until(() => pushing.sockets[0]?.destroyed === true);
    const after = process.memoryUsage();
    expect(proxy.counters.errors('SP_CLIENT_SLOW')).toBe(1);
    // The rest is in kernel buffers, of two connections; next to nothing in this process.
    expect(pushed).toBeLessThan(whole / 2);
    expect(after.external + after.heapUsed - before.external - before.heapUsed).toBeLessThan(4 * 1024 * 1024);
    client.close();
  });
});
