import { once } from 'node:events';
import { connect } from 'node:tls';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { flag } from '../../src/http2/frames.ts';
import { AccessLog } from '../../src/telemetry/access-log.ts';
import { testPair } from '../support/certificates.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import { data } from '../support/http2-rig.ts';
import { RawClient } from '../support/raw-client.ts';
import { RawHttp2Client, headers as headersFrames } from '../support/raw-http2-client.ts';
import { RawUpstream, answer } from '../support/raw-upstream.ts';
import type { RecordedRequest } from '../support/raw-upstream.ts';

// The same random requests over HTTP/1.1 and over HTTP/2, both over TLS: one stack serves them, so they must take the same
// route, look the same to the upstream, and get the same answer.

const REQUESTS = 2_000;
const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 2 ** 31);

interface AnyRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: AnyBody;
}

/** Pieces as they are sent: chunks, or frames of DATA. */
interface AnyBody {
  readonly framing: 'none' | 'length' | 'chunked';
  readonly pieces: readonly string[];
}

/** What became of a request. */
interface Outcome {
  readonly status: number;
  readonly body: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly log: unknown;
  readonly upstream: unknown;
}

/** Mostly what is usual, now and then what is odd or wrong. */
function mostly<T>(usual: readonly T[], odd: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 15, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
}

const element = mostly(
  ['a', 'b', 'A', '~x', '%61', ';v=1'],
  ['.', '..', '', '%2e', '%2F', '%5c', '%zz', '%00', '{', '|'],
);
const path = fc
  .tuple(
    fc.array(element, { maxLength: 3 }),
    mostly(['', '', '/', '?', '?x=1', '?u=1&u=2'], ['?a&b=%zz', '#x', '?é', '?\\']),
  )
  .map(([elements, end]) => `/${elements.join('/')}${end}`);
const host = mostly(
  ['a.example', 'a.example', 'A.Example', 'a.example.', 'a.example:443', 'b.example', 'x.b.example'],
  'a.example:8443 x.y.b.example unknown.example [::1] [::1]:80 192.0.2.1 a,b a..example -a.example a.example:99999'.split(
    ' ',
  ),
);
const field = mostly<readonly [string, string]>(
  [
    ['x-own', 'one'],
    ['x-own', 'two'],
    ['x-own', ''],
    ['u', '1'],
    ['u', '2'],
    ['accept', '*/*'],
    ['user-agent', 'differential'],
    ['content-type', 'text/plain'],
    ['authorization', 'Basic eDp5'],
    ['x-latin', 'caf\xe9'],
    ['x_under', 'score'],
    ['x-forwarded-for', '192.0.2.7'],
    ['x-forwarded-for', '192.0.2.8, 192.0.2.9'],
    ['x-forwarded-proto', 'http'],
    ['x-forwarded-host', 'evil.example'],
    ['x-real-ip', '192.0.2.1'],
    ['x-request-id', '0123456789abcdef0123456789abcdef'],
    ['x-sallyport-hops', '3'],
    ['forwarded', 'for=192.0.2.1'],
    ['proxy-authorization', 'Basic eDp5'],
    ['range', 'bytes=0-1'],
    ['trailer', 'x-sum'],
    ['x-long', 'l'.repeat(2_000)],
  ],
  [
    ['authorization', 'Basic \xe4'],
    ['x-sallyport-hops', '10'],
    ['expect', 'gold'],
    ['expect', '100-continue'],
  ],
);
const body: fc.Arbitrary<AnyBody> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<AnyBody>({ framing: 'none', pieces: [] }) },
  {
    weight: 2,
    arbitrary: fc.record({
      framing: fc.constantFrom('length' as const, 'chunked' as const),
      pieces: fc.array(mostly(['x', 'some bytes', '0\r\n\r\n'], ['y'.repeat(5_000)]), { maxLength: 4 }),
    }),
  },
);
const anyRequest: fc.Arbitrary<AnyRequest> = fc
  .record({
    method: mostly('GET GET POST PUT DELETE PATCH OPTIONS PURGE'.split(' '), [
      'HEAD',
      'BREW',
      'TRACE',
      'get',
    ]),
    path,
    host,
    fields: fc.array(field, { maxLength: 5 }),
    cookie: fc.constantFrom(undefined, 'u=1', 'a=b; u=2'),
    body,
  })
  .map(({ cookie, fields, ...request }) => ({
    ...request,
    fields: cookie === undefined ? fields : [...fields, ['cookie', cookie] as const],
  }));

