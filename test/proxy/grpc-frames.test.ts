import { once } from 'node:events';
import { connect, constants, createServer } from 'node:http2';
import type {
  ClientHttp2Session,
  Http2Server,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2';
import { createServer as createListener } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { buffer } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { ErrorName } from '../../src/http2/frames.ts';
import type { Http2Stream, StreamHandler } from '../../src/http2/http2-stream.ts';
import { defaultLimits } from '../../src/http2/limits.ts';
import { HeaderList } from '../../src/util/header-list.ts';
import { SocketTransport } from '../http2/socket-transport.ts';
import { startProxy, testSettings } from '../support/data-plane-harness.ts';
import type { TestProxy, TestRoute } from '../support/data-plane-harness.ts';

// What libraries of gRPC do not show: which frames a call is made of on either side. Endpoints here do what servers should not.

type Serve = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM } = constants;
const { NGHTTP2_FLAG_END_STREAM } = constants;
const grpc = { protocol: 'http2', grpc: true } as const;
const type = { 'content-type': 'application/grpc+proto' };
const head = { ':status': 200, ...type };
const message = Buffer.from([0, 0, 0, 0, 2, 0x68, 0x69]);

let servers: (Http2Server | Server)[];
let proxy: TestProxy;
let session: ClientHttp2Session;

async function serve(answer: Serve): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    answer(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function start(answer: Serve, route: Partial<TestRoute> = {}): Promise<void> {
  const upstream = route.upstream ?? [await serve(answer)];
  proxy = await startProxy([{ policy: grpc, ...route, upstream }], {
    settings: { http2: { ...testSettings.http2, plain: true } },
  });
  session = connect(`http://127.0.0.1:${proxy.port}`);
}

/** Answers with a message, and resets the stream behind it: a server of this library would end it first. */
async function serveCut(fields: Readonly<Record<string, string>>, code: ErrorName): Promise<number> {
  const options = { role: 'server', limits: defaultLimits, now: () => performance.now() } as const;
  const ignore = () => undefined;
  const listener = createListener((socket) => {
    const events = { refused: ignore, streamFault: ignore, goaway: ignore, pong: ignore, failed: ignore };
    const request = (stream: Http2Stream): StreamHandler => ({
      response: ignore,
      data: (_, from, to) => stream.consume(to - from),
      end() {
        const headers = new HeaderList();
        for (const [name, value] of Object.entries(fields)) headers.append(name, value);
        stream.respond(200, headers, false);
        stream.write(message, 0, message.length);
        stream.reset(code);
      },
      reset: ignore,
      writable: ignore,
      finished: ignore,
    });
    void new SocketTransport(socket, options, { ...events, request });
  });
  servers.push(listener);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return (listener.address() as AddressInfo).port;
}

interface Heard {
  readonly headers: IncomingHttpHeaders;
  /** Nothing followed the headers. */
  readonly isTrailersOnly: boolean;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly rstCode: number | undefined;
}

async function call(fields: OutgoingHttpHeaders = {}, body: Buffer = message): Promise<Heard> {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test.Echo/Unary',
    'content-type': 'application/grpc+proto',
    ...fields,
  });
  stream.end(body);
  let trailers: IncomingHttpHeaders | undefined;
  stream.on('trailers', (received) => {
    trailers = received;
  });
  const closed = new Promise((resolve) => stream.on('close', resolve));
  const [headers, flags] = (await once(stream, 'response')) as [IncomingHttpHeaders, number];
  const received = await buffer(stream).catch(() => Buffer.alloc(0));
  await closed;
  const isTrailersOnly = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
  return { headers, isTrailersOnly, body: received, trailers, rstCode: stream.rstCode };
}

/** A whole answer. */
const echo: Serve = (stream) => {
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-raw-bin': 'AAEC' }));
  stream.end(message);
};

beforeEach(() => {
  servers = [];
});

afterEach(async () => {
  session.destroy();
  await proxy.stop();
  for (const server of servers) server.close();
});

