import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { ProxySettings } from '../../src/proxy/proxy-settings.ts';
import { startProxy, testSettings } from '../support/data-plane-harness.ts';
import type { TestProxy, TestRoute } from '../support/data-plane-harness.ts';
import { eventually } from '../support/eventually.ts';
import { GrpcClient, outcomeOf } from '../support/grpc-client.ts';
import type { CallOutcome } from '../support/grpc-client.ts';
import { GrpcServer, echoService } from '../support/grpc-server.ts';
import { startRelay } from '../support/relay.ts';
import type { Relay } from '../support/relay.ts';

// A real client and a real server of gRPC, with the proxy between them.

const { unary, download, upload, chat, wait } = echoService;
const grpc = { protocol: 'http2', grpc: true } as const;

let server: GrpcServer;
let proxy: TestProxy;
let client: GrpcClient;
/** Set when a test is over, however it ended. */
let isOver: boolean;
/** What else a test has started. */
const stops: (() => unknown)[] = [];

async function start(route: Partial<TestRoute> = {}, settings: Partial<ProxySettings> = {}): Promise<void> {
  proxy = await startProxy([{ upstream: [server.port], policy: grpc, ...route }], {
    settings: { ...settings, http2: { ...testSettings.http2, plain: true } },
  });
  client = new GrpcClient(proxy.port);
}

beforeEach(async () => {
  isOver = false;
  server = await GrpcServer.start();
});

afterEach(async () => {
  isOver = true;
  client.close();
  server.stop();
  await proxy.stop();
  for (const stop of stops.splice(0)) await stop();
});

async function anotherServer(): Promise<GrpcServer> {
  const other = await GrpcServer.start();
  stops.push(() => other.stop());
  return other;
}

async function relayTo(port: number): Promise<Relay> {
  const relay = await startRelay(port);
  stops.push(() => relay.close());
  return relay;
}

/** Metadata that the server sends back. */
function metadata(fields: Readonly<Record<string, string>> = { 'x-test': 'one' }): Metadata {
  const made = new Metadata();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
}

function textsOf({ messages }: CallOutcome): string[] {
  return messages.map((message) => message.toString());
}

