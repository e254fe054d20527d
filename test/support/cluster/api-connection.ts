import { Agent, request } from 'undici';

export interface Credentials {
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
  /** A client certificate and its key, PEM. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export interface ApiAccess extends Credentials {
  readonly url: string;
  /** PEM; the system's authorities when it is left out. */
  readonly ca?: string | undefined;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  /** Default `application/json`. */
  readonly accept?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON, or the text when it is none. */
  readonly body: unknown;
  /** Texts of the Warning fields (RFC 7234 §5.5), as kubectl prints them. */
  readonly warnings: readonly string[];
}

/** Calls to one API server with one identity. Every status resolves. */
export class ApiConnection {
  readonly url: string;
  readonly #agent: Agent;
  readonly #token: string | undefined;

  constructor({ url, ca, token, certificate, key }: ApiAccess) {
    this.url = url;
    this.#token = token;
    this.#agent = new Agent({
      connect: { ...(ca && { ca }), ...(certificate && { cert: certificate }), ...(key && { key }) },
      connections: 128,
      pipelining: 1,
    });
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<ApiAnswer> {
    const { statusCode, headers, body } = await this.#send(method, path, options);
    const warnings = readWarnings(headers['warning']);
    const text = await body.text();
    try {
      return { status: statusCode, body: JSON.parse(text) as unknown, warnings };
    } catch {
      return { status: statusCode, body: text, warnings };
    }
  }

  /** A GET whose body may take for ever. It must be read, or returned from. */
  async stream(
    path: string,
    options: CallOptions,
  ): Promise<{ readonly status: number; readonly body: AsyncIterable<Uint8Array> }> {
    const { statusCode, body } = await this.#send('GET', path, options);
    return { status: statusCode, body: body as AsyncIterable<Uint8Array> };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  #send(method: string, path: string, options: CallOptions): ReturnType<typeof request> {
    const {
      body,
      contentType = 'application/json',
      accept = 'application/json',
      query = {},
      signal,
    } = options;
    const url = new URL(path, this.url);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return request(url, {
      dispatcher: this.#agent,
      method: method as 'GET',
      headers: {
        accept,
        'content-type': contentType,
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
      bodyTimeout: 0,
    });
  }
}

/** `299 - "text"`, the text with `\"` and `\\` escaped. */
function readWarnings(fields: string | readonly string[] | undefined): readonly string[] {
  const texts = [
    ...[fields ?? []]
      .flat()
      .join(', ')
      .matchAll(/299 - "((?:[^"\\]|\\.)*)"/g),
  ];
  return texts.map(([, text = '']) => text.replace(/\\(.)/g, '$1'));
}
