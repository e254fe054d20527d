import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Something that a Service may lead to. */
export interface Endpoint {
  readonly port: number;
  /** The status of its readiness; 0 when nobody answers. */
  readiness(): Promise<number>;
}

export interface ServiceProxyOptions {
  /** How often readiness is asked for. Default 100 ms. */
  readonly periodMs?: number;
  /** From an answer about readiness until connections go elsewhere, as rules take to spread over nodes. Default 500 ms. */
  readonly lagMs?: number;
}

/**
 * What the address of a Service does for TCP: each new connection goes to one of the endpoints that were ready a moment
 * ago, in turn; one that is open stays where it is. A connection for which there is no endpoint is closed.
 */
export class ServiceProxy {
  readonly #server: Server;
  readonly #lagMs: number;
  readonly #periodMs: number;
  readonly #endpoints = new Map<Endpoint, { chosen: boolean }>();
  readonly #sockets = new Set<Socket>();
  readonly #stopping = new AbortController();
  #turn = 0;

  private constructor(server: Server, { periodMs = 100, lagMs = 500 }: ServiceProxyOptions) {
    this.#server = server;
    this.#periodMs = periodMs;
    this.#lagMs = lagMs;
    server.on('connection', (client: Socket) => this.#forward(client));
  }

  static async start(options: ServiceProxyOptions = {}): Promise<ServiceProxy> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ServiceProxy(server, options);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Endpoints that connections go to now. */
  get chosen(): readonly Endpoint[] {
    return [...this.#endpoints].filter(([, { chosen }]) => chosen).map(([endpoint]) => endpoint);
  }

  /** From now on it gets connections whenever it is ready. */
  add(endpoint: Endpoint): void {
    const state = { chosen: false };
    this.#endpoints.set(endpoint, state);
    void this.#follow(endpoint, state);
  }

  /** The endpoint is gone. */
  remove(endpoint: Endpoint): void {
    this.#endpoints.delete(endpoint);
  }

  stop(): void {
    this.#stopping.abort();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #follow(endpoint: Endpoint, state: { chosen: boolean }): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && this.#endpoints.has(endpoint)) {
      // oxlint-disable-next-line no-await-in-loop -- asked now and then
      const ready = (await endpoint.readiness()) === 200;
      setTimeout(() => (state.chosen = ready), this.#lagMs).unref();
      // oxlint-disable-next-line no-await-in-loop -- see above
      await delay(this.#periodMs);
    }
  }

  #forward(client: Socket): void {
    const { chosen } = this;
    const endpoint = chosen[this.#turn++ % chosen.length];
    this.#track(client);
    if (endpoint === undefined) {
      client.destroy();
      return;
    }
    const server = connect({ port: endpoint.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    this.#track(server);
    client.pipe(server);
    server.pipe(client);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