describe('calls', () => {
  beforeEach(async () => start());

  test('unary, with metadata both ways and trailers', async () => {
    const outcome = await client.unaryWith(unary, 'hello', metadata());
    expect(outcome).toMatchObject({ code: status.OK });
    expect(textsOf(outcome)).toEqual(['hello']);
    expect(outcome.metadata?.get('x-test')).toEqual(['one']);
    expect(outcome.trailers.get('x-test-bin')).toEqual([Buffer.from('one')]);
    const [call] = server.calls;
    expect(call?.path).toBe('/test.Echo/Unary');
    expect(call?.metadata.get('x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  test('that fail keep their status, their text and their trailers', async () => {
    const outcome = await client.unaryWith(unary, 'fail 5 käse 100%', metadata());
    expect(outcome).toMatchObject({ code: status.NOT_FOUND, details: 'käse 100%', messages: [] });
    expect(outcome.trailers.get('x-test-bin')).toEqual([Buffer.from('one')]);
  });

  test('that the server does not know keep its answer, which is trailers alone', async () => {
    const unknown = { ...unary, path: '/test.Echo/Unknown' };
    expect(await client.unary(unknown, 'hello')).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining('/test.Echo/Unknown'),
    });
  });

  test('with a stream of answers', async () => {
    const outcome = await outcomeOf(client.serverStream(download, '100 1000'));
    expect(outcome).toMatchObject({ code: status.OK });
    expect(outcome.messages).toEqual(Array.from({ length: 100 }, (_, index) => Buffer.alloc(1000, index)));
  });

  test('with a stream of requests', async () => {
    const { call, outcome } = client.clientStream(upload);
    for (let index = 0; index < 100; index++) call.write(Buffer.alloc(1000));
    call.end();
    expect(await outcome).toMatchObject({ code: status.OK, messages: [Buffer.from('100 100000')] });
  });

  test('with streams both ways, message by message', async () => {
    const call = client.bidi(chat, metadata());
    const outcome = outcomeOf(call);
    for (const text of ['one', 'two', 'three']) {
      call.write(Buffer.from(text));
      // oxlint-disable-next-line no-await-in-loop -- each waits for its answer
      const [message] = (await once(call, 'data')) as [Buffer];
      expect(message.toString()).toBe(text);
    }
    call.end();
    const { code, trailers } = await outcome;
    expect(code).toBe(status.OK);
    expect(trailers.get('x-test-bin')).toEqual([Buffer.from('one')]);
  });

  test('many at a time share a connection', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, index) => client.unary(unary, String(index))),
    );
    expect(outcomes.map(textsOf)).toEqual(Array.from({ length: 200 }, (_, index) => [String(index)]));
  });

  test('of large messages, both ways', async () => {
    const message = Buffer.alloc(8 * 1024 * 1024, 'grpc');
    const outcome = await client.unary(unary, message);
    expect(outcome.code).toBe(status.OK);
    expect(outcome.messages[0]?.equals(message)).toBe(true);
  });

  test('stream without end below the limit of bodies, which holds for each message', async () => {
    await proxy.stop();
    client.close();
    await start({}, { maxRequestBodyBytes: 10_000 });
    const { call, outcome } = client.clientStream(upload);
    for (let index = 0; index < 100; index++) call.write(Buffer.alloc(10_000));
    call.end();
    expect(await outcome).toMatchObject({ code: status.OK, messages: [Buffer.from('100 1000000')] });
    const tooLarge = client.bidi(chat);
    const refused = outcomeOf(tooLarge);
    tooLarge.write(Buffer.alloc(10_001));
    expect(await refused).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: '413 Content Too Large',
    });
  });

  test('whose client does not read hold the server back, and go on when it does', async () => {
    const call = client.serverStream(download, '600 65536');
    await once(call, 'metadata');
    call.pause();
    // Until nothing moves any more. Calls beside it are not held back.
    await eventually(
      async () => {
        const before = server.written;
        for (let index = 0; index < 5; index++) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          expect((await client.unary(unary, 'beside')).code).toBe(status.OK);
        }
        return server.written === before;
      },
      (isStill) => isStill,
    );
    expect(server.written).toBeGreaterThan(0);
    expect(server.written).toBeLessThan(600);
    const outcome = outcomeOf(call);
    call.resume();
    expect(await outcome).toMatchObject({ code: status.OK });
    expect((await outcome).messages).toHaveLength(600);
  });
});

