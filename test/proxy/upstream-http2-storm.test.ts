import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

import { expect, test } from '@jest/globals';

import { EndpointBoard } from '../../src/balance/endpoint-board.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestRoute } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Upstream } from '../support/http2-upstream.ts';
import { numbers } from '../support/numbers.ts';
import { RawClient } from '../support/raw-client.ts';
import { TestAuthority } from '../support/test-authority.ts';

const CLIENTS = 24;
const REQUESTS = 60;

/** An endpoint that does what endpoints should not, now and then. What it echoes is whole, or cut so that one can see it. */
function moody(random: () => number) {
  return (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    const { stream } = request;
    const mood = random();
    if (mood < 0.05) stream.close(7);
    else if (mood < 0.08) stream.close(2);
    else if (mood < 0.09) stream.session?.goaway(0);
    else if (mood < 0.1) stream.session?.destroy();
    else if (mood < 0.13) response.writeHead(200, { 'x-early': '1' }).end('early');
    else if (mood < 0.2) response.writeHead(503).end('busy');
    if (mood < 0.2 && mood >= 0.09) return;
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('error', () => undefined);
    request.on('end', () => {
      if (stream.destroyed) return;
      response.setHeader('x-path', request.url);
      const body = Buffer.concat(parts);
      response.write(body.subarray(0, body.length / 2));
      if (mood > 0.97) setImmediate(() => stream.close(2));
      else response.end(body.subarray(body.length / 2));
    });
  };
}

test('whatever endpoints do, every answer belongs to its request, and nothing is left behind', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = numbers(seed);
  const root = TestAuthority.root();
  const pair = root.client('a.example', { names: ['a.example'], purposes: ['server'] });
  const options = { cert: pair.certificate, key: pair.key, settings: { maxConcurrentStreams: 7 } };
  const upstreams = await Promise.all([1, 2, 3].map(() => startHttp2Upstream(moody(random), options)));
  const board = new EndpointBoard(EndpointBoard.allocate(64));
  const route: TestRoute = {
    upstream: upstreams.map(({ port }) => port),
    retry: { tries: 3, onStatus: [503] },
    trust: { ca: root.certificate },
    policy: { protocol: 'auto', tls: { verify: true, name: 'a.example', sendName: true } },
  };
  const proxy = await startProxy([route], { board });
  const statuses = new Map<number, number>();
  const run = async (client: number): Promise<void> => {
    let raw = await RawClient.connect(proxy.port);
    for (let count = 0; count < REQUESTS; count++) {
      const path = `/${client}/${count}`;
      const body = `${path} ${'x'.repeat(Math.floor(random() ** 4 * 200_000))}`;
      const isPost = random() < 0.5;
      const head = isPost
        ? `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
        : `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
      if (raw.isEnded) {
        // oxlint-disable-next-line no-await-in-loop -- one request after the other
        raw = await RawClient.connect(proxy.port);
      }
      raw.send(head);
      if (random() < 0.05) {
        raw.close();
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop -- see above
      const answer = await raw.response().catch(() => undefined);
      statuses.set(answer?.status ?? 0, (statuses.get(answer?.status ?? 0) ?? 0) + 1);
      if (answer?.status !== 200 || answer.headers.has('x-early')) continue;
      expect([answer.headers.get('x-path'), answer.body === (isPost ? body : '')]).toEqual([path, true]);
    }
    raw.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => run(client)));
  expect([seed, (statuses.get(200) ?? 0) > (CLIENTS * REQUESTS) / 2]).toEqual([seed, true]);
  await eventually(
    () => Promise.resolve([0, 1, 2].map((slot) => board.inFlight(slot))),
    (inFlight) => inFlight.every((count) => count === 0),
  );
  for (const upstream of upstreams) upstream.stop();
  await eventually(
    () => Promise.resolve(proxy.counters.read('upstreamActive')),
    (count) => count === 0,
  );
  await proxy.stop();
}, 60_000);
