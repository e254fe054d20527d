import type { TrailerLimits } from '../http1/chunked-decoder.ts';
import type { HeadLimits } from '../http1/message-head.ts';
import type { PoolLimits } from '../upstream/upstream-context.ts';

export interface Http2Settings {
  /** Offered by ALPN over TLS. */
  readonly offered: boolean;
  /** Taken by prior knowledge on plain connections (RFC 9113 §3.3). */
  readonly plain: boolean;
  /** Streams that a client may have open at a time. */
  readonly maxConcurrentStreams: number;
}

/** Process-wide settings of the data plane, from flags. Plain data: it travels to workers. Times in ms, sizes in bytes. */
export interface ProxySettings {
  readonly requestLimits: HeadLimits;
  readonly responseLimits: HeadLimits;
  /** Bounds of trailer sections. */
  readonly trailerLimits: TrailerLimits;
  /** Largest request body; 0 means no limit. */
  readonly maxRequestBodyBytes: number;
  readonly clientHeaderTimeoutMs: number;
  readonly clientKeepAliveMs: number;
  readonly clientKeepAliveRequests: number;
  /** A request body slower than this many bytes a second over 10 s is refused (408); 0 turns it off. */
  readonly minBodyBytesPerSecond: number;
  /** A client that takes nothing of a waiting response for this long is dropped. */
  readonly clientWriteTimeoutMs: number;
  /** Tunnels (WebSocket) without a byte either way for this long are closed. */
  readonly tunnelIdleMs: number;
  /** Every connection begins with a PROXY protocol header, which only peers in `trustedProxies` may send. */
  readonly proxyProtocol: boolean;
  /** CIDRs whose X-Forwarded-*, and PROXY headers, are believed. Empty: nobody's. */
  readonly trustedProxies: readonly string[];
  /** Append the peer to the client's X-Forwarded-For instead of replacing it, as ingress-nginx's compute-full-forwarded-for. */
  readonly appendForwardedFor: boolean;
  readonly allowUnderscores: boolean;
  /** Pass the upstream's Server field on. */
  readonly passServerHeader: boolean;
  /** Keep %2F and %5C in paths instead of refusing them. */
  readonly allowEncodedSlashes: boolean;
  readonly upstream: PoolLimits;
  readonly accessLog: boolean;
  /** HTTP/2 with clients. */
  readonly http2: Http2Settings;
  /** Strict-Transport-Security on answers over TLS; '' for none. */
  readonly hsts: string;
}
