import { handshakeBuckets } from './handshake-cells.ts';
import type { MetricDeclaration } from './metric-declaration.ts';
import { protocolMetrics } from './protocol-declarations.ts';
import { latencyBucketsSeconds } from './row-layout.ts';

/**
 * Labels that each per-route family begins with. `route` is the route's id, `none` for requests that no route takes,
 * `other` for routes beyond `--metrics-max-routes`. `path` is the declared path, never the request's.
 */
export const routeLabels = [
  'route',
  'kind',
  'namespace',
  'object',
  'host',
  'path',
  'service',
  'role',
] as const;

/** Summed over shared memory and streamed: one series a route and more. */
export const routeMetrics = {
  requests: {
    name: 'sallyport_requests_total',
    type: 'counter',
    help: 'Finished exchanges by method and class of the status that the client got; 499, the client left first, is 4xx.',
    labels: [...routeLabels, 'method', 'status'],
  },
  responses: {
    name: 'sallyport_responses_total',
    type: 'counter',
    help: 'Finished exchanges by status code; a rare code is counted as its class.',
    labels: [...routeLabels, 'code'],
  },
  duration: {
    name: 'sallyport_request_duration_seconds',
    type: 'histogram',
    help: 'Time from the first byte of a request to the last byte of its answer.',
    labels: routeLabels,
    buckets: latencyBucketsSeconds,
  },
  upstream: {
    name: 'sallyport_upstream_latency_seconds',
    type: 'histogram',
    help: 'Time from the start of the last try to the head of the upstream’s answer.',
    labels: routeLabels,
    buckets: latencyBucketsSeconds,
  },
  requestBytes: {
    name: 'sallyport_request_bytes_total',
    type: 'counter',
    help: 'Bytes of request bodies.',
    labels: routeLabels,
  },
  responseBytes: {
    name: 'sallyport_response_bytes_total',
    type: 'counter',
    help: 'Bytes of response bodies.',
    labels: routeLabels,
  },
  retries: {
    name: 'sallyport_retries_total',
    type: 'counter',
    help: 'Tries after the first one.',
    labels: routeLabels,
  },
} as const satisfies Record<string, MetricDeclaration>;

/** Fast to slow steps of the control plane: 1 ms to 30 s. */
const controlBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

export const processMetrics = {
  buildInfo: {
    name: 'sallyport_build_info',
    type: 'gauge',
    help: 'Always 1; the labels tell what runs.',
    labels: ['version', 'node'],
  },
  connectionsActive: {
    name: 'sallyport_connections_active',
    type: 'gauge',
    help: 'Open client connections.',
    labels: ['worker'],
  },
  connections: {
    name: 'sallyport_connections_total',
    type: 'counter',
    help: 'Accepted client connections.',
    labels: ['worker'],
  },
  requestsActive: {
    name: 'sallyport_requests_active',
    type: 'gauge',
    help: 'Requests being served.',
    labels: ['worker'],
  },
  upstreamActive: {
    name: 'sallyport_upstream_connections_active',
    type: 'gauge',
    help: 'Open connections to endpoints, idle ones included.',
    labels: ['worker'],
  },
  upstreamOpened: {
    name: 'sallyport_upstream_connections_opened_total',
    type: 'counter',
    help: 'Connections made to endpoints.',
    labels: ['worker'],
  },
  upstreamReused: {
    name: 'sallyport_upstream_connections_reused_total',
    type: 'counter',
    help: 'Requests that found an idle connection to their endpoint.',
    labels: ['worker'],
  },
  errors: {
    name: 'sallyport_errors_total',
    type: 'counter',
    help: 'Requests that ended in an error of the proxy, by its code.',
    labels: ['code'],
  },
  tableGeneration: {
    name: 'sallyport_table_generation',
    type: 'gauge',
    help: 'Generation of the routing table that a worker serves.',
    labels: ['worker'],
  },
  compileSeconds: {
    name: 'sallyport_compile_seconds',
    type: 'histogram',
    help: 'Time to compile a routing table in the main thread.',
    labels: [],
    buckets: controlBuckets,
  },
  linkSeconds: {
    name: 'sallyport_link_seconds',
    type: 'histogram',
    help: 'Time for one worker to link a published table.',
    labels: [],
    buckets: controlBuckets,
  },
  changeToLiveSeconds: {
    name: 'sallyport_change_to_live_seconds',
    type: 'histogram',
    help: 'Time from the first change that a publication holds to its serving in every worker.',
    labels: [],
    buckets: controlBuckets,
  },
  eventLoopDelay: {
    name: 'sallyport_event_loop_delay_seconds',
    type: 'gauge',
    help: 'How late a worker’s timers came over the last 15 to 30 seconds; quantile 1 is the longest stall.',
    labels: ['worker', 'quantile'],
  },
  eventLoopUtilization: {
    name: 'sallyport_event_loop_utilization_ratio',
    type: 'gauge',
    help: 'Share of the last second in which a worker’s event loop was busy.',
    labels: ['worker'],
  },
  heapUsed: {
    name: 'sallyport_heap_used_bytes',
    type: 'gauge',
    help: 'JavaScript heap in use by a worker.',
    labels: ['worker'],
  },
  gcSeconds: {
    name: 'sallyport_gc_seconds_total',
    type: 'counter',
    help: 'Time that a worker spent on garbage collection.',
    labels: ['worker', 'kind'],
  },
  gcCollections: {
    name: 'sallyport_gc_collections_total',
    type: 'counter',
    help: 'Garbage collections of a worker.',
    labels: ['worker', 'kind'],
  },
  diagnostics: {
    name: 'sallyport_diagnostics',
    type: 'gauge',
    help: 'Findings about the declared objects that are open now.',
    labels: ['code', 'severity'],
  },
  logLinesDropped: {
    name: 'sallyport_log_lines_dropped_total',
    type: 'counter',
    help: 'Log and access-log lines that were dropped because nobody took them in time.',
    labels: [],
  },
  linkFailures: {
    name: 'sallyport_table_link_failures_total',
    type: 'counter',
    help: 'Tables that a worker could not link; it keeps the one before.',
    labels: [],
  },
  workersRestarted: {
    name: 'sallyport_workers_restarted_total',
    type: 'counter',
    help: 'Workers that were replaced after they had failed.',
    labels: [],
  },
  droppedSeries: {
    name: 'sallyport_metrics_dropped_series_total',
    type: 'counter',
    help: 'Rows that a family refused to routes beyond --metrics-max-routes; those routes count as "other".',
    labels: ['family'],
  },
} as const satisfies Record<string, MetricDeclaration>;

