// The routing table as plain, frozen, digested data: what compile makes, goldens pin, postMessage clones and
// the admin API prints. It knows no source's words: Ingress, Route and later Gateway API compile into the same shape.
// Imports util only.

/** Everything the data plane needs to serve, at one generation. */
export interface RouteTable {
  /** 0 is the empty table; each publication adds one. */
  readonly generation: number;
  /** 16 hex digits over all entries' digests; equal digests mean equal content. Does not cover `generation`. */
  readonly digest: string;
  readonly routes: ReadonlyMap<string, TableRoute>;
  readonly hosts: ReadonlyMap<string, TableHost>;
  readonly upstreams: ReadonlyMap<string, TableUpstream>;
  /** Same keys as `upstreams`. Apart from them because endpoints change a hundred times as often. */
  readonly endpoints: ReadonlyMap<string, EndpointSet>;
  readonly certificates: ReadonlyMap<string, TableCertificate>;
  readonly authorities: ReadonlyMap<string, TableAuthority>;
}

/** The parts of a table that have entries; each entry has `id` and `digest`. */
export type TablePart = 'routes' | 'hosts' | 'upstreams' | 'endpoints' | 'certificates' | 'authorities';

/** Part → type of its entries. */
export interface TableEntries {
  readonly routes: TableRoute;
  readonly hosts: TableHost;
  readonly upstreams: TableUpstream;
  readonly endpoints: EndpointSet;
  readonly certificates: TableCertificate;
  readonly authorities: TableAuthority;
}

/** One way for a request to be served: hosts, one path, finer conditions, what is done. */
export interface TableRoute {
  /** Stable while the object's shape is, e.g. `Ingress/team-a/shop/0.2` (rule 0, path 2). */
  readonly id: string;
  /** 16 hex digits over everything else in the route. */
  readonly digest: string;
  /** Lower case: `a.example`, `*.example` (one label) or `''` for any host. Never empty. */
  readonly hosts: readonly string[];
  readonly path: PathMatch;
  /** Absent when the route asks for nothing beyond host and path. */
  readonly conditions?: Conditions;
  /** Order among routes that are equally specific: the lesser string (by code unit) wins. Age, then namespace/name, then position. */
  readonly rank: string;
  /** In the order of the filter registry. Empty for most routes. */
  readonly filters: readonly FilterConfig[];
  readonly action: RouteAction;
  readonly origin: RouteOrigin;
}

/**
 * `exact`: byte equality. `prefix`: by path element, stored without a trailing slash except for `/` itself, so `/foo`
 * matches `/foo` and `/foo/x`, never `/foobar`. `regex`: the whole normalised path, RE2 syntax. All compare against the
 * normalised path (util/url-path).
 */
export interface PathMatch {
  readonly type: 'exact' | 'prefix' | 'regex';
  readonly value: string;
}

/** All present members must hold. */
export interface Conditions {
  readonly methods?: readonly string[];
  readonly headers?: readonly ValueMatch[];
  readonly query?: readonly ValueMatch[];
  readonly cookies?: readonly ValueMatch[];
  /** CIDRs, normalised. The client's address, after trusted proxies. */
  readonly sources?: readonly string[];
}

/** Header names are lower case. A field that occurs several times matches when any one of its values does. */
export interface ValueMatch {
  readonly name: string;
  readonly type: 'exact' | 'regex' | 'present' | 'absent';
  readonly value: string;
}

/** A filter's plain configuration as its `parse` half returned it. `name` finds its `create` half in the registry. */
export interface FilterConfig {
  readonly name: string;
  readonly config: unknown;
}

/** `respond` is how a route fails closed: it answers with this error code and reaches no upstream. */
export type RouteAction =
  | { readonly kind: 'forward'; readonly forward: Forward }
  | { readonly kind: 'respond'; readonly code: string };

export interface Forward {
  /** Never empty. */
  readonly backends: readonly WeightedBackend[];
  /** Tried in order before the weights; the first that holds decides (canary headers and cookies). */
  readonly overrides: readonly SplitOverride[];
  readonly split: Split;
  /** What the route itself sets: it goes before the upstream's, which goes before the defaults (exchange-defaults.ts). */
  readonly timeouts?: Partial<Timeouts>;
  readonly retry?: Partial<Retry>;
}

export interface WeightedBackend {
  /** Key into `upstreams`. */
  readonly upstream: string;
  /** Relative share; a backend of weight 0 is reached by overrides only. */
  readonly weight: number;
  /** `stable` or `canary`; the metric label. */
  readonly role: 'stable' | 'canary';
  /** Index of the backend that serves instead when this one has no endpoints (a canary falls back to its main). */
  readonly fallback?: number;
  /** Index of a backend without whose endpoints this one leaves its requests to `fallback` too (a main that is down is 503). */
  readonly requires?: number;
}

/** Sends a request to a backend by header or cookie. */
export interface SplitOverride {
  readonly source: 'header' | 'cookie';
  /** Lower case for headers. */
  readonly name: string;
  readonly type: 'exact' | 'regex';
  readonly value: string;
  /** Index into `backends`. */
  readonly backend: number;
}

export type Split =
  | { readonly by: 'random' }
  | { readonly by: 'address' }
  | { readonly by: 'header' | 'cookie'; readonly name: string };

/** Milliseconds. `sendMs` and `readMs` are gaps between two writes or reads; `readMs` also bounds the wait for the first byte. */
export interface Timeouts {
  readonly connectMs: number;
  readonly sendMs: number;
  readonly readMs: number;
  /** Cap over the whole exchange; 0 means none. */
  readonly requestMs: number;
}

