import { once } from 'node:events';
import { request as post } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { buffer } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StatusCode } from 'grpc-web';

import { startProxy, testSettings } from '../support/data-plane-harness.ts';
import type { TestProxy, TestRoute } from '../support/data-plane-harness.ts';
import { GrpcServer } from '../support/grpc-server.ts';
import { GrpcWebClient, webOutcomeOf } from '../support/grpc-web-client.ts';
import type { WebOutcome } from '../support/grpc-web-client.ts';
import { RawClient } from '../support/raw-client.ts';

// The library that browsers use, and a real server of gRPC that knows nothing of it.

const UNARY = '/test.Echo/Unary';
const DOWNLOAD = '/test.Echo/Download';
const WAIT = '/test.Echo/Wait';
const grpc = { protocol: 'http2', grpc: true } as const;

let server: GrpcServer;
let proxy: TestProxy;

async function start(route: Partial<TestRoute> = {}): Promise<void> {
  proxy = await startProxy([{ upstream: [server.port], policy: grpc, ...route }], {
    settings: { http2: { ...testSettings.http2, plain: true } },
  });
}

beforeEach(async () => {
  server = await GrpcServer.start();
});

afterEach(async () => {
  server.stop();
  await proxy.stop();
});

function textsOf({ messages }: WebOutcome): string[] {
  return messages.map((message) => message.toString());
}

function framed(text: string, flags = 0): Buffer {
  const bytes = Buffer.alloc(5 + text.length);
  bytes.writeUInt8(flags, 0);
  bytes.writeUInt32BE(text.length, 1);
  bytes.write(text, 5);
  return bytes;
}

describe.each(['binary', 'text'] as const)('in %s', (format) => {
  test('a unary call, with metadata and trailers', async () => {
    await start();
    const outcome = await new GrpcWebClient(proxy.port, format).unary(UNARY, 'hello', { 'x-test': 'one' });
    expect(outcome).toMatchObject({ code: StatusCode.OK });
    expect(textsOf(outcome)).toEqual(['hello']);
    expect(outcome.metadata['x-test']).toBe('one');
    expect(outcome.trailers['x-test-bin']).toBe(Buffer.from('one').toString('base64'));
    const [call] = server.calls;
    expect(call?.metadata.get('x-grpc-web')).toEqual(['1']);
  });

  test('a call that fails', async () => {
    await start();
    const outcome = await new GrpcWebClient(proxy.port, format).unary(UNARY, 'fail 5 not here');
    expect(outcome).toMatchObject({ code: StatusCode.NOT_FOUND, details: 'not here', messages: [] });
  });

  test('a method that the server does not know, which it answers with trailers alone', async () => {
    await start();
    const outcome = await new GrpcWebClient(proxy.port, format).unary('/test.Echo/Unknown', 'hello');
    expect(outcome).toMatchObject({ code: StatusCode.UNIMPLEMENTED });
  });

  test('a stream of answers', async () => {
    await start();
    const outcome = await webOutcomeOf(
      new GrpcWebClient(proxy.port, format).serverStream(DOWNLOAD, '50 10000'),
    );
    expect(outcome).toMatchObject({ code: StatusCode.OK });
    expect(outcome.messages.map(({ length }) => length)).toEqual(Array.from({ length: 50 }, () => 10_000));
  });

  test('a deadline', async () => {
    await start();
    const client = new GrpcWebClient(proxy.port, format);
    const outcome = await webOutcomeOf(client.serverStream(WAIT, 'hello', { 'grpc-timeout': '200m' }));
    expect(outcome).toMatchObject({ code: StatusCode.DEADLINE_EXCEEDED });
    expect(textsOf(outcome)).toEqual(['hello']);
  });

  test('an endpoint that dies inside a call', async () => {
    await start();
    const call = new GrpcWebClient(proxy.port, format).serverStream(WAIT, 'hello');
    const called = once(server, 'call');
    const outcome = webOutcomeOf(call);
    await called;
    server.stop();
    expect((await outcome).code).toBe(StatusCode.UNAVAILABLE);
  });

  test('errors of ours', async () => {
    await start({ upstream: [], path: '/test.Echo' });
    const client = new GrpcWebClient(proxy.port, format);
    expect(await client.unary('/test.Other/Unary', 'hello')).toMatchObject({
      code: StatusCode.UNIMPLEMENTED,
      details: '404 Not Found',
    });
    expect(await client.unary(UNARY, 'hello')).toMatchObject({ code: StatusCode.UNAVAILABLE });
    expect(await webOutcomeOf(client.serverStream(DOWNLOAD, '1 1'))).toMatchObject({
      code: StatusCode.UNAVAILABLE,
      details: '503 Service Unavailable',
    });
  });
});

