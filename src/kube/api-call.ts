import { TransportError } from './transport.ts';
import type { ApiRequest } from './transport.ts';

const defaultTimeoutMs = 30_000;
const defaultMaxBytes = 256 * 1024 * 1024;

/** One call: its deadline, its caller's signal, and what to say when it fails. */
export class ApiCall {
  readonly method: ApiRequest['method'];
  /** As it goes out: with the server's own prefix and the query. */
  readonly path: string;
  readonly body: string | undefined;
  readonly contentType: string;
  readonly maxBytes: number;
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  readonly #server: URL;
  readonly #outer: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(server: URL, request: ApiRequest) {
    this.method = request.method;
    this.path = pathOf(server, request);
    this.body = request.body === undefined ? undefined : JSON.stringify(request.body);
    this.contentType = request.contentType ?? 'application/json';
    this.maxBytes = request.maxBytes ?? defaultMaxBytes;
    this.#timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    this.#server = server;
    this.#outer = request.signal;
    if (request.signal?.aborted === true) this.#giveUp();
    else request.signal?.addEventListener('abort', this.#giveUp, { once: true });
  }

  /** Aborted with a TransportError by the caller's signal, by the deadline or by `abort`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(error: TransportError): void {
    this.#controller.abort(error);
  }

  /** From here on the time counts: waiting for its turn is not the API server's fault. */
  startTimer(): void {
    this.#timer = setTimeout(() => {
      const message = `${this.#name()}: no answer, want one in ${this.#timeoutMs} ms`;
      this.#controller.abort(new TransportError('TIMEOUT', message));
    }, this.#timeoutMs);
  }

  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  /** Nothing of the call is left behind. */
  done(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#giveUp);
  }

  /** What the caller is told when `error` ended the call. */
  failure(error: unknown): TransportError {
    if (this.signal.aborted) return this.signal.reason as TransportError;
    if (error instanceof TransportError) return error;
    return new TransportError('UNREACHABLE', `${this.#name()}: ${reasonOf(error)}`, { cause: error });
  }

  tooLarge(): TransportError {
    return new TransportError(
      'TOO_LARGE',
      `${this.#name()}: the answer is too large, want at most ${this.maxBytes} bytes`,
    );
  }

  /** Resolves or rejects as `promise` does, or rejects as soon as the call is over. */
  async untilDone<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    const aborted = Promise.withResolvers<never>();
    const giveUp = (): void => aborted.reject(signal.reason as Error);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  readonly #giveUp = (): void => {
    this.#controller.abort(new TransportError('ABORTED', `${this.#name()}: given up`));
  };

  #name(): string {
    return `${this.method} ${this.path} at ${this.#server.origin}`;
  }
}

function pathOf(server: URL, { path, query }: ApiRequest): string {
  const prefix = server.pathname.replace(/\/+$/, '');
  const search =
    query === undefined || query.size === 0 ? '' : `?${new URLSearchParams([...query]).toString()}`;
  return `${prefix}${path}${search}`;
}

/** The innermost text that says something: undici and TLS wrap what the system said. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error.message !== '' && error.message !== 'fetch failed') return error.message;
  return error.cause === undefined ? error.name : reasonOf(error.cause);
}