let upstream: RawUpstream;
let proxy: TestProxy;
let lines = '';
const accessLog = new AccessLog({ send: (text) => (lines += text), creditBytes: Infinity });

beforeAll(async () => {
  upstream = await RawUpstream.start((request) =>
    answer(request.method === 'HEAD' ? '' : `${request.method} ${request.target}`, 'X-From: upstream\r\n'),
  );
  const { port } = upstream;
  proxy = await startProxy(
    [
      { host: 'a.example', upstream: [port] },
      { host: 'a.example', path: '/a', conditions: { methods: ['POST', 'PUT'] }, upstream: [port] },
      { host: 'a.example', path: '=/a/b', upstream: [port] },
      {
        host: 'a.example',
        conditions: { headers: [{ name: 'u', type: 'exact', value: '1' }] },
        upstream: [port],
      },
      {
        host: 'a.example',
        path: '/b',
        conditions: { cookies: [{ name: 'u', type: 'present', value: '' }] },
        upstream: [port],
      },
      { host: '*.b.example', upstream: [port] },
      {
        host: 'b.example',
        path: '/a',
        conditions: { query: [{ name: 'u', type: 'exact', value: '1' }] },
        upstream: [port],
      },
      { path: '/A', upstream: [] },
    ],
    {
      tls: {},
      certificates: { 'a.example': testPair(['a.example']) },
      accessLog,
      settings: { maxRequestBodyBytes: 4_000, clientKeepAliveRequests: 1_000_000 },
    },
  );
}, 20_000);

afterAll(async () => {
  await proxy.stop();
  await upstream.stop();
});

test(`${REQUESTS} requests, seed ${seed}`, async () => {
  const http1 = new Http1();
  const http2 = new Http2();
  const statuses = new Map<number, number>();
  for (const request of fc.sample(anyRequest, { numRuns: REQUESTS, seed })) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other: what the upstream sees is told apart by that
    const [one, two] = [await outcome(request, http1), await outcome(request, http2)];
    if (faultsOf(request) > 1) {
      // Which of them is named depends on the order of reading.
      expect([one, two].filter(isRefusal)).toHaveLength(2);
      continue;
    }
    expect({ request, ...two }).toEqual({ request, ...one });
    statuses.set(one.status, (statuses.get(one.status) ?? 0) + 1);
  }
  http1.close();
  http2.close();
  expect(upstream.faults).toEqual([]);
  // The generator reaches what it is meant to reach.
  for (const status of [200, 400, 404, 405, 413, 417, 501, 503, 508])
    expect([status, statuses.get(status) ?? 0]).not.toEqual([status, 0]);
  expect(statuses.get(200)).toBeGreaterThan(REQUESTS / 5);
}, 120_000);

/** How many things are wrong with a request before it is anybody's. */
function faultsOf({ method, path: target, fields, host: name }: AnyRequest): number {
  const expectations = fields.filter(([key]) => key === 'expect');
  return [
    !/^[A-Z]+$/.test(method) || method === 'BREW',
    /[#é]/.test(target),
    expectations.length > 1 || expectations.some(([, value]) => value !== '100-continue'),
    fields.some(([key, value]) => key === 'authorization' && value.includes('\xe4')),
    name === 'a,b',
  ].filter(Boolean).length;
}

function isRefusal({ status, upstream: reached }: Outcome): boolean {
  return [400, 417, 501].includes(status) && (reached as unknown[]).length === 0;
}

interface AnyClient {
  ask(request: AnyRequest): Promise<{ status: number; fields: ReadonlyMap<string, string>; body: string }>;
}

async function outcome(request: AnyRequest, client: AnyClient): Promise<Outcome> {
  const before = upstream.requests.length;
  lines = '';
  const { status, fields, body: text } = await client.ask(request);
  accessLog.flush();
  return {
    status,
    body: text,
    fields: Object.fromEntries([...fields].filter(([name]) => !ownFields.has(name))),
    log: logged(lines),
    upstream: upstream.requests.slice(before).map(seen),
  };
}

/** Of the connection, or another for each request. */
const ownFields = new Set(['connection', 'date', 'x-request-id', ':status']);

function logged(text: string): unknown {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const {
        status,
        error,
        route,
        host: name,
        path: normal,
        query,
        method,
      } = JSON.parse(line) as Record<string, unknown>;
      return { status, error, route, name, normal, query, method };
    });
}

