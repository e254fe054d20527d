import type { EndpointBoard } from '../balance/endpoint-board.ts';
import type { Http2Tally } from '../http2/http2-tally.ts';
import type { UpstreamProtocol } from '../table/route-table.ts';
import type { UpstreamHandshakeFailure } from '../telemetry/protocol-cells.ts';
import type { DeadlineSweeper } from '../util/deadline-sweeper.ts';
import type { ReaderLimits } from './response-reader.ts';
import type { TlsClient } from './tls-client.ts';

/** How connections to one endpoint are kept. Times in ms. */
export interface PoolLimits {
  /** Idle connections kept per endpoint and worker. */
  readonly maxIdle: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
  readonly maxRequestsPerConnection: number;
}

/** The same of one upstream, with what its policy adds. */
export interface UpstreamLimits extends PoolLimits {
  /** Requests at a time to one endpoint, over all workers; 0 means no limit. */
  readonly maxRequests: number;
}

/** Times of one try, ms. */
export interface ExchangeTimeouts {
  readonly connectMs: number;
  readonly sendMs: number;
  readonly readMs: number;
}

/** What every upstream connection of a worker shares. */
export interface UpstreamContext {
  readonly settings: ReaderLimits & { readonly upstream: PoolLimits };
  readonly sweeper: DeadlineSweeper;
  readonly board: EndpointBoard;
  readonly counters: UpstreamCounters;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** What the endpoints of one upstream share. */
export interface PoolContext extends UpstreamContext {
  readonly limits: UpstreamLimits;
  readonly protocol: UpstreamProtocol;
  /** Undefined: plain TCP. */
  readonly tls: TlsClient | undefined;
  /** Each connection begins with a PROXY header (version 2), and serves one exchange. */
  readonly proxyProtocol: boolean;
}

export interface UpstreamCounters {
  upstreamOpened(): void;
  upstreamReused(): void;
  upstreamClosed(): void;
  /** Of TLS. */
  upstreamHandshakeDone(isResumed: boolean): void;
  upstreamHandshakeFailed(reason: UpstreamHandshakeFailure): void;
  readonly http2Upstream: Http2Tally;
}
