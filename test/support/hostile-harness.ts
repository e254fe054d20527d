import assert from 'node:assert/strict';

import type { ErrorCodeName } from '../../src/telemetry/error-codes.ts';
import { startProxy } from './data-plane-harness.ts';
import type { TestProxy, TestProxyOptions, TestRoute } from './data-plane-harness.ts';
import { RawClient } from './raw-client.ts';
import type { RawResponse } from './raw-client.ts';
import { RawUpstream, answer } from './raw-upstream.ts';
import type { RecordedRequest } from './raw-upstream.ts';

// A running proxy between raw sockets, and the rules that every hostile input is held to: refused means that the answer
// and the end of the connection came and no byte reached an upstream; afterwards the next request through the same pool
// gets its own answer, and the upstream has seen one request for each that was to be forwarded, all of them well-formed.

export interface HostileRigOptions extends TestProxyOptions {
  /** Each gets the rig's upstream. By default one route takes everything. */
  readonly routes?: readonly Omit<TestRoute, 'upstream'>[];
}

/** What a refusal must be. */
export interface Refusal {
  readonly status: number;
  /** Counted exactly once. */
  readonly code: ErrorCodeName;
}

/** What a forwarded request must be when it reaches the upstream; what is left out is not looked at. */
export interface Forwarded {
  readonly method?: string;
  readonly target: string;
  readonly body?: string;
}

/** What reached the upstream since a moment. */
export interface UpstreamView {
  readonly requests: readonly RecordedRequest[];
  readonly bytes: string;
  readonly dials: number;
}

export class HostileRig {
  readonly proxy: TestProxy;
  readonly upstream: RawUpstream;
  #canaries = 0;

  private constructor(proxy: TestProxy, upstream: RawUpstream) {
    this.proxy = proxy;
    this.upstream = upstream;
  }

  /** Starts both; the upstream answers with method, target and body of each request. */
  static async start(options: HostileRigOptions = {}): Promise<HostileRig> {
    const upstream = await RawUpstream.start(echo);
    const routes = (options.routes ?? [{}]).map((route) => ({ ...route, upstream: [upstream.port] }));
    return new HostileRig(await startProxy(routes, options), upstream);
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.upstream.stop();
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.proxy.port);
  }

  /** Begins to look at the upstream; call the result to see what has come since. */
  watch(): () => UpstreamView {
    const requests = this.upstream.requests.length;
    const lengths = this.upstream.bytes.map((text) => text.length);
    return () => ({
      requests: this.upstream.requests.slice(requests),
      bytes: this.upstream.bytes.map((text, index) => text.slice(lengths[index] ?? 0)).join(''),
      dials: this.upstream.bytes.length - lengths.length,
    });
  }

  /** A request as anybody's next one: gets its own answer, and is the only one that the upstream sees. */
  async canary(prefix = ''): Promise<void> {
    const path = `${prefix}/canary-${++this.#canaries}`;
    const seen = this.watch();
    const client = await this.connect();
    client.send(`GET ${path} HTTP/1.1\r\nHost: canary.example\r\n\r\n`);
    const response = await client.response();
    client.close();
    const [request, ...more] = seen().requests;
    assert.ok(request !== undefined && request.target.endsWith(`/canary-${this.#canaries}`));
    assert.deepEqual(more, []);
    assert.partialDeepStrictEqual(response, { status: 200, body: `GET ${request.target} ` });
    assert.deepEqual(this.upstream.faults, []);
    assert.equal(this.proxy.counters.read('requestsActive'), 0);
  }

  /**
   * Sends bytes that must be refused: this answer, `Connection: close`, the end, and nothing upstream, not even a dial.
   * `redials`: connections that the next request needs, where the refused one had taken the idle one.
   */
  async refuses(bytes: string | Buffer, refusal: Refusal, redials = 0): Promise<void> {
    await this.canary();
    const seen = this.watch();
    const counted = this.errors(refusal.code);
    const client = await this.connect();
    client.send(bytes);
    expectFinalRefusal(await finalAnswers(client), refusal.status);
    client.close();
    assert.equal(this.errors(refusal.code) - counted, 1);
    assert.deepEqual(seen(), { requests: [], bytes: '', dials: 0 });
    await this.canary();
    assert.equal(seen().requests.length, 1);
    assert.equal(seen().dials, redials);
  }

  /** Sends requests that must be forwarded, each as its own, each answered by its own answer, in order. */
  async forwards(
    bytes: string | Buffer,
    requests: readonly Forwarded[],
  ): Promise<readonly RecordedRequest[]> {
    await this.canary();
    const seen = this.watch();
    const client = await this.connect();
    client.send(bytes);
    const answers: RawResponse[] = [];
    while (answers.length < requests.length) answers.push(await client.response());
    const { requests: received } = seen();
    assert.deepEqual(
      answers.map(({ status }) => status),
      requests.map(() => 200),
    );
    assert.equal(received.length, requests.length);
    assert.partialDeepStrictEqual(received, requests);
    assert.deepEqual(
      answers.map(({ body }) => body),
      received.map(echoText),
    );
    assert.equal(client.received, '');
    client.close();
    await this.canary();
    return received;
  }

  /** Sends one request that must be answered here, with this status, on a connection that goes on. */
  async answers(bytes: string | Buffer, status: number): Promise<RawResponse> {
    await this.canary();
    const seen = this.watch();
    const client = await this.connect();
    client.send(bytes);
    const response = await client.response();
    assert.equal(response.status, status);
    assert.equal(client.received, '');
    assert.deepEqual(seen(), { requests: [], bytes: '', dials: 0 });
    client.send('GET /next HTTP/1.1\r\nHost: canary.example\r\n\r\n');
    assert.equal((await client.response()).body, 'GET /next ');
    client.close();
    await this.canary();
    return response;
  }

  errors(code: ErrorCodeName): number {
    return this.proxy.counters.errors(code);
  }
}

/** Everything that the client gets until the other side ends the connection; rejects for a half answer. */
export async function finalAnswers(client: RawClient): Promise<readonly RawResponse[]> {
  await client.untilEnd();
  const answers: RawResponse[] = [];
  while (client.received !== '') answers.push(await client.response());
  return answers;
}

/** One answer of this status that says that the connection ends. */
export function expectFinalRefusal(answers: readonly RawResponse[], status: number): void {
  assert.deepEqual(
    answers.map((response) => response.status),
    [status],
  );
  assert.equal(answers[0]?.headers.get('connection'), 'close');
}

function echo(request: RecordedRequest): string {
  return request.method === 'HEAD'
    ? 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
    : answer(echoText(request));
}

function echoText({ method, target, body }: RecordedRequest): string {
  return method === 'HEAD' ? '' : `${method} ${target} ${body}`;
}
