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
  readonly timeouts: RouteTimeouts | undefined;
  readonly retries: RouteRetries | undefined;
  readonly connections: PolicyConnections | undefined;
}

/** What is spoken to endpoints. */
export const backendProtocols = ['HTTP1'] as const;

export type BackendProtocol = (typeof backendProtocols)[number];

export interface PolicyConnections {
  /** Requests at a time to one endpoint; above 0. */
  readonly maxRequests: number | undefined;
  /** Idle connections kept to one endpoint; 0 keeps none. */
  readonly maxIdle: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly maxLifetimeMs: number | undefined;
  readonly maxRequestsPerConnection: number | undefined;
}
