import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A TCP client that speaks bytes, for what no HTTP library would send. Bytes and text are latin1. */
export class RawClient {
  readonly socket: Socket;
  #received = '';
  #ended = false;
  #closed = false;
  readonly #waiters = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Everything received so far. */
  get received(): string {
    return this.#received;
  }

  get isEnded(): boolean {
    return this.#ended || this.#closed;
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Resolves when the condition holds for what was received; rejects when the connection ends first. */
  async until(condition: (received: string) => boolean): Promise<string> {
    while (!condition(this.#received)) {
      if (this.isEnded) throw new Error(`connection ended after ${JSON.stringify(this.#received)}`);
      await this.#change();
    }
    return this.#received;
  }

  /** Resolves with everything received once the other side has ended the connection. */
  async untilEnd(): Promise<string> {
    while (!this.isEnded) await this.#change();
    return this.#received;
  }

  /** One whole response with a Content-Length or chunked body, taken off what was received. */
  async response(): Promise<RawResponse> {
    for (;;) {
      const found = takeResponse(this.#received, this.isEnded);
      if (found !== undefined) {
        this.#received = this.#received.slice(found.length);
        return found.response;
      }
      if (this.isEnded) throw new Error(`connection ended inside ${JSON.stringify(this.#received)}`);
      await this.#change();
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake);
        resolve();
      };
      this.#waiters.add(wake);
    });
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}

export interface RawResponse {
  readonly status: number;
  readonly head: string;
  /** Lower-case names; repeated fields joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends bytes on a connection of their own and returns everything until the other side ends it. */
export async function exchangeBytes(port: number, bytes: string | Buffer): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(bytes);
  const received = await client.untilEnd();
  client.close();
  return received;
}

/** Sends one request and returns its response. */
export async function request(port: number, bytes: string | Buffer): Promise<RawResponse> {
  const client = await RawClient.connect(port);
  client.send(bytes);
  const response = await client.response();
  client.close();
  return response;
}

function takeResponse(text: string, ended: boolean): { response: RawResponse; length: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const status = Number(head.slice(9, 12));
  const headers = readFields(head);
  const start = headEnd + 4;
  const finish = (body: string, length: number): { response: RawResponse; length: number } => ({
    response: { status, head, headers, body },
    length,
  });
  if (status < 200 || status === 204 || status === 304) return finish('', start);
  if (headers.get('transfer-encoding') === 'chunked') {
    const body = takeChunks(text, start);
    return body === undefined ? undefined : finish(body.text, body.end);
  }
  const length = headers.get('content-length');
  if (length === undefined) return ended ? finish(text.slice(start), text.length) : undefined;
  const end = start + Number(length);
  return text.length >= end ? finish(text.slice(start, end), end) : undefined;
}

function readFields(head: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const known = fields.get(name);
    fields.set(name, known === undefined ? value : `${known}, ${value}`);
  }
  return fields;
}

function takeChunks(text: string, start: number): { text: string; end: number } | undefined {
  let body = '';
  let position = start;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', position);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(position, lineEnd), 16);
    position = lineEnd + 2;
    if (size === 0) {
      const end = text.startsWith('\r\n', position) ? position + 2 : text.indexOf('\r\n\r\n', position) + 4;
      return end < position + 2 || end > text.length ? undefined : { text: body, end };
    }
    if (text.length < position + size + 2) return undefined;
    body += text.slice(position, position + size);
    position += size + 2;
  }
}
