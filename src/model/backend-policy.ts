import type { ObjectMeta } from './object-meta.ts';
import type { RouteRetries, RouteTimeouts } from './route.ts';

/**
 * sallyport.dev/v1alpha1 BackendPolicy, attached to one Service of its own namespace. What a Route or an Ingress sets
 * itself goes before it; what is undefined here is the controller's default.
 */
export interface BackendPolicy {
  readonly kind: 'BackendPolicy';
  readonly meta: ObjectMeta;
  readonly service: string;
  readonly balance: 'RoundRobin' | 'LeastRequest' | undefined;
  readonly protocol: BackendProtocol | undefined;
  /** undefined: plain TCP. */
  readonly tls: BackendTls | undefined;
  /** Each connection begins with a PROXY header of this version. */
  readonly proxyProtocol: 'V2' | undefined;
  readonly timeouts: RouteTimeouts | undefined;
  readonly retries: RouteRetries | undefined;
  readonly connections: PolicyConnections | undefined;
}

/** What is spoken to endpoints. `GRPC` is HTTP/2 whose requests are gRPC; `Auto` lets them choose by ALPN and needs TLS. */
export const backendProtocols = ['HTTP1', 'HTTP2', 'GRPC', 'Auto'] as const;

export type BackendProtocol = (typeof backendProtocols)[number];

/** TLS towards endpoints. What they show is verified unless `verify` says otherwise. */
export interface BackendTls {
  /** What their certificates must be for; undefined: `service.namespace.svc`, or the name of an ExternalName Service. */
  readonly hostname: string | undefined;
  /** Whether that name is told in the handshake; undefined: it is. */
  readonly sni: boolean | undefined;
  /** Whether an endpoint whose certificate is not valid is refused; undefined: it is. */
  readonly verify: boolean | undefined;
  /** Most certificates between the endpoint's and the root; undefined: as many as the chain has. */
  readonly verifyDepth: number | undefined;
  /** Who may have signed it: `ca.crt` and maybe `ca.crl` of a Secret or a ConfigMap, not both; neither: the public roots. */
  readonly caSecretName: string | undefined;
  readonly caConfigMapName: string | undefined;
  /** Secret with the certificate that we show when asked. */
  readonly clientSecretName: string | undefined;
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
  /** In OpenSSL's notation. */
  readonly ciphers: string | undefined;
}

export const tlsVersions = ['TLSv1.2', 'TLSv1.3'] as const;

export type TlsVersion = (typeof tlsVersions)[number];

export interface PolicyConnections {
  /** Requests at a time to one endpoint; above 0. */
  readonly maxRequests: number | undefined;
  /** Idle connections kept to one endpoint; 0 keeps none. */
  readonly maxIdle: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly maxLifetimeMs: number | undefined;
  readonly maxRequestsPerConnection: number | undefined;
}
