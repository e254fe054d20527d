import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';

import { Server as GrpcServer, ServerCredentials, status } from '@grpc/grpc-js';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { WebSocketServer } from 'ws';

/** What stands behind the hosts of examples/protocols, by the name of its Service. */
export interface Upstreams {
  readonly ports: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

/** Starts them; each port is free unless one is wanted. */
export async function startUpstreams(wanted: ReadonlyMap<string, number> = new Map()): Promise<Upstreams> {
  const hello = await listening(createServer(answer), wanted.get('hello'));
  const hello2 = await listening(createHttp2Server(answer), wanted.get('hello2'));
  const chat = createServer();
  const sockets = new WebSocketServer({ server: chat, handleProtocols: () => false });
  sockets.on('connection', (socket) => {
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
  });
  await listening(chat, wanted.get('chat'));
  const greeter = await startGreeter(wanted.get('greeter') ?? 0);
  return {
    ports: new Map([
      ['hello', portOf(hello)],
      ['hello2', portOf(hello2)],
      ['chat', portOf(chat)],
      ['greeter', greeter.port],
    ]),
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate();
      greeter.server.forceShutdown();
      await Promise.all([hello, hello2, chat].map(closed));
    },
  };
}

/** Says how it was asked. */
function answer(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): void {
  const { method, url, httpVersion, headers } = request;
  const lines = [
    `${method} ${url}`,
    `asked over HTTP/${httpVersion}, by the client over ${String(headers['x-forwarded-proto'])}`,
  ];
  const subject = headers['ssl-client-subject-dn'];
  if (subject !== undefined) lines.push(`the client is ${String(subject)}`);
  request.resume();
  response.setHeader('content-type', 'text/plain');
  response.end(`${lines.join('\n')}\n`);
}

async function startGreeter(wanted: number): Promise<{ server: GrpcServer; port: number }> {
  const server = new GrpcServer();
  const same = (bytes: Buffer): Buffer => bytes;
  server.addService(
    {
      sayHello: {
        path: '/greeter.v1.Greeter/SayHello',
        requestStream: false,
        responseStream: false,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    },
    { sayHello: greet },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${wanted}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { server, port };
}

/** The messages of greeter.proto are one string each, field 1, shorter than 128 bytes here. */
function greet(call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void {
  const name = call.request.length === 0 ? '' : call.request.subarray(2).toString();
  if (name === '') {
    reply({ code: status.INVALID_ARGUMENT, details: 'name is empty' });
    return;
  }
  const text = Buffer.from(`Hello ${name.slice(0, 80)}`);
  reply(null, Buffer.concat([Buffer.of(0x0a, text.length), text]));
}

async function listening<T extends Pick<Server, 'listen' | 'once'>>(server: T, port = 0): Promise<T> {
  const bound = once(server as unknown as Server, 'listening');
  server.listen(port, '127.0.0.1');
  await bound;
  return server;
}

function portOf(server: Pick<Server, 'address'>): number {
  return (server.address() as AddressInfo).port;
}

async function closed(server: {
  close(done: () => void): unknown;
  closeAllConnections?(): void;
}): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(resolve);
    server.closeAllConnections?.();
  });
}
