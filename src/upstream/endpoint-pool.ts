import type { Candidate } from '../balance/balancer.ts';
import type { Endpoint } from '../table/route-table.ts';
import type { ResponseSink } from './response-sink.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import type { ExchangeTimeouts } from './upstream-connection.ts';
import type { PoolContext } from './upstream-context.ts';
import type { UpstreamExchange, UpstreamRequest } from './upstream-exchange.ts';

/**
 * One endpoint of one upstream: what the balancer chooses among, and its connections. Idle ones form a stack, so that the
 * warmest is taken first and the rest age out.
 */
export class EndpointPool implements Candidate {
  readonly endpoint: Endpoint;
  readonly context: PoolContext;
  /** `address:port`, for logs. */
  readonly label: string;
  weight: number;
  slot: number;

  readonly #idle: UpstreamConnection[] = [];
  #retired = false;

  constructor(endpoint: Endpoint, label: string, slot: number, context: PoolContext) {
    this.endpoint = endpoint;
    this.label = label;
    this.weight = endpoint.weight;
    this.slot = slot;
    this.context = context;
  }

  /** Counts a request that is about to be lent a connection; false when the endpoint has as many as it may. */
  reserve(): boolean {
    const { board, limits } = this.context;
    if (limits.maxRequests > 0) return board.beginWithin(this.slot, limits.maxRequests);
    board.begin(this.slot);
    return true;
  }

  /** Lends a connection to `sink`, for a request that is reserved: an idle one, or (always, when `fresh`) a new one, which reports when it is up. */
  acquire(
    sink: ResponseSink,
    request: UpstreamRequest,
    timeouts: ExchangeTimeouts,
    fresh: boolean,
  ): UpstreamExchange {
    const reused = fresh ? undefined : this.#takeIdle();
    if (reused !== undefined) {
      this.context.counters.upstreamReused();
      reused.begin(sink, request.method, timeouts);
      return reused;
    }
    const connection = new UpstreamConnection(this, this.context.sweeper.sweptAt);
    connection.begin(sink, request.method, timeouts);
    return connection;
  }

  /** Takes a connection back after a clean exchange, or closes it when it is old or not needed. */
  release(connection: UpstreamConnection): boolean {
    const { limits } = this.context;
    const now = this.context.sweeper.sweptAt;
    if (
      this.#retired ||
      this.#idle.length >= limits.maxIdle ||
      connection.exchanges >= limits.maxRequestsPerConnection ||
      now - connection.createdAtMs >= limits.maxLifetimeMs
    ) {
      return false;
    }
    connection.deadline = this.context.sweeper.after(Math.min(limits.idleTimeoutMs, connection.peerIdleMs));
    this.#idle.push(connection);
    return true;
  }

  /** An idle connection is no longer fit to be lent. */
  forget(connection: UpstreamConnection): void {
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** A connection's socket has closed. */
  closed(wasConnected: boolean): void {
    if (wasConnected) this.context.counters.upstreamClosed();
  }

  /** The endpoint left the table: idle connections close now, busy ones after their exchange. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
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
