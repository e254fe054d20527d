import { isIP } from 'node:net';

import type { Candidate } from '../balance/balancer.ts';
import type { Endpoint } from '../table/route-table.ts';
import { writeProxyHeader } from '../util/proxy-protocol/write-proxy-header.ts';
import { Dial } from './dial.ts';
import { Http2UpstreamConnection } from './http2-upstream-connection.ts';
import type { Line } from './line.ts';
import type { Candidacy, PendingExchange } from './pending-exchange.ts';
import type { ResponseSink } from './response-sink.ts';
import { SessionSlot } from './session-slot.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import type { ExchangeTimeouts, PoolContext } from './upstream-context.ts';
import type { UpstreamExchange, UpstreamRequest } from './upstream-exchange.ts';

/** Requests that wait for one connection of HTTP/2: most endpoints allow so many streams. */
const MAX_WAITING = 100;

/**
 * One endpoint of one upstream: what the balancer chooses among, and its connections. Those of HTTP/1.1 that are idle form
 * a stack, so that the warmest is taken first and the rest age out. Those of HTTP/2 are filled one after the other, so that
 * there are few.
 */
export class EndpointPool implements Candidate {
  readonly endpoint: Endpoint;
  readonly context: PoolContext;
  /** `address:port`, for logs. */
  readonly label: string;
  weight: number;
  slot: number;

  readonly #idle: UpstreamConnection[] = [];
  readonly #shared: Http2UpstreamConnection[] = [];
  readonly #dials: Dial[] = [];
  readonly #sessions: SessionSlot;
  /** What the endpoint chose last; undefined before the first connection of an upstream that leaves it the choice. */
  #speaks: 'http1' | 'http2' | undefined;
  /** How many streams the endpoint let us have on its last connection: so many wait for the next one. */
  #streamsEach = MAX_WAITING;
  #retired = false;

  // oxlint-disable-next-line max-params -- an endpoint and where it stands
  constructor(endpoint: Endpoint, label: string, slot: number, context: PoolContext) {
    this.endpoint = endpoint;
    this.label = label;
    this.weight = endpoint.weight;
    this.slot = slot;
    this.context = context;
    this.#speaks = context.protocol === 'auto' ? undefined : context.protocol;
    this.#sessions = new SessionSlot(context.sweeper);
  }

  get isRetired(): boolean {
    return this.#retired;
  }

  /** A session of TLS that the next connection may resume. */
  get session(): Buffer | undefined {
    return this.#sessions.get();
  }

  set session(session: Buffer | undefined) {
    this.#sessions.set(session);
  }

  /** Counts a request that is about to be lent a connection; false when the endpoint has as many as it may. */
  reserve(): boolean {
    const { board, limits } = this.context;
    if (limits.maxRequests > 0) return board.beginWithin(this.slot, limits.maxRequests);
    board.begin(this.slot);
    return true;
  }

  /**
   * Lends a connection to `sink`, for a request that is reserved: one that is there, or (always, when `fresh`) one that is
   * still being made, which reports when it is up.
   */
  // oxlint-disable-next-line max-params -- hot: an options object would be allocated for every try
  acquire(
    sink: ResponseSink,
    request: UpstreamRequest,
    timeouts: ExchangeTimeouts,
    fresh: boolean,
  ): UpstreamExchange {
    const shared = fresh || this.#shared.length === 0 ? undefined : this.#withRoom(request);
    if (shared !== undefined) {
      this.context.counters.upstreamReused();
      return shared.open({ sink, request, timeouts, slot: this.slot });
    }
    const reused = fresh ? undefined : this.#takeIdle();
    if (reused !== undefined) {
      this.context.counters.upstreamReused();
      reused.begin(sink, request.method, timeouts, this.slot);
      return reused;
    }
    return this.#await({ sink, request, timeouts, slot: this.slot });
  }

  /** Takes a connection back after a clean exchange, or closes it when it is old or not needed. */
  release(connection: UpstreamConnection): boolean {
    const { limits, sweeper } = this.context;
    const now = sweeper.sweptAt;
    if (
      this.#retired ||
      connection.isPrivate ||
      this.#idle.length >= limits.maxIdle ||
      connection.exchanges >= limits.maxRequestsPerConnection ||
      now - connection.createdAtMs >= limits.maxLifetimeMs
    ) {
      return false;
    }
    connection.deadline = sweeper.after(Math.min(limits.idleTimeoutMs, connection.peerIdleMs));
    this.#idle.push(connection);
    return true;
  }

