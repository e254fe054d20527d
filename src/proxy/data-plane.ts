import { createServer } from 'node:net';
import type { ListenOptions, Server, Socket } from 'node:net';

import type { EndpointBoard } from '../balance/endpoint-board.ts';
import type { FilterRegistry } from '../filters/filter-registry.ts';
import { filterRegistry } from '../filters/registry.ts';
import type { AccessLog } from '../telemetry/access-log.ts';
import type { MetricRows } from '../telemetry/metric-rows.ts';
import type { WorkerCounters } from '../telemetry/worker-counters.ts';
import type { UpstreamContext } from '../upstream/upstream-context.ts';
import { Upstream } from '../upstream/upstream.ts';
import { DeadlineSweeper } from '../util/deadline-sweeper.ts';
import { rarely } from '../util/rarely.ts';
import { TrustedProxies } from './client-address.ts';
import { tcpClient } from './client.ts';
import type { Client } from './client.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { Http1Connection } from './http1-connection.ts';
import { Http2Session } from './http2/http2-session.ts';
import { PrefaceSniff } from './http2/preface-sniff.ts';
import { LinkError, Linker, nextTurn } from './linker.ts';
import type { LinkInput, LinkOutcome } from './linker.ts';
import { ProxyProtocolGate } from './proxy-protocol/proxy-protocol-gate.ts';
import type { ProxyServices } from './proxy-services.ts';
import type { ProxySettings } from './proxy-settings.ts';
import { RequestIds } from './request-id.ts';
import { emptyRoutingTable } from './routing-table.ts';
import { AskedConnections } from './tls/asked-connections.ts';
import { Handshake } from './tls/handshake.ts';
import { TlsContexts } from './tls/tls-contexts.ts';
import type { TlsSettings } from './tls/tls-settings.ts';
import type { Tunnel } from './tunnel.ts';

// The data plane of one worker: listeners, client connections, the linked table. Comes in: publications and sockets.
// Goes out: served requests, counters in shared memory. It knows no cluster object and waits for no other thread.

export interface DataPlaneDeps {
  readonly settings: ProxySettings;
  readonly board: EndpointBoard;
  readonly counters: WorkerCounters;
  readonly rows: MetricRows;
  /** Off when undefined. */
  readonly accessLog: AccessLog | undefined;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
  /** Client connections held at a time; beyond, new ones are closed. 0 means no limit. */
  readonly maxConnections?: number;
  /** Monotonic milliseconds, for every deadline. */
  readonly clock?: () => number;
  /** Left out where no TLS is spoken. */
  readonly tls?: TlsSettings;
  /** What routes may name, in the order of the chain; the product's own unless given. */
  readonly filters?: FilterRegistry;
}

/** What a listener speaks. */
export type ListenerName = 'http' | 'https';

interface Tls {
  readonly settings: TlsSettings;
  readonly contexts: TlsContexts;
}

/** A client's connection, whatever it has come to. */
interface ClientConnection {
  readonly socket: Socket;
  drain(): void;
}

/** How a connection is served. `carrier` is the TCP connection that a socket of TLS stands on. */
interface Served {
  readonly carrier: Socket;
  readonly client: Client;
  readonly isHttp2?: boolean;
}

/** What became of a publication. */
export type PublishOutcome =
  LinkOutcome | { readonly kind: 'failed'; readonly generation: number; readonly message: string };

/** Tunnels are ended in this many steps over the drain window. */
const TUNNEL_STEP_MS = 100;

export class DataPlane {
  readonly #deps: DataPlaneDeps;
  readonly #services: ProxyServices;
  readonly #linker: Linker;
  readonly #maxConnections: number;
  readonly #connections = new Set<ClientConnection>();
  readonly #asked = new AskedConnections();
  readonly #tls: Tls | undefined;
  /** Where connections begin with a PROXY header. */
  readonly #gate: ProxyProtocolGate | undefined;
  readonly #servers: Server[] = [];
  readonly #idleWaiters: (() => void)[] = [];
  #tunnelTimer: NodeJS.Timeout | undefined;

