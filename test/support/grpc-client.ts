import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type {
  CallOptions,
  ChannelCredentials,
  ClientDuplexStream,
  ClientReadableStream,
  ClientWritableStream,
  MethodDefinition,
  ServiceError,
  StatusObject,
  status,
} from '@grpc/grpc-js';

/** How a call went: what the server said, in the order in which it says it. */
export interface CallOutcome {
  readonly code: status;
  readonly details: string;
  readonly messages: readonly Buffer[];
  /** What came before the messages, and behind them. */
  readonly metadata: Metadata | undefined;
  readonly trailers: Metadata;
}

type Method = MethodDefinition<Buffer, Buffer>;

/** A real client of gRPC, for one port on this machine. */
export class GrpcClient {
  readonly #client: Client;

  constructor(
    port: number,
    options: Readonly<Record<string, number | string>> = {},
    channel: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.#client = new Client(`127.0.0.1:${port}`, channel, {
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
      // What is tried again is the proxy's business here.
      'grpc.enable_retries': 0,
      ...options,
    });
  }

  close(): void {
    this.#client.close();
  }

  unary(method: Method, request: Buffer | string, options: CallOptions = {}): Promise<CallOutcome> {
    return this.unaryWith(method, request, new Metadata(), options);
  }

  // oxlint-disable-next-line max-params -- as the library has it
  unaryWith(
    { path, requestSerialize, responseDeserialize }: Method,
    request: Buffer | string,
    metadata: Metadata,
    options: CallOptions = {},
  ): Promise<CallOutcome> {
    const sent = Buffer.from(request);
    return new Promise((resolve) => {
      const messages: Buffer[] = [];
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        sent,
        metadata,
        options,
        (_: ServiceError | null, message?: Buffer) => {
          if (message !== undefined) messages.push(message);
        },
      );
      settle(call, messages, resolve);
    });
  }

  serverStream(
    { path, requestSerialize, responseDeserialize }: Method,
    request: Buffer | string,
    options: CallOptions = {},
  ): ClientReadableStream<Buffer> {
    const sent = Buffer.from(request);
    return this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, sent, options);
  }

  clientStream(
    { path, requestSerialize, responseDeserialize }: Method,
    options: CallOptions = {},
  ): { readonly call: ClientWritableStream<Buffer>; readonly outcome: Promise<CallOutcome> } {
    const messages: Buffer[] = [];
    const call = this.#client.makeClientStreamRequest<Buffer, Buffer>(
      path,
      requestSerialize,
      responseDeserialize,
      options,
      (_, message) => {
        if (message !== undefined) messages.push(message);
      },
    );
    return { call, outcome: new Promise((resolve) => settle(call, messages, resolve)) };
  }

  bidi(
    { path, requestSerialize, responseDeserialize }: Method,
    metadata = new Metadata(),
    options: CallOptions = {},
  ): ClientDuplexStream<Buffer, Buffer> {
    return this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, options);
  }
}

/** How a stream goes, read to its end. */
export function outcomeOf(call: ClientReadableStream<Buffer>): Promise<CallOutcome> {
  return new Promise((resolve) => {
    const messages: Buffer[] = [];
    call.on('data', (message: Buffer) => messages.push(message));
    settle(call, messages, resolve);
  });
}

interface SettlingCall {
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
}

// oxlint-disable-next-line max-params -- a call, what it collects, and who waits
function settle(call: SettlingCall, messages: Buffer[], resolve: (outcome: CallOutcome) => void): void {
  let metadata: Metadata | undefined;
  call.on('metadata', (received) => {
    metadata = received;
  });
  call.on('error', () => {
    // `status` says the same, for success too.
  });
  call.on('status', ({ code, details, metadata: trailers }) => {
    // The message of a unary call is given with the status, in no certain order.
    setImmediate(() => resolve({ code, details, messages, metadata, trailers }));
  });
}
