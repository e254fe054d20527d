import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

import { afterEach, describe, expect, test } from '@jest/globals';

import { EndpointBoard } from '../../src/balance/endpoint-board.ts';
import { createFilterRegistry } from '../../src/filters/filter-registry.ts';
import type { FilterSpec } from '../../src/filters/filter.ts';
import { setting } from '../../src/http2/frames.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { data, reset } from '../support/http2-rig.ts';
import type { Fields } from '../support/http2-rig.ts';
import { startHttpUpstream } from '../support/http-upstream.ts';
import { startHttp2Upstream } from '../support/http2-upstream.ts';
import { numbers } from '../support/numbers.ts';
import { RawClient } from '../support/raw-client.ts';
import { RawHttp2Client, headers } from '../support/raw-http2-client.ts';

// Objects that serve one request after the other, under everything that can end a request early: no answer may ever be
// another request's, nor may any part of a request reach the endpoint as another's. Each request has a name of its own,
// which stands in its path, in a field, in what a filter that thinks for a while adds, in its body and its trailers.

const CLIENTS = 10;
const REQUESTS = 80;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    const step = (left: number): void => void (left === 0 ? resolve() : setImmediate(step, left - 1));
    step(count);
  });
}

/** Thinks for some turns, then says what it was asked about, even when that request is long over. */
function thinking(random: () => number): FilterSpec<null> {
  return {
    name: 'thinking',
    doc: 'Waits.',
    create: () => ({
      onRequest(request) {
        const asked = request.path;
        const decide = async (): Promise<undefined> => {
          await turns(1 + Math.floor(random() * 6));
          request.headers.append('X-Thought', asked);
          return undefined;
        };
        if (random() < 0.5) return decide();
        request.headers.append('X-Thought', asked);
        return undefined;
      },
    }),
  };
}

type AnyRequest = IncomingMessage | Http2ServerRequest;
type AnyResponse = ServerResponse | Http2ServerResponse;

/** An endpoint that fails in many ways, looks whether what it gets belongs together, and says whose answer it gives. */
function moody(random: () => number, mixed: string[]) {
  const cut = (request: AnyRequest): void => {
    if ('stream' in request) request.stream.close(random() < 0.5 ? 2 : 7);
    else request.socket.destroy();
  };
  const answer = (request: AnyRequest, response: AnyResponse, body: string): void => {
    const path = request.url ?? '';
    const mood = random();
    const length = Math.floor(random() ** 6 * 300_000);
    const text = `${path} ${createHash('sha1').update(body).digest('hex')} ${path.repeat(Math.ceil(length / path.length))}`;
    response.statusCode = mood < 0.15 ? 503 : 200;
    response.setHeader('x-path', path);
    if (mood < 0.05) return void response.end();
    if (random() < 0.5) response.setHeader('trailer', 'x-last');
    (response as ServerResponse).write(text.slice(0, text.length / 2));
    if (mood > 0.95) return void setImmediate(cut, request);
    const finish = (): void => {
      if ('addTrailers' in response) (response as ServerResponse).addTrailers({ 'x-last': path });
      response.end(text.slice(text.length / 2));
    };
    if (random() < 0.3) setTimeout(finish, random() * 30);
    else finish();
    return undefined;
  };
  return (request: AnyRequest, response: AnyResponse): void => {
    const mood = random();
    const path = request.url ?? '';
    const told = [request.headers['x-name'], request.headers['x-thought']];
    if (told.some((name) => name !== path)) mixed.push(`${path} with ${told.join(' ')}`);
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    if (mood < 0.05) return cut(request);
    if (mood < 0.1) return answer(request, response, '');
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      if (!isOf(path, body))
        mixed.push(`${path} with the body ${body.length} ${body.replaceAll(path, '|').slice(0, 60)}`);
      const last = request.trailers['x-last'];
      if (last !== undefined && last !== path) mixed.push(`${path} with the trailer ${String(last)}`);
      if (mood < 0.2) setTimeout(answer, random() * 60, request, response, body);
      else answer(request, response, body);
    });
    return undefined;
  };
}

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly trailers?: ReadonlyMap<string, string> | undefined;
}

/** Whether a text is the beginning of a path that is said again and again. */
function isOf(path: string, text: string): boolean {
  return path.startsWith(text.replaceAll(path, ''));
}

/** What of an answer is another request's. An answer of the proxy's own has no `x-path`; one that it cut may say so. */
function foreign(path: string, { status, headers: fields, body, trailers }: Answer): string[] {
  const from = fields.get('x-path');
  const last = trailers?.get('x-last');
  const isOwn = from === undefined && (status >= 400 || fields.has('grpc-status')) && !body.includes('/c');
  const [first = '', , ...rest] = body.split(' ');
  const isWhole = rest.join(' ').replaceAll(path, '') === '' || trailers?.has('grpc-status') === true;
  const isTheirs = from === path && path.startsWith(first) && isWhole && isOf(path, rest.join(' '));
  if ((isOwn || isTheirs) && (last === undefined || last === path)) return [];
  return [`${path} answered by ${status} ${from} ${last} ${body.length} ${body.slice(0, 80)}`];
}

interface Run {
  readonly proxy: TestProxy;
  readonly random: () => number;
  readonly mixed: string[];
  readonly whole: { count: number };
}