  constructor(deps: DataPlaneDeps) {
    const { settings } = deps;
    this.#deps = deps;
    const sweeper = new DeadlineSweeper(undefined, deps.clock);
    const random = Math.random;
    const upstreams: UpstreamContext = {
      settings,
      sweeper,
      board: deps.board,
      counters: deps.counters,
      random,
    };
    this.#services = {
      settings,
      sweeper,
      random,
      counters: deps.counters,
      accessLog: deps.accessLog,
      noRoute: deps.rows.row(0),
      fields: {
        trusted: new TrustedProxies(settings.trustedProxies),
        appendForwardedFor: settings.appendForwardedFor,
        allowUnderscores: settings.allowUnderscores,
        requestIds: new RequestIds(),
      },
      tunnels: new Set<Tunnel>(),
      table: emptyRoutingTable(),
      draining: false,
      warn: rarely(
        (message, fields) => deps.warn(message, fields),
        () => sweeper.now(),
      ),
    };
    this.#maxConnections = deps.maxConnections ?? 0;
    this.#gate = settings.proxyProtocol ? new ProxyProtocolGate(this.#services) : undefined;
    this.#tls = deps.tls && {
      settings: deps.tls,
      contexts: new TlsContexts(deps.tls, (message, fields) => deps.warn(message, fields)),
    };
    this.#linker = new Linker({
      createUpstream: (upstream, refs) => new Upstream(upstream, refs, upstreams),
      metricsRow: (index) => deps.rows.row(index),
      filters: deps.filters ?? filterRegistry,
      swap: (table) => {
        const before = this.#services.table;
        this.#services.table = table;
        this.#asked.swapped(before, table);
      },
      yield: nextTurn,
      now: () => sweeper.now(),
    });
    sweeper.start();
  }

  /** Links and swaps, one publication after the other. Never rejects: a table that cannot be linked leaves the old one in place. */
  async publish(publication: LinkInput): Promise<PublishOutcome> {
    try {
      const outcome = await this.#linker.link(publication);
      if (outcome.kind !== 'live') return outcome;
      this.#services.counters.linked(outcome.table.generation, outcome.linkMs);
      for (const { id, message } of outcome.closed)
        this.#deps.warn('route fails closed', { route: id, reason: message });
      return outcome;
    } catch (error) {
      const generation = error instanceof LinkError ? error.generation : publication.delta.generation;
      return { kind: 'failed', generation, message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Secrets of session tickets, the newest first. */
  set ticketSecrets(secrets: readonly Uint8Array[]) {
    if (this.#tls !== undefined) this.#tls.contexts.ticketSecrets = secrets;
  }

  /** Accepts traffic on a port or a bound socket. Resolves with the port. */
  listen(target: ListenOptions, name: ListenerName = 'http'): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket, name),
    );
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(target, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#services.warn('listener failed', { error: error.message }));
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  /**
   * Ends keep-alive: idle connections close soon, busy ones after their answer; tunnels are told to go, spread over
   * `tunnelWindowMs`. Still accepts until `closeListeners`. Resolves when no connection is left.
   */
  drain(tunnelWindowMs = 0): Promise<void> {
    this.#services.draining = true;
    for (const connection of this.#connections) connection.drain();
    this.#endTunnels(tunnelWindowMs);
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  async closeListeners(): Promise<void> {
    await Promise.all(
      this.#servers.splice(0).map(
        (server) =>
          new Promise<void>((resolve) => {
            // Waits for the listening socket only: connections end on their own terms.
            server.close();
            server.unref();
            resolve();
          }),
      ),
    );
  }

  /** Ends everything now. */
  async stop(): Promise<void> {
    clearInterval(this.#tunnelTimer);
    await this.closeListeners();
    for (const tunnel of this.#services.tunnels) tunnel.destroy();
    for (const connection of this.#connections) connection.socket.destroy();
    for (const upstream of this.#services.table.upstreams.values()) upstream.retire();
    this.#services.sweeper.stop();
  }

  /** A connection's way: (PROXY header) → (TLS) → its protocol. Each stage hands the next what it knows of the client. */
  #accept(socket: Socket, name: ListenerName): void {
    if (this.#maxConnections > 0 && this.#connections.size >= this.#maxConnections) {
      this.#services.counters.error('SP_OVERLOADED');
      socket.destroy();
      return;
    }
    const peer = tcpClient(socket, name === 'https' && this.#tls !== undefined ? 'https' : 'http');
    if (this.#gate === undefined) return this.#begin(socket, peer);
    const stage = this.#gate.enter(socket, peer, {
      onRead: (client) => this.#begin(socket, client),
      onClosed: (closed) => this.#closed(closed),
    });
    if (stage !== undefined) this.#connections.add(stage);
  }

  #begin(socket: Socket, client: Client): void {
    if (client.transport === 'https' && this.#tls !== undefined) this.#shakeHands(socket, client, this.#tls);
    else this.#servePlain(socket, client);
  }

  #shakeHands(socket: Socket, client: Client, { settings, contexts }: Tls): void {
    const handshake = new Handshake(socket, {
      services: this.#services,
      contexts,
      timeoutMs: settings.handshakeTimeoutMs,
      onSecure: (secure, identity) =>
        this.#serve(secure, {
          carrier: socket,
          client: { ...client, identity },
          isHttp2: secure.alpnProtocol === 'h2',
        }),
      onClosed: (closed) => this.#closed(closed),
    });
    this.#connections.add(handshake);
  }

  /** A plain connection: HTTP/1, or what its first bytes say where HTTP/2 is taken too. */
  #servePlain(socket: Socket, client: Client): void {
    if (!this.#services.settings.http2.plain) return this.#serve(socket, { carrier: socket, client });
    const sniff = new PrefaceSniff(socket, {
      services: this.#services,
      onKnown: (isHttp2) => this.#serve(socket, { carrier: socket, client, isHttp2 }),
      onClosed: (closed) => this.#closed(closed),
    });
    this.#connections.add(sniff);
    return undefined;
  }

  #serve(socket: Socket, { carrier, client, isHttp2 = false }: Served): void {
    const options: ConnectionOptions = {
      services: this.#services,
      client,
      carrier,
      onClosed: () => this.#closed(connection),
    };
    const connection = isHttp2 ? new Http2Session(socket, options) : new Http1Connection(socket, options);
    this.#connections.add(connection);
    if (client.identity !== undefined) this.#asked.add(connection, client.identity.policy);
  }

  #closed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    this.#asked.delete(connection);
    if (this.#connections.size > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #endTunnels(windowMs: number): void {
    const { tunnels } = this.#services;
    const told = new Set<Tunnel>();
    const steps = Math.max(1, Math.floor(windowMs / TUNNEL_STEP_MS));
    const perStep = Math.max(1, Math.ceil(tunnels.size / steps));
    // Goes on: an upgrade that waits for its endpoint becomes a tunnel later.
    const step = (): void => {
      let left = perStep;
      for (const tunnel of tunnels) {
        if (left === 0) return;
        if (told.has(tunnel)) continue;
        told.add(tunnel);
        tunnel.goAway('shutdown');
        left--;
      }
    };
    this.#tunnelTimer = setInterval(step, TUNNEL_STEP_MS);
    this.#tunnelTimer.unref();
    step();
  }
}