  /** An idle connection is no longer fit to be lent. */
  forget(connection: UpstreamConnection): void {
    remove(this.#idle, connection);
  }

  /** A connection of HTTP/2 takes no further requests. */
  forgetShared(connection: Http2UpstreamConnection): void {
    remove(this.#shared, connection);
  }

  /** A connection's socket has closed. */
  closed(): void {
    this.context.counters.upstreamClosed();
  }

  /** A line is up: what is spoken on it is known now. */
  connected(dial: Dial): void {
    const { counters, tls, protocol } = this.context;
    counters.upstreamOpened();
    if (tls !== undefined) {
      const { isResumed } = this.#sessions.note(dial.line.socket);
      counters.upstreamHandshakeDone(isResumed);
    }
    const isHttp2 = protocol === 'http2' || (protocol === 'auto' && choseHttp2(dial.line));
    if (!dial.onlyHttp1) this.#speaks = isHttp2 ? 'http2' : 'http1';
    if (isHttp2) dial.line.user = new Http2UpstreamConnection(this, dial);
    else this.#serveOne(dial);
  }

  /** A connection of HTTP/2 has been told what the endpoint allows. */
  ready(connection: Http2UpstreamConnection, dial: Dial): void {
    remove(this.#dials, dial);
    if (connection.room === 0) {
      dial.fail('SP_UPSTREAM_CONNECT', 'the endpoint takes no requests on a new connection');
      return;
    }
    this.#streamsEach = Math.min(connection.room, MAX_WAITING);
    if (!dial.isPrivate && !this.#retired) this.#shared.push(connection);
    for (const pending of dial.finish()) {
      if (pending.isGone) this.context.board.end(pending.candidacy.slot);
      else if (connection.room > 0)
        pending.candidacy.sink.onUpstreamConnected(connection.open(pending.candidacy));
      else this.#adopt(pending);
    }
    if (this.#retired || dial.isPrivate) connection.retire();
  }

  /** A connection that was being made has come to nothing. */
  abandoned(dial: Dial): void {
    remove(this.#dials, dial);
  }

  /** The endpoint left the table: idle connections close now, busy ones after their exchange. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
    for (const connection of this.#shared.splice(0)) connection.retire();
  }

  /** HTTP/1.1: the first who waits gets the connection; others, who had hoped for streams, each wait for one of their own. */
  #serveOne(dial: Dial): void {
    remove(this.#dials, dial);
    const connection = new UpstreamConnection(this, dial);
    const [first, ...others] = dial.finish();
    for (const pending of others) this.#adopt(pending);
    if (first === undefined) {
      connection.destroy();
      return;
    }
    const { sink, request, timeouts, slot } = first.candidacy;
    connection.begin(sink, request.method, timeouts, slot);
    if (first.isGone) connection.destroy();
    else sink.onUpstreamConnected(connection);
  }

  #await(candidacy: Candidacy): PendingExchange {
    return this.#dialFor(candidacy).join(candidacy);
  }

  #adopt(pending: PendingExchange): void {
    this.#dialFor(pending.candidacy).adopt(pending);
  }

  #dialFor({ request, timeouts }: Candidacy): Dial {
    const onlyHttp1 = this.context.protocol !== 'http2' && request.upgrade !== undefined;
    const preamble = this.context.proxyProtocol ? proxyHeader(request) : undefined;
    if (this.#speaks !== 'http1' && !onlyHttp1 && preamble === undefined) {
      const joined = this.#dials.find((dial) => !dial.onlyHttp1 && dial.waitingCount < this.#streamsEach);
      if (joined !== undefined) return joined;
    }
    const dial = new Dial(this, { connectMs: timeouts.connectMs, onlyHttp1, preamble });
    if (!dial.isPrivate) this.#dials.push(dial);
    return dial;
  }

  #withRoom(request: UpstreamRequest): Http2UpstreamConnection | undefined {
    // Where there is a choice, HTTP/1.1 is the surer way to an upgrade.
    if (request.upgrade !== undefined && this.context.protocol === 'auto') return undefined;
    return this.#shared.find((connection) => connection.room > 0);
  }

  #takeIdle(): UpstreamConnection | undefined {
    const now = this.context.sweeper.sweptAt;
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      if (connection.isFit(now)) return connection;
      connection.destroy();
    }
  }
}

function choseHttp2({ socket }: Line): boolean {
  return 'alpnProtocol' in socket && socket.alpnProtocol === 'h2';
}

/** A client that was gone before its address could be read is told as nobody's. */
function proxyHeader({ client }: UpstreamRequest): Buffer {
  if (client === undefined || isIP(client.address) === 0 || isIP(client.localAddress) === 0)
    return writeProxyHeader(undefined);
  return writeProxyHeader({
    sourceAddress: client.address,
    sourcePort: client.port,
    destinationAddress: client.localAddress,
    destinationPort: client.localPort,
  });
}

function remove<T>(list: T[], item: T): void {
  const index = list.lastIndexOf(item);
  if (index >= 0) list.splice(index, 1);
}
