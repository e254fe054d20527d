import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';

import type { Answer } from './write-objects.ts';

/** An answer as it goes out, over HTTP/1.1 or HTTP/2 alike. */
export interface ResponseOut {
  /** Goes out at once. */
  head(status: number, headers: Readonly<Record<string, string | number>>): void;
  write(bytes: Buffer | string): void;
  end(): void;
  /** Breaks it off: a reset, not an end. */
  cut(): void;
  /** Resolves when it is over, whoever ended it. */
  readonly closed: Promise<void>;
}

const internalError = 2;

export function responseOut(response: ServerResponse | Http2ServerResponse): ResponseOut {
  // The compatibility API of HTTP/2 has the same methods, in types that TypeScript cannot call together.
  const out = response as ServerResponse;
  // A test breaks answers on purpose.
  out.on('error', () => undefined);
  return {
    head: (status, headers) => {
      out.writeHead(status, headers);
      out.flushHeaders();
    },
    write: (bytes) => void out.write(bytes),
    end: () => void out.end(),
    cut: () => {
      if ('stream' in response) response.stream.close(internalError);
      else out.socket?.destroy();
    },
    closed: new Promise((resolve) => out.once('close', resolve)),
  };
}

export interface AnswerOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Broken off after so many bytes of the body. */
  readonly cutAfterBytes?: number;
}

/** Sends a whole answer: a text as it is, anything else as JSON. */
export function sendAnswer(out: ResponseOut, { status, body }: Answer, options: AnswerOptions = {}): void {
  const type = typeof body === 'string' ? 'text/plain' : 'application/json';
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  const bytes = Buffer.from(text);
  out.head(status, { 'content-type': type, 'content-length': bytes.length, ...options.headers });
  const { cutAfterBytes } = options;
  if (cutAfterBytes === undefined) {
    if (bytes.length > 0) out.write(bytes);
    out.end();
    return;
  }
  out.write(bytes.subarray(0, cutAfterBytes));
  // What was written is on its way before the connection breaks.
  setImmediate(() => out.cut());
}