export interface Retry {
  /** Total tries, the first included; 1 means never retry. */
  readonly tries: number;
  /** Retry on connection errors, and on timeouts. */
  readonly onError: boolean;
  readonly onTimeout: boolean;
  /** Upstream status codes that are retried, ascending. */
  readonly onStatus: readonly number[];
  /** Whether POST, LOCK and PATCH may be retried once sent. */
  readonly nonIdempotent: boolean;
  /** Cap over all tries; 0 means none. */
  readonly timeoutMs: number;
}

/** Who declared a route: for metrics, logs and explanations. */
export interface RouteOrigin {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Field path of the rule inside the object. */
  readonly field: string;
  /** Name of the first backend's Service, '' when there is none. */
  readonly service: string;
}

/** A host that has something of its own beyond routes. `id` is the host pattern. */
export interface TableHost {
  readonly id: string;
  readonly digest: string;
  /** Key into `certificates`; absent: the default certificate. */
  readonly certificate?: string;
  /** Absent: clients are not asked for certificates. */
  readonly clientAuth?: ClientAuth;
}

/**
 * What clients of a host have to show. `on`: a certificate that the authority has signed. `optional`: if they show one, it
 * must be so signed. `optional-no-ca`: whoever signed theirs, and the upstream is told what came of verifying it (but it must
 * be in force, and for clients). `closed`: the
 * policy could not be made (its authority is missing or unreadable), so every request of the host is refused with 403.
 */
export interface ClientAuth {
  readonly mode: 'on' | 'optional' | 'optional-no-ca' | 'closed';
  /** Into `authorities`; absent when `closed`. */
  readonly authority?: EntryRef;
  /** Most certificates between the client's and the root, as OpenSSL counts: 1 allows one intermediate. */
  readonly verifyDepth: number;
  /** RE2 for the start of the subject's `CN=…`; a certificate that does not match is answered 403. */
  readonly matchCommonName?: string;
  /** Absolute URL where clients are sent (302) that would get 400 for their certificate, or for having none. */
  readonly errorPage?: string;
  /** The client's certificate goes upstream, as URL-encoded PEM in `ssl-client-cert`. */
  readonly passCertificate: boolean;
}

/** An entry of another part, and what it held when this entry was made: when that changes, this changes. */
export interface EntryRef {
  readonly id: string;
  readonly digest: string;
}

export interface TableUpstream {
  /**
   * `namespace/service:port`, the port as the Service numbers it. Objects that speak to the same Service in another way
   * than its policy says have an upstream of their own: `namespace/service:port+variant`.
   */
  readonly id: string;
  readonly digest: string;
  readonly protocol: UpstreamProtocol;
  /** Its requests are gRPC: gRPC-Web is translated for it, retries ask gRPC's questions. */
  readonly grpc?: true;
  /** Absent: plain TCP. */
  readonly tls?: UpstreamTls;
  /** Each connection begins with a PROXY header of this version, and serves one client only. */
  readonly proxyProtocol?: 'v2';
  readonly balance: 'round-robin' | 'least-request';
  /** For routes that set none themselves. */
  readonly timeouts?: Partial<Timeouts>;
  readonly retry?: Partial<Retry>;
  readonly connections?: ConnectionLimits;
}

/** What is spoken with endpoints. `auto`: HTTP/2 where the endpoint chooses it by ALPN, else HTTP/1.1; with TLS only. */
export type UpstreamProtocol = 'http1' | 'http2' | 'auto';

/** TLS towards endpoints. */
export interface UpstreamTls {
  /** What we show when asked; into `certificates`. */
  readonly certificate?: EntryRef;
  /** Whether an endpoint whose certificate is not valid for `name` is refused (502). */
  readonly verify: boolean;
  /** Who may have signed it; into `authorities`. Absent: the public roots. */
  readonly authority?: EntryRef;
  /** As of ClientAuth; absent: as many as the chain has. */
  readonly verifyDepth?: number;
  /** What the certificate must be for. */
  readonly name: string;
  /** Whether `name` is told in the handshake (SNI). */
  readonly sendName: boolean;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** In OpenSSL's notation. */
  readonly ciphers?: string;
}

/** How much goes to each endpoint of an upstream; what is absent is the worker's setting, or no limit. */
export interface ConnectionLimits {
  /** Requests at a time to one endpoint, over all workers; tunnels count. Above 0. */
  readonly maxRequests?: number;
  /** Idle connections kept, per endpoint and worker. */
  readonly maxIdle?: number;
  readonly idleTimeoutMs?: number;
  readonly maxLifetimeMs?: number;
  readonly maxRequestsPerConnection?: number;
}

export interface EndpointSet {
  /** The upstream's id. */
  readonly id: string;
  readonly digest: string;
  /** In order of address, then port; without duplicates. */
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  /** IPv4, IPv6 without brackets, or a DNS name (ExternalName). */
  readonly address: string;
  readonly port: number;
  /** Relative share among the endpoints; 1 unless a policy says otherwise. */
  readonly weight: number;
}

/** PEM. Never printed: outputs show the digest only. */
export interface TableCertificate {
  /** `namespace/name` of the Secret. */
  readonly id: string;
  readonly digest: string;
  readonly certificate: string;
  readonly key: string;
}

/** Who is believed about certificates. PEM, public: but it is nobody's business either, so outputs show the digest only. */
export interface TableAuthority {
  /** `namespace/name` of the Secret, or `ConfigMap/namespace/name`. */
  readonly id: string;
  readonly digest: string;
  /** One certificate or more. */
  readonly ca: string;
  /** One list of revoked certificates or more; absent: nobody's are revoked. */
  readonly crl?: string;
}
