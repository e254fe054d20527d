import { once } from 'node:events';
import { connect } from 'node:net';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import type { Fields } from '../support/http2-rig.ts';
import { RawHttp2Client, headers } from '../support/raw-http2-client.ts';

// One connection that asks for much at once has its answers over several turns of the event loop, so that the others are
// served between. No route leads anywhere: the proxy answers by itself, and as fast as it reads.

const REQUESTS = 1000;
const get: Fields = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a.example'],
];

let proxy: TestProxy;
let watching = false;
/** The most requests that were begun between two looks, one in every turn. */
let mostInTurn = 0;

beforeEach(async () => {
  proxy = await startProxy([], {
    settings: {
      clientKeepAliveRequests: 1_000_000,
      http2: { offered: true, plain: true, maxConcurrentStreams: 100 },
    },
  });
  watch();
});

afterEach(async () => {
  watching = false;
  await proxy.stop();
});

function watch(): void {
  watching = true;
  mostInTurn = 0;
  let seen = 0;
  const look = (): void => {
    const begun = proxy.counters.read('requestsTotal');
    mostInTurn = Math.max(mostInTurn, begun - seen);
    seen = begun;
    if (watching) setImmediate(look);
  };
  look();
}

test('pipelined requests of HTTP/1.1 are answered in order, a part in each turn', async () => {
  const socket = connect(proxy.port, '127.0.0.1');
  await once(socket, 'connect');
  const asked = Array.from(
    { length: REQUESTS },
    (_, index) => `GET /${index} HTTP/1.1\r\nHost: a.example\r\n`,
  );
  socket.write(`${asked.join('\r\n')}Connection: close\r\n\r\n`);
  let answers = '';
  for await (const bytes of socket) answers += (bytes as Buffer).toString('latin1');
  expect(answers.split('HTTP/1.1 404').length - 1).toBe(REQUESTS);
  // What a read begins, and what the end of the same turn goes on with.
  expect(mostInTurn).toBeGreaterThan(8);
  expect(mostInTurn).toBeLessThanOrEqual(2 * 64);
});

test('requests of one HTTP/2 connection are all answered, a part in each turn', async () => {
  const client = await RawHttp2Client.connect(proxy.port);
  const ids = Array.from({ length: REQUESTS }, () => client.nextStream());
  client.send(...ids.flatMap((id) => headers(id, get)));
  for (const id of ids) await client.answer(id);
  expect(client.goaways).toEqual([]);
  expect(new Set(ids.map((id) => client.stream(id).status))).toEqual(new Set([404]));
  expect(mostInTurn).toBeGreaterThan(8);
  expect(mostInTurn).toBeLessThanOrEqual(2 * 200);
  // The connection goes on as before.
  expect(await client.request(get)).toMatchObject({ status: 404, isEnded: true });
  client.close();
});

test('a connection that goes in the middle of its requests leaves nothing', async () => {
  const client = await RawHttp2Client.connect(proxy.port);
  client.send(...Array.from({ length: REQUESTS }, () => headers(client.nextStream(), get)).flat());
  await client.until(() => client.stream(1).isEnded);
  client.close();
  while (proxy.counters.read('connectionsActive') > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(proxy.counters.read('requestsActive')).toBe(0);
  expect(proxy.counters.read('http2ClientStreams')).toBe(0);
});