describe('time', () => {
  test('a deadline passes on, and ends the call on both sides', async () => {
    await start();
    const cancelled = server.nextCancelled();
    const call = client.serverStream(wait, 'hello', { deadline: Date.now() + 300 });
    expect(await outcomeOf(call)).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect(await cancelled).toBe('/test.Echo/Wait');
    const [sent] = server.calls;
    expect(sent?.metadata.get('x-forwarded-proto')).toEqual(['http']);
  });

  test("the route's own limit is a deadline too", async () => {
    await start({ timeouts: { requestMs: 200 } });
    const outcome = await outcomeOf(client.serverStream(wait, 'hello', { deadline: Date.now() + 60_000 }));
    expect(outcome).toMatchObject({ code: status.DEADLINE_EXCEEDED, details: 'Gateway Timeout' });
    expect(textsOf(outcome)).toEqual(['hello']);
    expect(await outcomeOf(client.serverStream(wait, 'hello'))).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('a limit ends a call whose client is still speaking', async () => {
    await start({ timeouts: { requestMs: 200 } });
    const silent = client.bidi(chat);
    const speaking = client.bidi(chat);
    const outcomes = [outcomeOf(silent), outcomeOf(speaking)] as const;
    speaking.write(Buffer.from('hello'));
    expect(await outcomes[0]).toMatchObject({ code: status.UNAVAILABLE, details: '504 Gateway Timeout' });
    expect(await outcomes[1]).toMatchObject({ code: status.UNAVAILABLE, details: 'Gateway Timeout' });
    expect(textsOf(await outcomes[1])).toEqual(['hello']);
    // The connection serves on.
    expect((await client.unary(unary, 'hello')).code).toBe(status.OK);
  });

  test('a client that gives up resets the stream to the server', async () => {
    await start();
    const call = client.serverStream(wait, 'hello');
    const outcome = outcomeOf(call);
    await once(call, 'data');
    const cancelled = server.nextCancelled();
    call.cancel();
    expect((await outcome).code).toBe(status.CANCELLED);
    expect(await cancelled).toBe('/test.Echo/Wait');
  });

  test('a client that is gone resets all its streams', async () => {
    await start();
    const calls = [1, 2, 3].map(() => client.serverStream(wait, 'hello'));
    const outcomes = Promise.all(calls.map(outcomeOf));
    await Promise.all(calls.map((call) => once(call, 'data')));
    client.close();
    for (const call of calls) call.cancel();
    await outcomes;
    await eventually(
      () => Promise.resolve(server.cancelled.length),
      (count) => count === 3,
    );
    expect(server.cancelled).toHaveLength(3);
  });
});

/** Refuses the first call, and says nothing of the others. */
async function startSilentServer() {
  const silent = createServer();
  silent.once('stream', (stream: ServerHttp2Stream) => {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' },
      { endStream: true },
    );
  });
  stops.push(() => silent.close());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  return { server: silent, port: (silent.address() as AddressInfo).port };
}

describe('endpoints', () => {
  test('that nobody listens at are UNAVAILABLE', async () => {
    server.stop();
    await start();
    expect(await client.unary(unary, 'hello')).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('that die inside a call end it as UNAVAILABLE, behind what they have sent', async () => {
    await start();
    const call = client.serverStream(wait, 'hello');
    const outcome = outcomeOf(call);
    await once(call, 'data');
    server.stop();
    expect(await outcome).toMatchObject({ code: status.UNAVAILABLE, details: 'Bad Gateway' });
    expect(textsOf(await outcome)).toEqual(['hello']);
  });

  test('that shut down under load lose no call', async () => {
    const other = await anotherServer();
    await start({ upstream: [server.port, other.port] });
    const codes = new Set<status>();
    let drained = false;
    const run = async (): Promise<void> => {
      while (!drained && !isOver) {
        // oxlint-disable-next-line no-await-in-loop -- one call at a time each
        codes.add((await client.unary(unary, 'hello')).code);
      }
      for (let index = 0; index < 10 && !isOver; index++) {
        // oxlint-disable-next-line no-await-in-loop -- see above
        codes.add((await client.unary(unary, 'hello')).code);
      }
    };
    const runs = Array.from({ length: 8 }, run);
    await eventually(
      () => Promise.resolve(Math.min(server.calls.length, other.calls.length)),
      (count) => count > 50,
    );
    await server.drain();
    drained = true;
    await Promise.all(runs);
    expect([...codes]).toEqual([status.OK]);
  });

  test('that fail are not asked again for what they may have begun', async () => {
    await start({ retry: { tries: 3, onError: true } });
    const call = client.bidi(chat);
    const outcome = outcomeOf(call);
    await once(server, 'call');
    server.stop();
    expect((await outcome).code).toBe(status.UNAVAILABLE);
    expect(server.calls).toHaveLength(1);
  });

  test('whose connection is lost without a word are not asked again for what they may have begun', async () => {
    const silent = await startSilentServer();
    const relay = await relayTo(silent.port);
    const other = await anotherServer();
    await start({ upstream: [relay.port] });
    // A connection that has served before may have been lost before, so that a request is owed another try.
    expect((await client.unary(unary, 'hello')).code).toBe(status.UNIMPLEMENTED);
    const outcome = outcomeOf(client.bidi(chat));
    await once(silent.server, 'stream');
    await proxy.publish([{ upstream: [relay.port, other.port], policy: grpc }]);
    await relay.close();
    expect(await outcome).toMatchObject({ code: status.UNAVAILABLE });
    expect(other.calls).toEqual([]);
  });

  test('whose connection is lost inside a message end the call as UNAVAILABLE', async () => {
    const relay = await relayTo(server.port);
    await start({ upstream: [relay.port] });
    const call = client.serverStream(download, '2000 65536');
    const outcome = outcomeOf(call);
    await once(call, 'data');
    call.pause();
    await relay.close();
    call.resume();
    expect(await outcome).toMatchObject({ code: status.UNAVAILABLE, details: 'Bad Gateway' });
    expect((await outcome).messages.length).toBeGreaterThan(0);
  });
});
