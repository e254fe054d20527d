import {
  address,
  duration,
  namespaces,
  networks,
  objectName,
  oneOf,
  path,
  port,
  size,
  text,
  toggle,
  wholeNumber,
} from './setting-types.ts';
import type { SettingType } from './setting-types.ts';

/** One setting. Its flag is its name in the config file too; its environment form is `SALLYPORT_` and the flag in capitals. */
export interface Setting<T> {
  readonly flag: string;
  /** Other spellings of the flag, ingress-nginx's where they differ. */
  readonly aliases: readonly string[];
  readonly type: SettingType<T>;
  /** In the notation that users write. '' may be outside what `type` takes: then it means unset. */
  readonly default: string;
  /** One clause, for --help and the reference. */
  readonly doc: string;
  readonly group: SettingGroup;
}

export type SettingGroup =
  'Source' | 'Cluster' | 'Listening' | 'Process' | 'Clients' | 'Forwarding' | 'Upstreams';

type Options = { readonly aliases?: readonly string[]; readonly default: string };

// oxlint-disable-next-line max-params -- a row of a table
function setting<T>(
  group: SettingGroup,
  flag: string,
  type: SettingType<T>,
  options: Options,
  doc: string,
): Setting<T> {
  return { group, flag, type, aliases: options.aliases ?? [], default: options.default, doc };
}

const count = wholeNumber(0, 1_000_000_000);

