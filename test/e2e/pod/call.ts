import { request } from 'node:http';
import type { Agent, ClientRequest } from 'node:http';
import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { request as requestSecurely } from 'node:https';
import type { TLSSocket } from 'node:tls';

/** Where a request goes; `https` in the URL goes with `tls`. */
export interface Target {
  readonly url: string;
  /** Host field and, over TLS, the name that the certificate has to be for. */
  readonly host: string;
  readonly tls?: TlsClient;
}

export interface TlsClient {
  /** PEM of the only authority that is believed. */
  readonly ca: string;
  /** What the client shows, when it is asked. */
  readonly certificate?: string;
  readonly key?: string;
}

/** What is asked; a GET without anything unless it says otherwise. */
export interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
  readonly version: '1.1' | '2';
  /** Of the server's certificate. */
  readonly serial?: string;
}

/** A request without an answer. */
export class CallError extends Error {
  /** A client may send it again by itself: a kept connection closed before an answer began, or HTTP/2 told that nothing was done. */
  readonly mayRepeat: boolean;

  constructor(cause: Error, mayRepeat: boolean) {
    super(cause.message, { cause });
    this.mayRepeat = mayRepeat;
  }
}

export const limitMs = 10_000;

/** Over HTTP/1.1; without an agent on a connection of its own. */
export function callHttp1(
  target: Target,
  asked: Request = {},
  agent: Agent | false = false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = startHttp1(target, asked, agent);
    call.once('timeout', () => call.destroy(new Error(`no answer within ${limitMs} ms`)));
    call.once('error', (error: NodeJS.ErrnoException) =>
      reject(new CallError(error, call.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(error.code ?? ''))),
    );
    call.once('response', (response) => {
      const serial = serialOf(response.socket as Partial<TLSSocket>);
      collect(response).then(
        (body) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            trailers: response.trailers,
            body,
            version: '1.1',
            ...serial,
          }),
        (error: Error) => reject(new CallError(error, false)),
      );
    });
    call.end(asked.body);
  });
}

/** An HTTP/1.1 request whose body is still to be sent. */
export function startHttp1(target: Target, asked: Request, agent: Agent | false): ClientRequest {
  const { method = 'GET', headers = {} } = asked;
  const common = { agent, method, timeout: limitMs, headers: { ...headers, host: target.host } };
  if (target.tls === undefined) return request(target.url, common);
  return requestSecurely(target.url, { ...common, ...tlsOptions(target, target.tls) });
}

/** Over HTTP/2, in a session that stays the caller's. */
export function callHttp2(session: ClientHttp2Session, target: Target, asked: Request = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = startHttp2(session, target, asked);
    const serial = serialOf(session.socket as Partial<TLSSocket>);
    let answered: { readonly status: number; readonly headers: IncomingHttpHeaders } | undefined;
    let trailers: IncomingHttpHeaders = {};
    stream.setTimeout(limitMs, () => stream.destroy(new Error(`no answer within ${limitMs} ms`)));
    stream.once('response', (headers) => (answered = { status: headers[':status'] ?? 0, headers }));
    stream.once('trailers', (fields) => (trailers = fields));
    const isUntouched = (): boolean => stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    collect(stream).then(
      (body) => {
        if (answered === undefined) reject(new CallError(new Error('no answer'), isUntouched()));
        else resolve({ ...answered, trailers, body, version: '2', ...serial });
      },
      (error: Error) => reject(new CallError(error, isUntouched())),
    );
    if (asked.body !== undefined) stream.end(asked.body);
  });
}

/** Throws a CallError when the session takes no more: nothing was sent then. */
function startHttp2(session: ClientHttp2Session, target: Target, asked: Request): ClientHttp2Stream {
  const head = {
    ':method': asked.method ?? 'GET',
    ':path': new URL(target.url).pathname,
    ':authority': target.host,
    ...asked.headers,
  };
  try {
    return session.request(head, { endStream: asked.body === undefined });
  } catch (error) {
    throw new CallError(error as Error, true);
  }
}

/** Resolves when HTTP/2 was agreed on and the server has told its settings. */
export function openHttp2(target: Target): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const options = target.tls === undefined ? {} : tlsOptions(target, target.tls);
    const session = connect(target.url, options);
    session.on('error', reject);
    session.once('remoteSettings', () => resolve(session));
  });
}

function tlsOptions({ host }: Target, { ca, certificate, key }: TlsClient) {
  return {
    servername: host,
    ca,
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

/** The socket of an HTTP/2 session has its members, but `in` does not find them. */
function serialOf(socket: { readonly getPeerCertificate?: TLSSocket['getPeerCertificate'] }): {
  readonly serial?: string;
} {
  const serial = socket.getPeerCertificate?.().serialNumber;
  return serial === undefined ? {} : { serial };
}

async function collect(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
