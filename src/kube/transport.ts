// The cluster as a source, and as a place to report to. In: an API server. Out: snapshots of what the model reads, and
// writes of status, Events and a Lease. This folder is the only importer of the Kubernetes client and of undici; it imports
// util, diagnostics, model and telemetry, never the table, a compiler or a proxy. It runs in the main thread only.

/** One call to the API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the API server, each segment escaped: `/apis/networking.k8s.io/v1/ingresses`. */
  readonly path: string;
  readonly query?: ReadonlyMap<string, string>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** For the whole answer of `request`, for the head of `stream`. Default 30 s. */
  readonly timeoutMs?: number;
  /** A longer answer to `request` is given up. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Ends the call; it then rejects with code `ABORTED`. */
  readonly signal?: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  /** Parsed JSON; undefined when the body is empty, a string when it is not JSON. */
  readonly body: unknown;
  /** From `Retry-After` (RFC 9110 §10.2.3, seconds or a date). */
  readonly retryAfterMs: number | undefined;
}

/** An answer whose body is still to come. */
export interface ApiStream {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** Must be read to its end or returned from, else its connection stays taken. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What a call that got no answer rejects with. */
export type TransportErrorCode =
  /** The caller's signal. */
  | 'ABORTED'
  /** No connection, or it broke, or TLS did not come about. */
  | 'UNREACHABLE'
  | 'TIMEOUT'
  /** Credentials could not be had: an exec plugin failed, a token file is gone. */
  | 'CREDENTIALS'
  /** The answer was larger than the call allows. */
  | 'TOO_LARGE';

/** Calls to one API server. Every status resolves; only calls without an answer reject, with a TransportError. */
export interface Transport {
  request(request: ApiRequest): Promise<ApiResponse>;
  stream(request: ApiRequest): Promise<ApiStream>;
  /** Ends what runs and closes every connection. */
  close(): Promise<void>;
}

/** A call that got no answer. Identify it by `code`. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportErrorCode;

  constructor(code: TransportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