function http1Request(random: () => number, path: string): string {
  const body = path.repeat(Math.floor(random() ** 6 * 20_000));
  const fields = `Host: a\r\nX-Name: ${path}\r\n${deadline(random)}`;
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  const kind = random();
  if (kind < 0.5) return `GET ${path} HTTP/1.1\r\n${fields}\r\n`;
  if (kind < 0.75) return `POST ${path} HTTP/1.1\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
  return `POST ${path} HTTP/1.1\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\nx-last: ${path}\r\n\r\n`;
}

/** Up to four requests in one piece, whose answers come in order, if the connection lives so long. */
async function overHttp1({ proxy, random, mixed, whole }: Run, client: number): Promise<void> {
  let raw = await RawClient.connect(proxy.port);
  for (let count = 0; count < REQUESTS;) {
    const paths = Array.from({ length: 1 + Math.floor(random() * 4) }, () => `/c${client}/${count++}/`);
    if (raw.isEnded) raw = await RawClient.connect(proxy.port);
    raw.send(paths.map((path) => http1Request(random, path)).join(''));
    if (random() < 0.1) {
      await turns(Math.floor(random() * 20));
      raw.close();
      raw = await RawClient.connect(proxy.port);
      continue;
    }
    for (const path of paths) {
      const answer = await raw.response().catch(() => undefined);
      if (answer === undefined) break;
      mixed.push(...foreign(path, answer));
      if (answer.status === 200) whole.count++;
    }
  }
  raw.close();
}

function deadline(random: () => number): string {
  return random() < 0.2
    ? `content-type: application/grpc\r\ngrpc-timeout: ${Math.floor(random() * 50)}m\r\n`
    : '';
}

/** Several requests at a time on each connection, some of them reset at any moment, with small windows. */
async function overHttp2({ proxy, random, mixed, whole }: Run, client: number): Promise<void> {
  const connect = (): Promise<RawHttp2Client> =>
    RawHttp2Client.connect(proxy.port, {
      settings: [[setting.initialWindowSize, random() < 0.5 ? 65_535 : 3000]],
    });
  let raw = await connect();
  const one = async (connection: RawHttp2Client, path: string): Promise<void> => {
    const id = connection.nextStream();
    const body = path.repeat(Math.floor(random() ** 6 * 5000));
    const isPost = random() < 0.5;
    const base: Fields = [
      [':method', isPost ? 'POST' : 'GET'],
      [':scheme', 'http'],
      [':path', path],
      [':authority', 'a'],
      ['x-name', path],
    ];
    const timed: Fields =
      random() < 0.2
        ? [
            ['content-type', 'application/grpc'],
            ['grpc-timeout', `${Math.floor(random() * 50)}m`],
          ]
        : [];
    connection.send(...headers(id, [...base, ...timed], { endStream: !isPost }));
    if (isPost) {
      for (let at = 0; at < body.length; at += 16_000) {
        connection.send(data(id, body.slice(at, at + 16_000)));
        if (random() < 0.3) await turns(1);
      }
      if (random() < 0.5) connection.send(data(id, '', 1));
      else connection.send(...headers(id, [['x-last', path]]));
    }
    if (random() < 0.12) {
      await turns(Math.floor(random() * 25));
      connection.send(reset(id));
      return;
    }
    const answer = await connection.answer(id);
    if (!answer.isEnded) return;
    mixed.push(...foreign(path, answer));
    if (answer.status === 200) whole.count++;
  };
  for (let count = 0; count < REQUESTS;) {
    if (raw.isClosed || raw.goaways.length > 0 || random() < 0.05) {
      raw.close();
      raw = await connect();
    }
    const batch = 1 + Math.floor(random() * 8);
    await Promise.all(Array.from({ length: batch }, () => one(raw, `/c${client}/${count++}/`)));
    mixed.push(...raw.faults);
  }
  raw.close();
}

describe.each(['http1', 'http2'] as const)('towards %s', (protocol) => {
  test.each([
    ['http1', overHttp1],
    ['http2', overHttp2],
  ] as const)(
    'from %s: every answer is its own',
    async (_, run) => {
      const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
      const random = numbers(seed);
      const mixed: string[] = [];
      const start = protocol === 'http1' ? startHttpUpstream : startHttp2Upstream;
      const upstreams = await Promise.all([1, 2, 3].map(() => start(moody(random, mixed) as never)));
      stops.push(() => upstreams.map((upstream) => upstream.stop()));
      const board = new EndpointBoard(EndpointBoard.allocate(64));
      const proxy = await startProxy(
        [
          {
            upstream: upstreams.map(({ port }) => port),
            retry: { tries: 3, onStatus: [503] },
            timeouts: { readMs: 40 },
            policy: { protocol },
            filters: [{ name: 'thinking', config: null }],
          },
        ],
        {
          board,
          filters: createFilterRegistry([thinking(random)]),
          settings: { http2: { offered: true, plain: true, maxConcurrentStreams: 100 } },
        },
      );
      stops.push(() => proxy.stop());
      const whole = { count: 0 };
      await Promise.all(
        Array.from({ length: CLIENTS }, (__, client) => run({ proxy, random, mixed, whole }, client)),
      );
      expect([seed, mixed]).toEqual([seed, []]);
      expect([seed, whole.count > (CLIENTS * REQUESTS) / 2]).toEqual([seed, true]);
      await eventually(
        () => Promise.resolve([0, 1, 2].map((slot) => board.inFlight(slot))),
        (inFlight) => inFlight.every((count) => count === 0),
      );
    },
    60_000,
  );
});