describe('over HTTP/1.1', () => {
  test('a connection serves one call after the other, in lengths and in chunks', async () => {
    await start();
    const client = await RawClient.connect(proxy.port);
    const head = `POST ${UNARY} HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web-text\r\n`;
    const text = framed('hello').toString('base64');
    client.send(`${head}Content-Length: ${text.length}\r\n\r\n${text}`);
    const first = await client.response();
    // In quanta that are cut, and padded in their middle.
    const pieces = [
      framed('hel').subarray(0, 4).toString('base64'),
      framed('hel').subarray(4).toString('base64'),
    ];
    const cut = `${pieces.join('').slice(0, 5)}`;
    const rest = pieces.join('').slice(5);
    client.send(
      `${head}Transfer-Encoding: chunked\r\n\r\n${cut.length.toString(16)}\r\n${cut}\r\n${rest.length.toString(16)}\r\n${rest}\r\n0\r\n\r\n`,
    );
    const second = await client.response();
    client.close();
    expect(first.headers.get('content-length')).toBeUndefined();
    expect(first.headers.get('content-type')).toBe('application/grpc-web-text+proto');
    expect(bodyOf(first.body)).toContain('hello');
    expect(bodyOf(second.body)).toContain('hel\x80');
    expect(bodyOf(second.body)).toContain('grpc-status:0\r\n');
  });

  test('messages reach the page as they come, and a page that leaves ends the call', async () => {
    await start();
    const client = await RawClient.connect(proxy.port);
    const text = framed('hello').toString('base64');
    client.send(
      `POST ${WAIT} HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web-text\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    );
    await client.until((received) => received.includes(text));
    const cancelled = server.nextCancelled();
    client.close();
    expect(await cancelled).toBe(WAIT);
  });

  test('large messages in text come through whole, both ways', async () => {
    await start();
    const message = framed('x'.repeat(3_000_001));
    const request = post({
      port: proxy.port,
      path: UNARY,
      method: 'POST',
      headers: { 'content-type': 'application/grpc-web-text' },
    });
    request.end(message.toString('base64'));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = Buffer.from(bodyOf((await buffer(response)).toString('latin1')), 'latin1');
    expect(body.subarray(0, message.length).equals(message)).toBe(true);
    expect(body.toString('latin1', message.length)).toContain('grpc-status:0\r\n');
  });

  test.each([
    ['what is not base64', 'AAAA\r\nAA'],
    ['base64 that ends too early', 'AAAAA'],
  ])('%s is INTERNAL', async (_, text) => {
    await start();
    const client = await RawClient.connect(proxy.port);
    client.send(
      `POST ${UNARY} HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web-text\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    );
    const response = await client.response();
    client.close();
    expect(response.status).toBe(200);
    expect(bodyOf(response.body)).toContain('grpc-status:13\r\n');
  });
});

/** Base64 in quanta that may each be padded. */
function bodyOf(text: string): string {
  return (text.match(/.{4}/gs) ?? [])
    .map((quantum) => Buffer.from(quantum, 'base64').toString('latin1'))
    .join('');
}

describe('over HTTP/2', () => {
  let session: ClientHttp2Session;

  async function call(body: Buffer, fields: Readonly<Record<string, string>>) {
    const stream = session.request({ ':method': 'POST', ':path': UNARY, ...fields });
    stream.end(body);
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }];
    return { headers, body: await buffer(stream) };
  }

  test('a unary call in binary', async () => {
    await start();
    session = connect(`http://127.0.0.1:${proxy.port}`);
    const { headers, body } = await call(framed('hello'), { 'content-type': 'application/grpc-web+proto' });
    session.close();
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc-web+proto' });
    expect(body.subarray(0, 10)).toEqual(framed('hello'));
    expect(body.toString('latin1', 10)).toMatch(/^\x80.{4}grpc-status:0\r\n/s);
  });

  test('a unary call in text, answered in binary for who accepts that', async () => {
    await start();
    session = connect(`http://127.0.0.1:${proxy.port}`);
    const { headers, body } = await call(Buffer.from(framed('hello').toString('base64')), {
      'content-type': 'application/grpc-web-text+proto',
      accept: 'application/grpc-web+proto',
    });
    session.close();
    expect(headers['content-type']).toBe('application/grpc-web+proto');
    expect(body.subarray(0, 10)).toEqual(framed('hello'));
  });
});

describe('with CORS', () => {
  const origin = 'https://shop.example';
  const cors = {
    name: 'cors',
    config: {
      allowOrigins: [origin],
      allowMethods: 'POST',
      allowHeaders: 'Content-Type, X-Grpc-Web, X-User-Agent',
      allowCredentials: false,
      exposeHeaders: 'Grpc-Status, Grpc-Message',
      maxAgeSeconds: 60,
    },
  };
  const preflight = `OPTIONS ${UNARY} HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: POST\r\n\r\n`;
  const body = framed('hello').toString('latin1');
  const post = `POST ${UNARY} HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nContent-Type: application/grpc-web\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

  test('a preflight request is answered here, and the call says who may read it', async () => {
    await start({ filters: [cors] });
    const client = await RawClient.connect(proxy.port);
    client.send(preflight);
    const allowed = await client.response();
    expect(allowed.status).toBe(204);
    // RFC 9110 §8.6
    expect(allowed.headers.has('content-length')).toBe(false);
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'Content-Type, X-Grpc-Web, X-User-Agent',
    });
    expect(server.calls).toEqual([]);
    client.send(post);
    const answered = await client.response();
    client.close();
    expect(Object.fromEntries(answered.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      vary: 'Origin',
    });
    expect(answered.body).toContain('grpc-status:0\r\n');
  });

  test('errors of ours say it too', async () => {
    await start({ upstream: [], filters: [cors] });
    const client = await RawClient.connect(proxy.port);
    client.send(post);
    const answered = await client.response();
    client.close();
    expect(answered.status).toBe(200);
    expect(answered.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answered.body).toContain('grpc-status:14\r\n');
  });
});
