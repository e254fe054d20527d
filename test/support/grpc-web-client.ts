import { createRequire } from 'node:module';

import grpcWeb from 'grpc-web';
import type { ClientReadableStream, Metadata, MethodDescriptor, RpcError, Status } from 'grpc-web';

// The library that browsers use, over a stand-in for their XMLHttpRequest, which has no types.
const { XMLHttpRequest } = createRequire(import.meta.url)('xhr2') as { readonly XMLHttpRequest: unknown };
Object.assign(globalThis, { XMLHttpRequest });

/** How a call went. */
export interface WebOutcome {
  readonly code: number;
  readonly details: string;
  readonly messages: readonly Buffer[];
  readonly metadata: Metadata;
  readonly trailers: Metadata;
}

type Method = MethodDescriptor<Uint8Array, Uint8Array>;

/** A client of gRPC-Web for one port on this machine. `text`: base64; only this one can stream. */
export class GrpcWebClient {
  readonly #client: grpcWeb.GrpcWebClientBase;
  readonly #origin: string;

  constructor(port: number, format: 'text' | 'binary', host = '127.0.0.1') {
    this.#client = new grpcWeb.GrpcWebClientBase({ format });
    this.#origin = `http://${host}:${port}`;
  }

  unary(path: string, request: string, metadata: Metadata = {}): Promise<WebOutcome> {
    const messages: Buffer[] = [];
    const method = descriptor(path, grpcWeb.MethodType.UNARY);
    const call = this.#client.rpcCall(
      this.#origin + path,
      Buffer.from(request),
      metadata,
      method,
      (_: RpcError | null, message: Uint8Array | null) => {
        if (message !== null) messages.push(Buffer.from(message));
      },
    );
    return settled(call, messages);
  }

  serverStream(path: string, request: string, metadata: Metadata = {}): ClientReadableStream<Uint8Array> {
    const method = descriptor(path, grpcWeb.MethodType.SERVER_STREAMING);
    return this.#client.serverStreaming(this.#origin + path, Buffer.from(request), metadata, method);
  }
}

/** How a stream goes, read to its end. */
export function webOutcomeOf(call: ClientReadableStream<Uint8Array>): Promise<WebOutcome> {
  const messages: Buffer[] = [];
  call.on('data', (message) => messages.push(Buffer.from(message)));
  return settled(call, messages);
}

function descriptor(path: string, type: string): Method {
  const same = (bytes: Uint8Array) => bytes;
  return new grpcWeb.MethodDescriptor(path, type, Uint8Array, Uint8Array, same, same);
}

function settled(call: ClientReadableStream<Uint8Array>, messages: Buffer[]): Promise<WebOutcome> {
  return new Promise((resolve) => {
    let metadata: Metadata = {};
    let status: Status | undefined;
    const finish = (code: number, details: string, trailers: Metadata = {}) =>
      setImmediate(() => resolve({ code, details, messages, metadata, trailers }));
    call.on('metadata', (received) => {
      metadata = received;
    });
    call.on('status', (received) => {
      status = received;
      finish(received.code, received.details, received.metadata);
    });
    call.on('error', (error) => {
      if (status === undefined) finish(error.code, error.message, error.metadata);
    });
  });
}
