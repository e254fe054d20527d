import { once } from 'node:events';
import { connect } from 'node:http2';
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
} from 'node:http2';

/** What came of one request. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
  /** Statuses of 1xx heads. */
  readonly informational: readonly number[];
}

/** A client of node:http2: another implementation of the protocol than the one that is tested. */
export class NodeHttp2Client {
  readonly session: ClientHttp2Session;
  readonly #scheme: 'http' | 'https';

  private constructor(session: ClientHttp2Session, scheme: 'http' | 'https') {
    this.session = session;
    this.#scheme = scheme;
    session.on('error', () => undefined);
  }

  static async connect(port: number, scheme: 'http' | 'https' = 'https'): Promise<NodeHttp2Client> {
    const session = connect(`${scheme}://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
      ...(scheme === 'https' ? { servername: 'a.example' } : {}),
    });
    await once(session, 'connect');
    return new NodeHttp2Client(session, scheme);
  }

  /** Begins a request to a.example; nothing of its body is sent. */
  begin(fields: OutgoingHttpHeaders = {}, options: { readonly endStream?: boolean } = {}): ClientHttp2Stream {
    const stream = this.session.request(
      { ':method': 'GET', ':path': '/', ':scheme': this.#scheme, ':authority': 'a.example', ...fields },
      { endStream: options.endStream ?? true },
    );
    stream.on('error', () => undefined);
    return stream;
  }

  async request(fields: OutgoingHttpHeaders = {}, body?: string | Buffer): Promise<Http2Answer> {
    const stream = this.begin(fields, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    return await answerOf(stream);
  }

  close(): void {
    this.session.destroy();
  }
}

/** Reads an answer to its end. Rejects when it is cut. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let status = 0;
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const informational: number[] = [];
  const body: Buffer[] = [];
  stream.on('headers', (fields) => informational.push(Number(fields[':status'])));
  stream.on('response', (fields) => {
    status = Number(fields[':status']);
    headers = fields;
  });
  stream.on('trailers', (fields) => (trailers = fields));
  stream.on('data', (chunk: Buffer) => body.push(chunk));
  if (!stream.closed) await once(stream, 'close');
  if (status === 0) throw new Error(`closed without an answer, with code ${stream.rstCode}`);
  return { status, headers, body: Buffer.concat(body).toString('latin1'), trailers, informational };
}
