import { createServer, request } from 'node:http';
import type { ClientRequest, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

import type { Message, Transcript } from './our-reader.ts';

const MAX_HEAD_BYTES = 65_536;

interface Seen {
  readonly incoming: IncomingMessage;
  readonly start: readonly [string, string];
  body: string;
}

/** A socket without a network: it has been sent these bytes and then FIN. What is written to it is forgotten. */
function socketWith(bytes: Buffer): Socket {
  const duplex = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const socket = Object.assign(duplex, {
    setTimeout: () => socket,
    setNoDelay: () => socket,
    setKeepAlive: () => socket,
    ref: () => socket,
    unref: () => socket,
  }) as unknown as Socket;
  duplex.push(bytes);
  duplex.push(null);
  return socket;
}

function watch(incoming: IncomingMessage, start: readonly [string, string], seen: Seen[]): void {
  const entry: Seen = { incoming, start, body: '' };
  seen.push(entry);
  incoming.on('data', (chunk: Buffer) => (entry.body += chunk.toString('latin1')));
  incoming.on('error', () => undefined);
}

function toMessage({ incoming, start, body }: Seen): Message {
  return { start, fields: incoming.rawHeaders, body, trailers: incoming.rawTrailers };
}

function transcript(seen: readonly Seen[], error: string): Transcript {
  const messages = seen.filter((entry) => entry.incoming.complete).map(toMessage);
  if (error !== '') return { messages, end: 'refused', detail: error };
  return { messages, end: messages.length === seen.length ? 'clean' : 'incomplete', detail: '' };
}

/** Turns of the event loop after which everything that was pushed has been parsed and read. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Node's HTTP server as a reader of requests. One for all inputs. */
export class NodeRequestReader {
  readonly #server: Server;
  #seen: Seen[] = [];
  #error = '';

  constructor() {
    const onRequest = (incoming: IncomingMessage, response?: ServerResponse) => {
      watch(incoming, [incoming.method ?? '', incoming.url ?? ''], this.#seen);
      response?.end();
    };
    this.#server = createServer({ maxHeaderSize: MAX_HEAD_BYTES, requireHostHeader: false }, onRequest);
    this.#server.on('checkContinue', onRequest);
    this.#server.on('checkExpectation', onRequest);
    this.#server.on('connect', (incoming: IncomingMessage) => onRequest(incoming));
    this.#server.on(
      'clientError',
      (error: NodeJS.ErrnoException) => (this.#error ||= error.code ?? error.message),
    );
  }

  async read(bytes: Buffer): Promise<Transcript> {
    this.#seen = [];
    this.#error = '';
    const socket = socketWith(bytes);
    this.#server.emit('connection', socket);
    await settle();
    const result = transcript(this.#seen, this.#error);
    socket.on('error', () => undefined);
    socket.destroy();
    return result;
  }

  close(): void {
    this.#server.close();
  }
}

/** Node's HTTP client as a reader of the response to a request of this method. */
export async function readResponseWithNode(bytes: Buffer, method: string): Promise<Transcript> {
  const seen: Seen[] = [];
  let error = '';
  const outgoing: ClientRequest = request({
    method,
    createConnection: () => socketWith(bytes),
    maxHeaderSize: MAX_HEAD_BYTES,
  });
  const onResponse = (incoming: IncomingMessage) => {
    watch(incoming, [String(incoming.statusCode), incoming.statusMessage ?? ''], seen);
  };
  outgoing.on('response', onResponse);
  outgoing.on('upgrade', onResponse);
  outgoing.on('error', (cause: NodeJS.ErrnoException) => (error ||= cause.code ?? cause.message));
  outgoing.end();
  await settle();
  outgoing.destroy();
  return transcript(seen, error);
}
