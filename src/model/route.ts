import type { ServicePortRef } from './ingress.ts';
import type { ObjectMeta } from './object-meta.ts';

/**
 * sallyport.dev/v1alpha1 Route (`routes.sallyport.dev`, short name `spr`).
 * Filters stay untyped here: each filter's own `parse` half types them (src/filters).
 */
export interface Route {
  readonly kind: 'Route';
  readonly meta: ObjectMeta;
  /** undefined: the default class, as for an Ingress. */
  readonly ingressClassName: string | undefined;
  /** Exact or `*.` wildcard; empty means every host. */
  readonly hosts: readonly string[];
  readonly tls: RouteTls | undefined;
  readonly rules: readonly RouteRule[];
}

export interface RouteTls {
  /** undefined: the hosts keep the certificate that they have otherwise. */
  readonly secretName: string | undefined;
  /** undefined: the Route's own namespace. */
  readonly namespace: string | undefined;
  /** undefined: clients are not asked for certificates. */
  readonly clientCertificate: ClientCertificate | undefined;
}

/** `Required`: a good one. `Optional`: if any, a good one. `OptionalNoCA`: any, and the upstream is told what came of it. */
export const clientCertificateModes = ['Required', 'Optional', 'OptionalNoCA'] as const;

/** What clients of the hosts have to show. */
export interface ClientCertificate {
  /** Secret with `ca.crt` and maybe `ca.crl`. */
  readonly caSecretName: string;
  /** Of that Secret; undefined: the Route's own. */
  readonly namespace: string | undefined;
  readonly mode: (typeof clientCertificateModes)[number];
  /** Most certificates between the client's and the root. */
  readonly verifyDepth: number;
  /** RE2 that begins with `CN=` and must match the start of the `CN=…` of the subject. */
  readonly matchCommonName: string | undefined;
  /** Absolute URL for clients that would be answered 400 for their certificate, or for having none. */
  readonly errorPage: string | undefined;
  readonly passToUpstream: boolean;
}

export interface RouteRule {
  readonly name: string | undefined;
  /** Alternatives (OR); empty means every request. */
  readonly matches: readonly RouteMatch[];
  /** Raw filter objects, each with exactly one key that names the filter, in order. */
  readonly filters: readonly Readonly<Record<string, unknown>>[];
  /** May be empty when a filter answers itself (redirect). */
  readonly backends: readonly RouteBackend[];
  readonly split: RouteSplit | undefined;
  readonly timeouts: RouteTimeouts | undefined;
  readonly retries: RouteRetries | undefined;
}

/** All conditions of one match must hold (AND). */
export interface RouteMatch {
  readonly path: { readonly type: 'Exact' | 'Prefix' | 'Regex'; readonly value: string } | undefined;
  /** In place of a path and methods. */
  readonly grpc: GrpcMatch | undefined;
  readonly methods: readonly string[];
  readonly headers: readonly NamedMatch[];
  readonly query: readonly NamedMatch[];
  readonly cookies: readonly NamedMatch[];
  /** CIDRs; empty means every address. */
  readonly sourceRanges: readonly string[];
}

/** gRPC requests (POST to `/service/method`) of a service, of a method, or of both; never of neither. */
export interface GrpcMatch {
  /** With its package, as in `shop.v1.Cart`. */
  readonly service: string | undefined;
  readonly method: string | undefined;
}

export interface NamedMatch {
  readonly name: string;
  readonly type: 'Exact' | 'Regex' | 'Present' | 'Absent';
  /** '' for Present and Absent. */
  readonly value: string;
}

export interface RouteBackend {
  readonly service: string;
  /** undefined: the Route's own namespace. */
  readonly namespace: string | undefined;
  readonly port: ServicePortRef;
  /** Relative share, 0…1,000,000; 1 when left out. */
  readonly weight: number;
}

/** How a request picks among weighted backends: at random, or always alike for one header, cookie or address. */
export type RouteSplit =
  | { readonly by: 'random' }
  | { readonly by: 'address' }
  | { readonly by: 'header' | 'cookie'; readonly name: string };

/** Milliseconds; undefined takes the controller's default. `requestMs` caps the whole exchange; 0 means no cap. */
export interface RouteTimeouts {
  readonly connectMs: number | undefined;
  readonly sendMs: number | undefined;
  readonly readMs: number | undefined;
  readonly requestMs: number | undefined;
}

export interface RouteRetries {
  /** Total tries, the first included. */
  readonly tries: number | undefined;
  /** As nginx's proxy_next_upstream: error, timeout, http_500 … http_504, http_403, http_404, http_429, non_idempotent. */
  readonly retryOn: readonly string[] | undefined;
  /** Cap over all tries, milliseconds; 0 means none. */
  readonly timeoutMs: number | undefined;
}
