import { EventEmitter, once } from 'node:events';

import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  MethodDefinition,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
  sendUnaryData,
} from '@grpc/grpc-js';

// A real server of gRPC. Messages are bytes: no compiler of protocol buffers is needed to see that they pass.

export const SERVICE = 'test.Echo';

function same(bytes: Buffer): Buffer {
  return bytes;
}

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/${SERVICE}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

export const echoService = {
  /** Returns its request. `fail CODE TEXT` fails. Metadata `x-*` comes back at once and, as `x-*-bin`, in the trailers. */
  unary: method('Unary', false, false),
  /** `COUNT BYTES`: that many messages of that many bytes. */
  download: method('Download', false, true),
  /** Returns `COUNT BYTES` of what came. */
  upload: method('Upload', true, false),
  /** Returns each message when it comes. */
  chat: method('Chat', true, true),
  /** Sends one message, and never ends. */
  wait: method('Wait', false, true),
} satisfies ServiceDefinition;

/** Events: `call` (path, metadata), `cancelled` (path). */
export class GrpcServer extends EventEmitter {
  readonly #server: Server;
  #port = 0;
  /** Paths of the calls that have come. */
  readonly calls: { readonly path: string; readonly metadata: Metadata }[] = [];
  readonly cancelled: string[] = [];
  /** Messages of downloads that were written so far: no more than their clients make room for. */
  written = 0;

  private constructor(options: Readonly<Record<string, number>>) {
    super();
    this.#server = new Server({ 'grpc.max_receive_message_length': -1, ...options });
    this.#server.addService(echoService, this.#implementation());
  }

  /** Of grpc-js's channel options. */
  static async start(options: Readonly<Record<string, number>> = {}): Promise<GrpcServer> {
    const server = new GrpcServer(options);
    await server.#listen();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** The next call that its client gives up. */
  async nextCancelled(): Promise<string> {
    const [path] = (await once(this, 'cancelled')) as [string];
    return path;
  }

  /** Sends GOAWAY, and ends when the calls have. */
  async drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => resolve());
    });
  }

  /** Cuts every connection. */
  stop(): void {
    this.#server.forceShutdown();
  }

  async #listen(): Promise<void> {
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
  }

  #note(call: { getPath(): string; readonly metadata: Metadata } & EventEmitter): void {
    const path = call.getPath();
    this.calls.push({ path, metadata: call.metadata });
    this.emit('call', path, call.metadata);
    call.on('cancelled', () => {
      this.cancelled.push(path);
      this.emit('cancelled', path);
    });
  }

  /** As fast as the client reads. */
  #sendMessages(call: ServerWritableStream<Buffer, Buffer>): void {
    const [count = 0, bytes = 0] = call.request.toString().split(' ').map(Number);
    let index = 0;
    const more = () => {
      while (index < count && !call.cancelled) {
        const isRoom = call.write(Buffer.alloc(bytes, index));
        index += 1;
        this.written += 1;
        if (!isRoom) return;
      }
      if (index === count) call.end();
    };
    call.on('drain', more);
    more();
  }

  #implementation(): UntypedServiceImplementation {
    return {
      unary: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        this.#note(call);
        call.sendMetadata(echoed(call.metadata, ''));
        const [, code, details] = /^fail (\d+) (.*)$/s.exec(call.request.toString()) ?? [];
        const trailers = echoed(call.metadata, '-bin');
        if (code === undefined) answer(null, call.request, trailers);
        else answer({ code: Number(code), details: details ?? '', metadata: trailers });
      },
      download: (call: ServerWritableStream<Buffer, Buffer>) => {
        this.#note(call);
        this.#sendMessages(call);
      },
      upload: (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        this.#note(call);
        let count = 0;
        let bytes = 0;
        call.on('data', (message: Buffer) => {
          count += 1;
          bytes += message.length;
        });
        call.on('end', () => answer(null, Buffer.from(`${count} ${bytes}`)));
        call.on('error', () => answer({ code: status.CANCELLED }));
      },
      chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
        this.#note(call);
        call.on('data', (message: Buffer) => call.write(message));
        call.on('end', () => call.end(echoed(call.metadata, '-bin')));
        call.on('error', () => call.end());
      },
      wait: (call: ServerWritableStream<Buffer, Buffer>) => {
        this.#note(call);
        call.write(call.request);
      },
    };
  }
}

/** Fields `x-*`, under names with another end. */
function echoed(metadata: Metadata, suffix: '' | '-bin'): Metadata {
  const echo = new Metadata();
  for (const [name, value] of Object.entries(metadata.getMap())) {
    if (!name.startsWith('x-test') || name.endsWith('-bin')) continue;
    echo.set(`${name}${suffix}`, suffix === '' ? value : Buffer.from(value));
  }
  return echo;
}
