import type { Dispatcher } from 'undici';

import { ApiCall } from './api-call.ts';
import { CallGate } from './call-gate.ts';
import type { ClusterAccess, ConnectionSettings, Credentials } from './cluster-access.ts';
import { ConnectionWatch, defaultPings } from './connection-watch.ts';
import type { PingTuning } from './connection-watch.ts';
import { createDispatcher } from './dispatcher.ts';
import { ResponseStream } from './response-stream.ts';
import type { ResponseHead } from './response-stream.ts';
import { parseRetryAfter } from './retry-after.ts';
import { TransportError } from './transport.ts';
import type { ApiRequest, ApiResponse, ApiStream, Transport } from './transport.ts';

export interface TransportOptions {
  /** Default `sallyport`. */
  readonly userAgent?: string;
  /** Reads (lists, and watches until they are answered) that run at once. Default 64. Writes never wait for them. */
  readonly concurrentReads?: number;
  /** How dead HTTP/2 connections are found. Default: within 25 to 30 s. */
  readonly pings?: PingTuning;
}

interface Answer {
  readonly head: ResponseHead;
  readonly stream: ResponseStream;
}

/** Calls to the API server behind `access`, all over one set of connections. Nothing is connected before the first call. */
export function createTransport(access: ClusterAccess, options: TransportOptions = {}): Transport {
  return new ApiTransport(access, options);
}

class ApiTransport implements Transport {
  readonly #access: ClusterAccess;
  readonly #userAgent: string;
  readonly #reads: CallGate;
  readonly #watch: ConnectionWatch;
  readonly #calls = new Set<ApiCall>();
  /** Those of settings that were replaced serve what runs on them, and close with the last of it. */
  readonly #dispatchers = new Set<Dispatcher>();
  #current: { readonly settings: ConnectionSettings; readonly dispatcher: Dispatcher } | undefined;
  #closed = false;

  constructor(access: ClusterAccess, options: TransportOptions) {
    const { userAgent = 'sallyport', concurrentReads = 64, pings = defaultPings } = options;
    this.#access = access;
    this.#watch = new ConnectionWatch(pings);
    this.#userAgent = userAgent;
    this.#reads = new CallGate(concurrentReads);
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    const call = this.#begin(request);
    try {
      return await this.#inTurn(call, async () => {
        const { head, stream } = await this.#answer(call);
        const body = await readBody(stream, call);
        return { status: head.status, body, retryAfterMs: retryAfterOf(head) };
      });
    } catch (error) {
      throw call.failure(error);
    } finally {
      this.#end(call);
    }
  }

  async stream(request: ApiRequest): Promise<ApiStream> {
    const call = this.#begin(request);
    try {
      const { head, stream } = await this.#inTurn(call, () => this.#answer(call));
      call.stopTimer();
      void stream.done.then(() => this.#end(call));
      return { status: head.status, retryAfterMs: retryAfterOf(head), body: new Body(stream, call) };
    } catch (error) {
      this.#end(call);
      throw call.failure(error);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of this.#calls) call.abort(new TransportError('ABORTED', 'The transport was closed'));
    await Promise.all([...this.#dispatchers].map((dispatcher) => dispatcher.destroy()));
    this.#watch.stop();
    this.#dispatchers.clear();
    this.#current = undefined;
  }

  #begin(request: ApiRequest): ApiCall {
    if (this.#closed) throw new TransportError('ABORTED', 'The transport was closed');
    const call = new ApiCall(this.#access.server, request);
    this.#calls.add(call);
    return call;
  }

  #end(call: ApiCall): void {
    call.done();
    this.#calls.delete(call);
  }

  async #inTurn<T>(call: ApiCall, run: () => Promise<T>): Promise<T> {
    const waits = call.method === 'GET';
    if (waits) await this.#reads.enter(call.signal);
    try {
      call.startTimer();
      return await run();
    } finally {
      if (waits) this.#reads.leave();
    }
  }

  /** The answer; after a 401, that of a second try with other credentials, where there are any. */
  async #answer(call: ApiCall): Promise<Answer> {
    const credentials = await call.untilDone(this.#access.credentials());
    const answer = await this.#dispatch(call, credentials);
    if (answer.head.status !== 401) return answer;
    const renewed = await call.untilDone(this.#access.renew(credentials));
    if (renewed === credentials) return answer;
    await answer.stream.return();
    return this.#dispatch(call, renewed);
  }

  async #dispatch(call: ApiCall, credentials: Credentials): Promise<Answer> {
    const dispatcher = this.#dispatcher(credentials.connection);
    const stream = new ResponseStream(call.signal);
    const { server } = this.#access;
    dispatcher.dispatch(
      {
        origin: server.origin,
        path: call.path,
        method: call.method,
        headers: this.#headers(call, credentials),
        ...(call.body === undefined ? {} : { body: call.body }),
      },
      stream,
    );
    return { head: await stream.head, stream };
  }

  #headers({ body, contentType }: ApiCall, { headers }: Credentials): string[] {
    const flat = ['accept', 'application/json', 'user-agent', this.#userAgent];
    if (body !== undefined) flat.push('content-type', contentType);
    for (const [name, value] of headers) flat.push(name, value);
    return flat;
  }

  #dispatcher(settings: ConnectionSettings): Dispatcher {
    if (this.#closed) throw new TransportError('ABORTED', 'The transport was closed');
    if (this.#current?.settings === settings) return this.#current.dispatcher;
    this.#retire();
    const dispatcher = createDispatcher(this.#access.server, settings, this.#watch);
    this.#dispatchers.add(dispatcher);
    this.#current = { settings, dispatcher };
    return dispatcher;
  }

  #retire(): void {
    const old = this.#current?.dispatcher;
    if (old === undefined) return;
    const forget = (): void => void this.#dispatchers.delete(old);
    old.close().then(forget, forget);
  }
}

/** What a caller of `stream` reads. Errors are the transport's own, as for a whole answer. */
class Body implements AsyncIterableIterator<Uint8Array> {
  readonly #stream: ResponseStream;
  readonly #call: ApiCall;

  constructor(stream: ResponseStream, call: ApiCall) {
    this.#stream = stream;
    this.#call = call;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#stream.next();
    } catch (error) {
      throw this.#call.failure(error);
    }
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    return this.#stream.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function retryAfterOf({ headers }: ResponseHead): number | undefined {
  const value = headers['retry-after'];
  return parseRetryAfter(Array.isArray(value) ? value[0] : value, Date.now());
}

async function readBody(stream: ResponseStream, call: ApiCall): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > call.maxBytes) throw call.tooLarge();
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks, bytes).toString('utf8');
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