function seen({ method, target, headers, body: text }: RecordedRequest): unknown {
  return {
    method,
    target,
    body: text,
    fields: new Map([...headers].filter(([name]) => name !== 'x-request-id')),
  };
}

class Http1 implements AnyClient {
  #client: RawClient | undefined;

  async ask({ method, path: target, host: name, fields, body: sent }: AnyRequest) {
    const client = (this.#client ??= new RawClient(await secure()));
    const isLast = method === 'HEAD';
    const lines1 = [
      `${method} ${target} HTTP/1.1`,
      `Host: ${name}`,
      ...fields.map(([key, value]) => `${key}: ${value}`),
    ];
    const whole = sent.pieces.join('');
    if (isLast) lines1.push('Connection: close');
    if (sent.framing === 'length') lines1.push(`Content-Length: ${whole.length}`);
    if (sent.framing === 'chunked') lines1.push('Transfer-Encoding: chunked');
    const chunks = sent.pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
    const coded = sent.framing === 'chunked' ? `${chunks}0\r\n\r\n` : whole;
    client.send(`${lines1.join('\r\n')}\r\n\r\n${coded}`);
    const {
      status,
      headers,
      body: text,
    } = isLast ? headOf(await client.untilEnd()) : await client.response();
    // After a request that is wrong in itself HTTP/1 trusts nothing that follows.
    if (isLast || headers.get('connection') === 'close') this.close();
    return { status, fields: headers, body: text };
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}

class Http2 implements AnyClient {
  #client: RawHttp2Client | undefined;

  async ask({ method, path: target, host: name, fields, body: sent }: AnyRequest) {
    const client = (this.#client ??= await RawHttp2Client.connect(proxy.tlsPort, {
      tls: { servername: 'a.example' },
    }));
    const stream = client.nextStream();
    const whole = sent.pieces.join('');
    const all = [
      [':method', method],
      [':scheme', 'https'],
      [':path', target],
      [':authority', name],
      ...fields,
      ...(sent.framing === 'length' ? [['content-length', String(whole.length)] as const] : []),
    ] as const;
    const pieces = sent.framing === 'length' && whole === '' ? [] : sent.pieces;
    const isComplete = sent.framing === 'none' || (sent.framing === 'length' && whole === '');
    client.send(
      ...headersFrames(stream, all, { endStream: isComplete }),
      ...pieces.map((piece) => data(stream, piece)),
      ...(isComplete ? [] : [data(stream, '', flag.endStream)]),
    );
    const answered = await client.answer(stream);
    return { status: answered.status, fields: answered.headers, body: answered.body };
  }

  close(): void {
    this.#client?.close();
  }
}

async function secure() {
  const socket = connect({
    port: proxy.tlsPort,
    host: '127.0.0.1',
    servername: 'a.example',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  return socket.setNoDelay(true);
}

/** An answer to HEAD, which no reader of whole answers can take. */
function headOf(text: string) {
  const [first = '', ...rest] = (text.split('\r\n\r\n')[0] ?? '').split('\r\n');
  const headers = new Map<string, string>();
  for (const line of rest) {
    const at = line.indexOf(': ');
    headers.set(line.slice(0, at).toLowerCase(), line.slice(at + 2));
  }
  return { status: Number(first.slice(9, 12)), headers, body: '' };
}
