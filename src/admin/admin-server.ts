import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { AdminState } from './admin-state.ts';
import { textAnswer } from './endpoint.ts';
import type { Answer } from './endpoint.ts';
import { endpoints } from './endpoints.ts';
import { refuseForeign } from './loopback.ts';

// Health, metrics and explanations over HTTP, in the main thread. In: an AdminState that the app brings together.
// Out: GET and HEAD on the paths of endpoints.ts. It only reads: nothing can be changed through it.
// Must not import control, workers or proxy.

export interface AdminServerOptions {
  /** Address to listen on; undefined is all. */
  readonly address?: string | undefined;
  /** 0 takes a free port. */
  readonly port: number;
  /** Told of answers that failed. */
  readonly failed?: (path: string, error: unknown) => void;
}

const requestTimeoutMs = 5000;
const keepAliveMs = 60_000;
const sendTimeoutMs = 30_000;
const maxConnections = 256;
const maxHeadBytes = 16 * 1024;

export class AdminServer {
  readonly #server: Server;
  readonly #state: AdminState;
  readonly #options: AdminServerOptions;

  constructor(state: AdminState, options: AdminServerOptions) {
    this.#state = state;
    this.#options = options;
    const limits = {
      maxHeaderSize: maxHeadBytes,
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: keepAliveMs,
    };
    this.#server = createServer(limits, (request, response) => this.#serve(request, response));
    this.#server.maxConnections = maxConnections;
    // A reader that stops taking an answer would otherwise hold its connection for ever.
    this.#server.setTimeout(sendTimeoutMs + keepAliveMs);
  }

  /** Listens; the port that was taken. Rejects with the system's error, as when the port is in use. */
  async start(): Promise<number> {
    const { address, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host: address }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#options.failed?.('', error));
        resolve();
      });
    });
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : port;
  }

  /** Closes every connection. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const target = request.url ?? '/';
    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    const answer = this.#answer(request, path, new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)));
    send(request, response, answer).catch((error: unknown) => {
      response.destroy();
      // A client that leaves early is no fault of ours.
      if (!isGone(error)) this.#options.failed?.(path, error);
    });
  }

  #answer(request: IncomingMessage, path: string, query: URLSearchParams): Answer {
    if (request.method !== 'GET' && request.method !== 'HEAD') return textAnswer(405, 'Only GET and HEAD');
    const endpoint = endpoints.find((one) => one.path === path);
    if (endpoint === undefined) return textAnswer(404, `Not found. Paths:\n${listOfPaths}`);
    const refusal = endpoint.loopbackOnly ? refuseForeign(request) : undefined;
    if (refusal !== undefined) return textAnswer(403, `Forbidden: ${refusal}`);
    try {
      return endpoint.answer(query, this.#state);
    } catch (error) {
      this.#options.failed?.(path, error);
      return textAnswer(500, 'Internal error');
    }
  }
}

const listOfPaths = endpoints.map(({ path, doc }) => `${path.padEnd(20)} ${doc}`).join('\n');

async function send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  response.statusCode = answer.status;
  response.setHeader('Content-Type', answer.contentType);
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (answer.status === 405) response.setHeader('Allow', 'GET, HEAD');
  // No endpoint reads a body, so a request that has one ends its connection.
  if (
    request.headers['transfer-encoding'] !== undefined ||
    (request.headers['content-length'] ?? '0') !== '0'
  ) {
    response.setHeader('Connection', 'close');
  }
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  if (typeof answer.body === 'string') {
    response.setHeader('Content-Length', Buffer.byteLength(answer.body));
    response.end(answer.body);
    return;
  }
  const pieces = Readable.from(answer.body, { objectMode: false, highWaterMark: 1 });
  response.setHeader('Vary', 'Accept-Encoding');
  if (
    /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(request.headers['accept-encoding']?.toString() ?? '')
  ) {
    response.setHeader('Content-Encoding', 'gzip');
    // Label texts repeat on every line: the fastest level already takes off nine tenths.
    await pipeline(pieces, createGzip({ level: constants.Z_BEST_SPEED }), response);
  } else {
    await pipeline(pieces, response);
  }
}

const goneCodes: readonly unknown[] = ['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR', 'ECONNRESET', 'EPIPE'];

/** A pipeline that fails at both ends gathers its errors in one. */
function isGone(error: unknown): boolean {
  const { errors } = error as { readonly errors?: readonly unknown[] };
  return (errors ?? [error]).every((cause) =>
    goneCodes.includes((cause as { readonly code?: unknown }).code),
  );
}