describe('V17: an answer', () => {
  test('of trailers alone stays one', async () => {
    await start((stream) => {
      stream.respond({ ...head, 'grpc-status': '5', 'grpc-message': 'gone' }, { endStream: true });
    });
    const heard = await call();
    expect(heard).toMatchObject({ isTrailersOnly: true, trailers: undefined, rstCode: NGHTTP2_NO_ERROR });
    expect(heard.headers).toMatchObject({ 'grpc-status': '5', 'grpc-message': 'gone' });
  });

  test('of headers and trailers keeps both apart', async () => {
    await start((stream) => {
      stream.respond(head, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5' }));
      stream.end();
    });
    const heard = await call();
    expect(heard).toMatchObject({ isTrailersOnly: false, trailers: { 'grpc-status': '5' } });
    expect(heard.headers['grpc-status']).toBeUndefined();
  });

  test('without trailers gets none', async () => {
    await start((stream) => {
      stream.respond(head);
      stream.end(message);
    });
    const heard = await call();
    expect(heard).toMatchObject({ body: message, trailers: undefined, rstCode: NGHTTP2_NO_ERROR });
    expect(heard.headers['grpc-status']).toBeUndefined();
  });

  test.each(['NO_ERROR', 'CANCEL', 'INTERNAL_ERROR', 'REFUSED_STREAM'] as const)(
    'that is reset behind a message (%s) ends as UNAVAILABLE',
    async (code) => {
      await start(echo, { upstream: [await serveCut(type, code)] });
      expect(await call()).toMatchObject({
        body: message,
        trailers: { 'grpc-status': '14', 'grpc-message': 'Bad Gateway' },
      });
    },
  );

  test('that has said how long it is cannot end before: it is reset', async () => {
    await start(echo, { upstream: [await serveCut({ ...type, 'content-length': '100' }, 'CANCEL')] });
    const heard = await call();
    expect(heard).toMatchObject({ trailers: undefined, rstCode: NGHTTP2_INTERNAL_ERROR });
  });

  test('of an endpoint that is silent for too long is UNAVAILABLE, in headers alone', async () => {
    await start(() => undefined, { timeouts: { readMs: 100 } });
    expect(await call()).toMatchObject({
      isTrailersOnly: true,
      headers: { ':status': 200, 'grpc-status': '14', 'grpc-message': '504 Gateway Timeout' },
    });
    expect((await call({ 'grpc-timeout': '1H' })).headers['grpc-status']).toBe('4');
  });
});

describe('a request', () => {
  test('passes on as it came, and asks for trailers', async () => {
    const seen: IncomingHttpHeaders[] = [];
    await start((stream, headers) => {
      seen.push(headers);
      echo(stream, headers);
    });
    const heard = await call({
      'grpc-timeout': '00000010S',
      'grpc-encoding': 'gzip',
      'grpc-accept-encoding': 'gzip',
      'x-raw-bin': 'AAEC',
    });
    expect(heard.trailers).toMatchObject({ 'grpc-status': '0', 'x-raw-bin': 'AAEC' });
    expect(seen).toMatchObject([
      {
        ':method': 'POST',
        ':path': '/test.Echo/Unary',
        te: 'trailers',
        'content-type': 'application/grpc+proto',
        'grpc-timeout': '00000010S',
        'grpc-encoding': 'gzip',
        'grpc-accept-encoding': 'gzip',
        'x-raw-bin': 'AAEC',
      },
    ]);
  });

  test('of gRPC-Web is one of gRPC for its endpoint', async () => {
    const seen: IncomingHttpHeaders[] = [];
    await start((stream, headers) => {
      seen.push(headers);
      echo(stream, headers);
    });
    const text = Buffer.from(message.toString('base64'));
    const heard = await call(
      {
        'content-type': 'application/grpc-web-text+proto',
        accept: 'application/grpc-web-text+proto',
        'content-length': text.length,
      },
      text,
    );
    const [fields] = seen;
    expect(fields).toMatchObject({ te: 'trailers', 'content-type': 'application/grpc+proto' });
    expect(fields).not.toHaveProperty('accept');
    expect(fields).not.toHaveProperty('content-length');
    expect(heard.headers['content-type']).toBe('application/grpc-web-text+proto');
    expect(heard.trailers).toBeUndefined();
  });

  test('that an endpoint refuses goes to another one', async () => {
    let refused = 0;
    const refusing = await serve((stream) => {
      refused += 1;
      stream.close(NGHTTP2_REFUSED_STREAM);
    });
    await start(echo, { upstream: [refusing, await serve(echo)] });
    const heard = [await call(), await call()];
    expect(heard.map(({ trailers }) => trailers?.['grpc-status'])).toEqual(['0', '0']);
    expect(refused).toBeGreaterThan(0);
  });

  test('that an endpoint has begun with does not', async () => {
    let begun = 0;
    const serveBadly: Serve = (stream) => {
      begun += 1;
      stream.close(NGHTTP2_INTERNAL_ERROR);
    };
    await start(serveBadly, { upstream: [await serve(serveBadly), await serve(serveBadly)] });
    expect((await call()).headers['grpc-status']).toBe('14');
    expect(begun).toBe(1);
  });
});

describe('what is not gRPC', () => {
  test('is left alone, for upstreams of gRPC too', async () => {
    await start(echo, { upstream: [await serveCut({ 'content-type': 'text/plain' }, 'CANCEL')] });
    const heard = await call({ 'content-type': 'application/json', 'grpc-timeout': 'soon' });
    expect(heard).toMatchObject({ trailers: undefined, rstCode: NGHTTP2_INTERNAL_ERROR });
  });
});
