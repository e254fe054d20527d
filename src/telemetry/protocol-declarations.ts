import type { MetricDeclaration } from './metric-declaration.ts';

/**
 * What connections say to each other: HTTP/2, tunnels, PROXY protocol, certificates of clients, TLS with endpoints.
 * `side`: `client` for connections that clients made, `upstream` for ours to endpoints.
 */
export const protocolMetrics = {
  sessionsActive: {
    name: 'sallyport_http2_sessions_active',
    type: 'gauge',
    help: 'Open HTTP/2 connections.',
    labels: ['worker', 'side'],
  },
  sessions: {
    name: 'sallyport_http2_sessions_total',
    type: 'counter',
    help: 'HTTP/2 connections since the start.',
    labels: ['worker', 'side'],
  },
  streamsActive: {
    name: 'sallyport_http2_streams_active',
    type: 'gauge',
    help: 'Open HTTP/2 streams.',
    labels: ['worker', 'side'],
  },
  streams: {
    name: 'sallyport_http2_streams_total',
    type: 'counter',
    help: 'HTTP/2 streams since the start; one that was refused is not counted.',
    labels: ['worker', 'side'],
  },
  tunnelsActive: {
    name: 'sallyport_tunnels_active',
    type: 'gauge',
    help: 'Open tunnels: upgrade (a WebSocket or another upgraded connection), connect (a WebSocket over an HTTP/2 stream).',
    labels: ['worker', 'kind'],
  },
  tunnels: {
    name: 'sallyport_tunnels_total',
    type: 'counter',
    help: 'Tunnels since the start, by kind.',
    labels: ['worker', 'kind'],
  },
  tunnelsClosed: {
    name: 'sallyport_tunnels_closed_total',
    type: 'counter',
    help: 'Tunnels that ended, by who or what ended them: client, upstream, idle, shutdown, route (it is gone) or other.',
    labels: ['reason'],
  },
  requestVersions: {
    name: 'sallyport_request_versions_total',
    type: 'counter',
    help: 'Requests by the version of HTTP that the client speaks.',
    labels: ['version'],
  },
  goaways: {
    name: 'sallyport_http2_goaways_total',
    type: 'counter',
    help: 'GOAWAY frames by their error code; a connection that ends well may send two.',
    labels: ['side', 'direction', 'code'],
  },
  resets: {
    name: 'sallyport_http2_resets_total',
    type: 'counter',
    help: 'RST_STREAM frames by their error code.',
    labels: ['side', 'direction', 'code'],
  },
  limits: {
    name: 'sallyport_http2_limits_total',
    type: 'counter',
    help: 'HTTP/2 connections or streams that were ended because the other side went beyond a limit: too many frames of a kind in ten seconds (reset, refused, ping, settings, windowUpdate, glitch), continuation (a head in too many frames), output (it does not read) or waiting (its windows stay closed).',
    labels: ['side', 'limit'],
  },
  proxyHeaders: {
    name: 'sallyport_proxy_protocol_headers_total',
    type: 'counter',
    help: 'PROXY protocol headers that were taken.',
    labels: ['version'],
  },
  proxyHeaderFailures: {
    name: 'sallyport_proxy_protocol_failures_total',
    type: 'counter',
    help: 'Connections that were closed for want of a PROXY protocol header: untrusted (from outside --trusted-proxies), timeout, closed (the other side left), garbage, oversize or checksum.',
    labels: ['reason'],
  },
  clientCertificates: {
    name: 'sallyport_client_certificates_total',
    type: 'counter',
    help: 'Handshakes in which a certificate of the client was asked for, by what came of it: success, none (there was none) or failed (it was not good).',
    labels: ['result'],
  },
  upstreamHandshakes: {
    name: 'sallyport_upstream_tls_handshakes_total',
    type: 'counter',
    help: 'TLS handshakes with endpoints that ended well.',
    labels: ['resumed'],
  },
  upstreamHandshakeFailures: {
    name: 'sallyport_upstream_tls_handshake_failures_total',
    type: 'counter',
    help: 'TLS handshakes with endpoints that failed: closed, timeout, certificate (not signed by a known authority, or expired), name (it is for another one), protocol (no version, cipher or ALPN in common) or other.',
    labels: ['reason'],
  },
} as const satisfies Record<string, MetricDeclaration>;