/** TLS with clients. */
export const tlsMetrics = {
  handshakes: {
    name: 'sallyport_tls_handshakes_total',
    type: 'counter',
    help: 'TLS handshakes that ended well; a rare cipher is counted as other.',
    labels: ['version', 'cipher', 'resumed'],
  },
  failures: {
    name: 'sallyport_tls_handshake_failures_total',
    type: 'counter',
    help: 'Connections that ended before they were encrypted: closed (the client left), timeout, garbage, plain-http, version, cipher or alpn (nothing in common), alert (the client refused) or other.',
    labels: ['reason'],
  },
  seconds: {
    name: 'sallyport_tls_handshake_seconds',
    type: 'histogram',
    help: 'Time from a ClientHello to the end of its handshake.',
    labels: [],
    buckets: handshakeBuckets,
  },
  expiry: {
    name: 'sallyport_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'End of validity of the certificates that are served, by their Secrets, in seconds since 1970.',
    labels: ['namespace', 'secret'],
  },
} as const satisfies Record<string, MetricDeclaration>;

/** What is written to a cluster; exposed only when one is served. */
export const reportingMetrics = {
  leader: {
    name: 'sallyport_kube_leader',
    type: 'gauge',
    help: '1 in the replica that writes status and Events, 0 in the others.',
    labels: [],
  },
  statusWrites: {
    name: 'sallyport_kube_status_writes_total',
    type: 'counter',
    help: 'Attempts to write the status of an object: written, gone (deleted or replaced), throttled (429), denied (401, 403) or failed.',
    labels: ['kind', 'result'],
  },
  events: {
    name: 'sallyport_kube_events_total',
    type: 'counter',
    help: 'Events about findings: written, merged (counted in one that was there), dropped (beyond a limit) or failed.',
    labels: ['result'],
  },
  conditions: {
    name: 'sallyport_object_conditions',
    type: 'gauge',
    help: 'Objects of ours by the status of their conditions, as this replica sees them.',
    labels: ['kind', 'condition', 'status'],
  },
} as const satisfies Record<string, MetricDeclaration>;

/** What is read from a cluster; exposed only when one is the source. */
export const watchMetrics = {
  objects: {
    name: 'sallyport_kube_objects',
    type: 'gauge',
    help: 'Objects of the cluster that are known.',
    labels: ['kind'],
  },
  relists: {
    name: 'sallyport_kube_relists_total',
    type: 'counter',
    help: 'Times that a kind, or one object of it, was read as a whole: at the start, and when watching could not go on.',
    labels: ['kind'],
  },
  watchRestarts: {
    name: 'sallyport_kube_watch_restarts_total',
    type: 'counter',
    help: 'Watches that were opened again, by why the one before ended: ended or quiet is normal; expired, silent, garbage and error are not.',
    labels: ['kind', 'reason'],
  },
  garbage: {
    name: 'sallyport_kube_garbage_total',
    type: 'counter',
    help: 'Answers of the API server that made no sense; the kind was read anew.',
    labels: ['kind'],
  },
  lastEventAge: {
    name: 'sallyport_kube_last_event_age_seconds',
    type: 'gauge',
    help: 'Time since the API server last said something about the kind: an object, or a bookmark that says there is none.',
    labels: ['kind'],
  },
} as const satisfies Record<string, MetricDeclaration>;

/** Everything exposed beside the process metrics of Node (`process_`, `nodejs_`), for the reference page. */
export const metricDeclarations: readonly MetricDeclaration[] = [
  ...Object.values(routeMetrics),
  ...Object.values(processMetrics),
  ...Object.values(tlsMetrics),
  ...Object.values(protocolMetrics),
  ...Object.values(reportingMetrics),
  ...Object.values(watchMetrics),
];