/** Every setting of the process, declared once: flags, environment, config file, --help and the reference come from here. */
export const settingList = {
  config: setting('Source', 'config', path, { default: '' }, 'YAML file of settings, keyed by flag'),
  manifests: setting('Source', 'manifests', path, { default: '' }, 'folder of manifests to serve, watched'),
  ingressClass: setting(
    'Source',
    'ingress-class',
    text,
    { default: 'sallyport' },
    'class of the Ingresses and Routes to serve',
  ),
  controllerClass: setting(
    'Source',
    'controller-class',
    text,
    { default: 'sallyport.dev/ingress-controller' },
    'spec.controller of the IngressClass objects that are ours',
  ),
  ingressClassByName: setting(
    'Source',
    'ingress-class-by-name',
    toggle,
    { default: 'false' },
    'serve an IngressClass of the name --ingress-class whatever its controller',
  ),
  watchWithoutClass: setting(
    'Source',
    'watch-ingress-without-class',
    toggle,
    { default: 'false' },
    'serve Ingresses that name no class',
  ),
  watchNamespaces: setting(
    'Source',
    'watch-namespace',
    namespaces,
    { default: '' },
    'serve objects of these namespaces only, separated by commas; empty means all; nothing is asked of the cluster beyond them',
  ),
  watchNamespaceSelector: setting(
    'Source',
    'watch-namespace-selector',
    text,
    { default: '' },
    'serve objects of namespaces whose labels match, as in team=web,tier!=test',
  ),
  annotationsPrefix: setting(
    'Source',
    'annotations-prefix',
    text,
    { default: 'nginx.ingress.kubernetes.io' },
    'prefix of annotations that are read besides sallyport.dev',
  ),
  allowExternalName: setting(
    'Source',
    'allow-external-name',
    toggle,
    { default: 'false' },
    'forward to Services of type ExternalName',
  ),
  defaultBackendService: setting(
    'Source',
    'default-backend-service',
    objectName,
    { default: '' },
    'namespace/name of the Service that answers what no route takes; its first port is used',
  ),

  kubeconfig: setting(
    'Cluster',
    'kubeconfig',
    path,
    { default: '' },
    'kubeconfig file of the cluster to serve; left out, the cluster that the process runs in',
  ),
  context: setting(
    'Cluster',
    'context',
    text,
    { default: '' },
    'context of the kubeconfig file; empty means its current one',
  ),
  publishService: setting(
    'Cluster',
    'publish-service',
    objectName,
    { default: '' },
    'namespace/name of the Service whose addresses become the status of Ingresses',
  ),
  publishStatusAddress: setting(
    'Cluster',
    'publish-status-address',
    text,
    { default: '' },
    'addresses or host names, separated by commas, that become the status of Ingresses instead',
  ),
  updateStatus: setting(
    'Cluster',
    'update-status',
    toggle,
    { default: 'true' },
    'write status and Events to the cluster, when leader',
  ),
  updateStatusOnShutdown: setting(
    'Cluster',
    'update-status-on-shutdown',
    toggle,
    { default: 'true' },
    'clear the addresses in the status of Ingresses when the last replica stops',
  ),
  electionId: setting(
    'Cluster',
    'election-id',
    text,
    { default: 'sallyport-leader' },
    'name of the Lease by which replicas elect the one that writes to the cluster',
  ),
  electionTtlMs: setting(
    'Cluster',
    'election-ttl',
    duration,
    { default: '12s' },
    'how long a leader that is silent keeps the Lease',
  ),
  disableLeaderElection: setting(
    'Cluster',
    'disable-leader-election',
    toggle,
    { default: 'false' },
    'write to the cluster without a Lease; for a single replica only',
  ),
  snapshotFile: setting(
    'Cluster',
    'snapshot-file',
    path,
    { default: '' },
    'file that keeps what was last read from the cluster, Secrets included, to start from when the cluster cannot be reached',
  ),
  snapshotWaitMs: setting(
    'Cluster',
    'snapshot-wait',
    duration,
    { default: '5s' },
    'how long a start waits for the cluster before it serves the snapshot file',
  ),

  address: setting('Listening', 'address', address, { default: '' }, 'address for traffic; empty means all'),
  httpPort: setting('Listening', 'http-port', port, { default: '8080' }, 'port for HTTP; 0 picks a free one'),
  httpsPort: setting(
    'Listening',
    'https-port',
    port,
    { default: '8443' },
    'port for HTTPS; accepted, but nothing listens there yet',
  ),
  adminAddress: setting(
    'Listening',
    'admin-address',
    address,
    { default: '' },
    'address for health and metrics; empty means all; debug pages answer loopback clients only',
  ),
  adminPort: setting(
    'Listening',
    'admin-port',
    port,
    { default: '10254', aliases: ['healthz-port'] },
    'port for /healthz, /readyz and /metrics; 0 picks a free one',
  ),

  workers: setting(
    'Process',
    'workers',
    wholeNumber(0, 256),
    { default: '0' },
    'worker threads; 0 means one per core, within the CPU limit of the container',
  ),
  workerHeap: setting('Process', 'worker-heap', size, { default: '512m' }, 'heap limit of a worker thread'),
  drainDelay: setting(
    'Process',
    'drain-delay',
    duration,
    { default: '5s', aliases: ['shutdown-grace-period'] },
    'how long traffic is still accepted after SIGTERM, while load balancers take notice',
  ),
  gracePeriod: setting(
    'Process',
    'grace-period',
    duration,
    { default: '25s' },
    'time from SIGTERM to the hard stop, the drain delay included',
  ),
  logLevel: setting(
    'Process',
    'log-level',
    oneOf('debug', 'info', 'warn', 'error'),
    { default: 'info' },
    'least severity that is logged',
  ),
  metricsMaxRoutes: setting(
    'Process',
    'metrics-max-routes',
    wholeNumber(0, 1_000_000),
    { default: '10000' },
    'backends of routes that have metrics of their own; the rest share one series',
  ),
  accessLog: setting('Process', 'access-log', toggle, { default: 'true' }, 'log a line per request'),

  maxConnections: setting(
    'Clients',
    'max-connections',
    count,
    { default: '0' },
    'client connections held at a time, shared out among the workers; those beyond are closed at once; 0 means as many as the limit on open files allows, which is never exceeded',
  ),
  keepAliveMs: setting(
    'Clients',
    'keep-alive',
    duration,
    { default: '75s' },
    'how long an idle client connection is kept',
  ),
  keepAliveRequests: setting(
    'Clients',
    'keep-alive-requests',
    wholeNumber(1, 1_000_000_000),
    { default: '1000' },
    'requests on one client connection',
  ),
  clientHeaderTimeoutMs: setting(
    'Clients',
    'client-header-timeout',
    duration,
    { default: '10s' },
    'time for a whole request head to arrive',
  ),
  clientWriteTimeoutMs: setting(
    'Clients',
    'client-write-timeout',
    duration,
    { default: '60s' },
    'how long a client may take nothing of its response',
  ),
  minBodyRate: setting(
    'Clients',
    'client-body-min-rate',
    size,
    { default: '500' },
    'bytes a second over 10 s below which a request body is refused; 0 turns it off',
  ),
  bodySize: setting(
    'Clients',
    'proxy-body-size',
    size,
    { default: '1m' },
    'largest request body; 0 means no limit',
  ),
  tunnelIdleMs: setting(
    'Clients',
    'tunnel-idle-timeout',
    duration,
    { default: '10m' },
    'how long a WebSocket or other upgraded connection may be silent',
  ),
  requestLineBytes: setting(
    'Clients',
    'request-line-size',
    size,
    { default: '8k' },
    'longest request line; beyond it the answer is 414',
  ),
  requestHeadBytes: setting(
    'Clients',
    'request-head-size',
    size,
    { default: '32k' },
    'largest request head; beyond it the answer is 431',
  ),
  requestFields: setting(
    'Clients',
    'request-fields',
    count,
    { default: '100' },
    'header fields of a request',
  ),
  trailerBytes: setting('Clients', 'trailer-size', size, { default: '8k' }, 'largest trailer section'),
  trailerFields: setting(
    'Clients',
    'trailer-fields',
    count,
    { default: '50' },
    'fields of a trailer section',
  ),

  trustedProxies: setting(
    'Forwarding',
    'trusted-proxies',
    networks,
    { default: '', aliases: ['proxy-real-ip-cidr'] },
    'networks whose X-Forwarded-* fields are believed; empty means nobody',
  ),
  fullForwardedFor: setting(
    'Forwarding',
    'compute-full-forwarded-for',
    toggle,
    { default: 'false' },
    'append to X-Forwarded-For instead of replacing it',
  ),
  underscores: setting(
    'Forwarding',
    'enable-underscores-in-headers',
    toggle,
    { default: 'false' },
    'forward header fields with underscores in their names',
  ),
  passServerHeader: setting(
    'Forwarding',
    'pass-server-header',
    toggle,
    { default: 'false' },
    "pass the upstream's Server field to the client",
  ),
  encodedSlashes: setting(
    'Forwarding',
    'allow-encoded-slashes',
    toggle,
    { default: 'false' },
    'keep %2F and %5C in paths instead of refusing them',
  ),

  upstreamIdle: setting(
    'Upstreams',
    'upstream-keepalive-connections',
    count,
    { default: '320' },
    'idle connections kept per endpoint and worker',
  ),
  upstreamIdleMs: setting(
    'Upstreams',
    'upstream-keepalive-timeout',
    duration,
    { default: '60s' },
    'how long an idle upstream connection is kept',
  ),
  upstreamRequests: setting(
    'Upstreams',
    'upstream-keepalive-requests',
    wholeNumber(1, 1_000_000_000),
    { default: '10000' },
    'requests on one upstream connection',
  ),
  upstreamLifetimeMs: setting(
    'Upstreams',
    'upstream-keepalive-time',
    duration,
    { default: '1h' },
    'how long an upstream connection is used',
  ),
  responseHeadBytes: setting(
    'Upstreams',
    'response-head-size',
    size,
    { default: '64k' },
    'largest response head; beyond it the answer is 502',
  ),
  responseFields: setting(
    'Upstreams',
    'response-fields',
    count,
    { default: '200' },
    'header fields of a response',
  ),
} as const;
