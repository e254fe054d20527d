import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** What an upstream of a test does with one request: answer with these bytes, or take over the socket. */
export type Behaviour = (request: RecordedRequest, socket: Socket) => string | Buffer | undefined;

export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  /** Head as received, without the empty line. */
  readonly head: string;
  /** Lower-case names; repeated fields joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  /** Decoded. */
  readonly body: string;
  /** Which connection it came on, from 0. */
  readonly connection: number;
}

/** A strict upstream that records every byte and every request, and answers as told. */
export class RawUpstream {
  readonly port: number;
  readonly requests: RecordedRequest[] = [];
  /** Everything received, by connection. */
  readonly bytes: string[] = [];
  /** Input that is not a well-formed request. */
  readonly faults: string[] = [];
  readonly sockets: Socket[] = [];
  behaviour: Behaviour;
  readonly #stop: () => Promise<void>;
  readonly #waiters = new Set<() => void>();

  private constructor(port: number, behaviour: Behaviour, stop: () => Promise<void>) {
    this.port = port;
    this.behaviour = behaviour;
    this.#stop = stop;
  }

  /** Listens on a free loopback port. By default every request is answered with 200 and its target as the body. */
  static async start(behaviour: Behaviour = echoTarget): Promise<RawUpstream> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const upstream = new RawUpstream((server.address() as AddressInfo).port, behaviour, async () => {
      for (const socket of upstream.sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
    server.on('connection', (socket) => upstream.#serve(socket));
    return upstream;
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  /** Resolves when the condition holds; looked at after each change. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
  }

  #serve(socket: Socket): void {
    const connection = this.sockets.push(socket) - 1;
    this.bytes.push('');
    let pending = '';
    socket.on('error', () => undefined);
    socket.on('close', () => this.#wake());
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      this.bytes[connection] += text;
      pending += text;
      pending = this.#consume(pending, socket, connection);
      this.#wake();
    });
  }

  #consume(input: string, socket: Socket, connection: number): string {
    let rest = input;
    for (;;) {
      const taken = takeRequest(rest, connection);
      if (taken === undefined) return rest;
      if (typeof taken === 'string') {
        this.faults.push(taken);
        socket.destroy();
        return '';
      }
      rest = rest.slice(taken.length);
      this.requests.push(taken.request);
      const answer = this.behaviour(taken.request, socket);
      if (answer !== undefined)
        socket.write(typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer);
    }
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}

export function answer(body: string, extra = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${extra}\r\n${body}`;
}

function echoTarget(request: RecordedRequest): string {
  return answer(request.target);
}

const requestLine = /^([A-Z]+) (\S+) HTTP\/1\.1$/;
const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([^\0\r\n]*)$/;

/** One request off the input, undefined while it is incomplete, or what is wrong with it. Independent of the proxy's own parser. */
function takeRequest(
  text: string,
  connection: number,
): { request: RecordedRequest; length: number } | string | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const [first = '', ...lines] = head.split('\r\n');
  const line = requestLine.exec(first);
  if (line === null) return `request line ${JSON.stringify(first)}`;
  const headers = new Map<string, string>();
  for (const field of lines) {
    const match = fieldLine.exec(field);
    if (match === null) return `field line ${JSON.stringify(field)}`;
    const name = (match[1] as string).toLowerCase();
    if (headers.has(name) && ['host', 'content-length', 'transfer-encoding'].includes(name))
      return `two ${name} fields`;
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${match[2]}` : (match[2] as string));
  }
  const body = takeBody(text, headEnd + 4, headers);
  if (body === undefined || typeof body === 'string') return body;
  const request = {
    method: line[1] as string,
    target: line[2] as string,
    head,
    headers,
    body: body.text,
    connection,
  };
  return { request, length: body.end };
}

function takeBody(
  text: string,
  start: number,
  headers: ReadonlyMap<string, string>,
): { text: string; end: number } | string | undefined {
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding');
  if (length !== undefined && coding !== undefined) return 'both Content-Length and Transfer-Encoding';
  if (length !== undefined) {
    if (!/^(0|[1-9][0-9]*)$/.test(length)) return `Content-Length ${JSON.stringify(length)}`;
    const end = start + Number(length);
    return text.length < end ? undefined : { text: text.slice(start, end), end };
  }
  if (coding === undefined) return { text: '', end: start };
  if (coding !== 'chunked') return `Transfer-Encoding ${JSON.stringify(coding)}`;
  return takeStrictChunks(text, start);
}

function takeStrictChunks(text: string, start: number): { text: string; end: number } | string | undefined {
  let body = '';
  let position = start;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', position);
    if (lineEnd < 0) return undefined;
    const sizeText = text.slice(position, lineEnd);
    if (!/^[0-9a-f]+$/i.test(sizeText)) return `chunk size ${JSON.stringify(sizeText)}`;
    const size = Number.parseInt(sizeText, 16);
    position = lineEnd + 2;
    if (size === 0) {
      const end = text.startsWith('\r\n', position) ? position + 2 : text.indexOf('\r\n\r\n', position) + 4;
      return end < position + 2 ? undefined : { text: body, end };
    }
    if (text.length < position + size + 2) return undefined;
    if (text.slice(position + size, position + size + 2) !== '\r\n') return 'chunk data not followed by CRLF';
    body += text.slice(position, position + size);
    position += size + 2;
  }
}
