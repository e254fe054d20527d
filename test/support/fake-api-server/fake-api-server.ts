import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type {
  Http2SecureServer,
  Http2ServerRequest,
  Http2ServerResponse,
  ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';

import type { ClusterAccess, ConnectionSettings } from '../../../src/kube/cluster-access.ts';
import { accessWith } from '../../../src/kube/credential-source.ts';
import { resourcePath, resources } from '../../../src/kube/resources.ts';
import type { Kind } from '../../../src/model/snapshot.ts';
import { tlsPairs } from '../tls-pairs.ts';
import { readRequest } from './api-request.ts';
import type { ReceivedRequest } from './api-request.ts';
import { FaultRules } from './fault-rules.ts';
import type { Fault, FaultRule } from './fault-rules.ts';
import { ListPager } from './list-objects.ts';
import { ObjectStore } from './object-store.ts';
import type { Json, StoredObject } from './object-store.ts';
import { OpenWatch } from './open-watch.ts';
import { responseOut, sendAnswer } from './response-out.ts';
import type { AnswerOptions, ResponseOut } from './response-out.ts';
import { statusBody } from './status-body.ts';
import { notFound, write } from './write-objects.ts';
import type { Answer } from './write-objects.ts';

// An API server for tests: lists in pages, watches with history, writes with compare-and-swap, over HTTP/1.1 in clear text
// or HTTP/2 and HTTP/1.1 with TLS. Nothing happens by itself: a test says when a bookmark comes, a stream breaks, an answer
// is held back, versions are forgotten, the state of a backup is put back, or nobody listens any more.

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

export interface FakeApiServerOptions {
  /** HTTPS with HTTP/2 offered. */
  readonly tls?: boolean;
  /** Streams that a client may open on one HTTP/2 connection. Default 100. */
  readonly maxStreams?: number;
}

export async function startFakeApiServer(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
  const server = new FakeApiServer(options);
  await server.comeBack();
  return server;
}

export class FakeApiServer {
  readonly store = new ObjectStore();
  readonly requests: ReceivedRequest[] = [];
  /** Bearer tokens that are let in; empty: everybody is. */
  readonly tokens = new Set<string>();
  /** Connections ever made. */
  connections = 0;
  readonly #options: FakeApiServerOptions;
  readonly #pager = new ListPager(this.store);
  readonly #faults = new FaultRules();
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #watches = new Set<OpenWatch>();
  readonly #onRequest = new Set<() => void>();
  #unclaimed: OpenWatch[] = [];
  #claims: { readonly plural: string; readonly resolve: (watch: OpenWatch) => void }[] = [];
  #server: Server | Http2SecureServer | undefined;
  #port = 0;
  /** Collections that this server does not know. */
  readonly #unknown = new Set<string>();

  constructor(options: FakeApiServerOptions) {
    this.#options = options;
  }

  get url(): URL {
    const { tls = false } = this.#options;
    return new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${this.#port}`);
  }

  get watches(): ReadonlySet<OpenWatch> {
    return this.#watches;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  get sessions(): ReadonlySet<ServerHttp2Session> {
    return this.#sessions;
  }

  /** How to reach it, with a fixed token. */
  access(settings: Partial<ConnectionSettings> & { readonly token?: string } = {}): ClusterAccess {
    const { token = 'good', ...connection } = settings;
    return accessWith({
      server: this.url,
      namespace: undefined,
      origin: 'fake API server',
      load: () =>
        Promise.resolve({
          headers: [['authorization', `Bearer ${token}`]],
          connection: {
            ca: tlsPairs.a.certificate,
            cert: undefined,
            key: undefined,
            serverName: 'a.example',
            insecure: false,
            proxy: undefined,
            http2: true,
            ...connection,
          },
        }),
    });
  }

  /** Writes an object of a kind that Sallyport reads, as somebody else would. */
  put(
    kind: Kind,
    object: { readonly metadata: { readonly name: string; readonly namespace?: string } & Json } & Json,
  ): StoredObject {
    const { namespace = '', name } = object.metadata;
    const { group, version } = resources[kind];
    const apiVersion = group === '' ? version : `${group}/${version}`;
    const place = { collection: resourcePath(resources[kind]), namespace, name };
    return this.store.write(place, { apiVersion, kind, ...object });
  }

  remove(kind: Kind, key: string): void {
    const [namespace = '', name = ''] = key.includes('/') ? key.split('/') : ['', key];
    this.store.remove({ collection: resourcePath(resources[kind]), namespace, name });
  }

  /** As if the CRD of a kind were not installed. */
  forgetKind(kind: Kind): void {
    const collection = resourcePath(resources[kind]);
    this.#unknown.add(collection);
    for (const watch of this.#watches) if (watch.request.place.collection === collection) watch.end();
  }

  learnKind(kind: Kind): void {
    this.#unknown.delete(resourcePath(resources[kind]));
  }

  /** From now on; the oldest fault that fits a request holds for it. Returns what takes it back. */
  fault(rule: FaultRule, fault: Fault): () => void {
    return this.#faults.add(rule, fault);
  }

  /** The next watch of the resource that no test took yet. */
  watch(plural: string): Promise<OpenWatch> {
    const index = this.#unclaimed.findIndex(({ request }) => request.plural === plural);
    const [found] = index === -1 ? [] : this.#unclaimed.splice(index, 1);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => this.#claims.push({ plural, resolve }));
  }

  requestsOf(verb: ReceivedRequest['verb'], plural: string): readonly ReceivedRequest[] {
    return this.requests.filter((request) => request.verb === verb && request.plural === plural);
  }

  /** Waits until so many requests of the kind have come. */
  async received(verb: ReceivedRequest['verb'], plural: string, count = 1): Promise<void> {
    while (this.requestsOf(verb, plural).length < count) {
      // oxlint-disable-next-line no-await-in-loop -- until they came
      await new Promise<void>((resolve) => this.#onRequest.add(resolve));
    }
  }

  /** Resets every connection. */
  breakConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Nobody listens any more and every connection is broken. */
  async vanish(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const session of this.#sessions) session.destroy();
    this.breakConnections();
    await closed;
    this.#unclaimed = [];
  }

  /** Listens, on the port that it had before. */
  async comeBack(): Promise<void> {
    const server = this.#create();
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await this.vanish();
  }

  #create(): Server | Http2SecureServer {
    const { tls = false, maxStreams = 100 } = this.#options;
    const handle = (request: Request, response: Response): void => void this.#handle(request, response);
    const server = tls
      ? createSecureServer(
          {
            cert: tlsPairs.a.certificate,
            key: tlsPairs.a.key,
            allowHTTP1: true,
            settings: { maxConcurrentStreams: maxStreams },
          },
          handle,
        )
      : createServer({ keepAliveTimeout: 0 }, handle);
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      // A test breaks connections on purpose.
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.on('error', () => undefined);
      session.on('close', () => this.#sessions.delete(session));
    });
    return server;
  }

  async #handle(incoming: Request, response: Response): Promise<void> {
    const out = responseOut(response);
    const request = await receive(incoming);
    if (request === undefined) {
      sendAnswer(out, unknownPath);
      return;
    }
    this.requests.push(request);
    for (const resolve of this.#onRequest) resolve();
    this.#onRequest.clear();
    const { after, answer, bytes, cutAfterBytes } = this.#faults.take(request) ?? {};
    await after;
    if (answer !== undefined) {
      sendAnswer(out, { status: answer.status, body: answer.body }, { headers: answer.headers ?? {} });
    } else if (bytes !== undefined) {
      out.head(200, { 'content-type': 'application/json' });
      out.write(bytes);
      out.end();
    } else {
      this.#serve(request, out, cutAfterBytes === undefined ? {} : { cutAfterBytes });
    }
  }

  #serve(request: ReceivedRequest, out: ResponseOut, options: AnswerOptions): void {
    if (!this.#authenticated(request)) {
      sendAnswer(out, { status: 401, body: statusBody(401, 'Unauthorized', 'Unauthorized') });
    } else if (this.#unknown.has(request.place.collection)) {
      sendAnswer(out, unknownPath);
    } else if (request.verb === 'watch') {
      this.#startWatch(request, out);
    } else {
      sendAnswer(out, this.#usual(request), options);
    }
  }

  #authenticated({ headers }: ReceivedRequest): boolean {
    return this.tokens.size === 0 || this.tokens.has(headers.authorization?.replace('Bearer ', '') ?? '');
  }

  #usual(request: ReceivedRequest): Answer {
    if (request.verb === 'list') return this.#pager.list(request);
    if (request.verb !== 'get') return write(this.store, request);
    const found = this.store.read(request.place);
    return found === undefined ? notFound(request) : { status: 200, body: found };
  }

  #startWatch(request: ReceivedRequest, out: ResponseOut): void {
    out.head(200, { 'content-type': 'application/json' });
    const watch = new OpenWatch(this.store, request, out);
    this.#watches.add(watch);
    void out.closed.then(() => {
      this.#watches.delete(watch);
      this.#unclaimed = this.#unclaimed.filter((other) => other !== watch);
    });
    const index = this.#claims.findIndex(({ plural }) => plural === request.plural);
    const [claim] = index === -1 ? [] : this.#claims.splice(index, 1);
    if (claim === undefined) this.#unclaimed.push(watch);
    else claim.resolve(watch);
  }
}

const unknownPath = { status: 404, body: '404 page not found' };

async function receive(incoming: Request): Promise<ReceivedRequest | undefined> {
  const bytes = await readAll(incoming);
  const body = bytes.length === 0 ? undefined : (JSON.parse(bytes.toString('utf8')) as Json);
  const { method = 'GET', url = '/', headers } = incoming;
  return readRequest(method, url, { headers, body });
}

async function readAll(incoming: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
