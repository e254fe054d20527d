/** What TLS and the network need to know of an API server. */
export interface ConnectionSettings {
  /** PEM; undefined: the system's certificate authorities. */
  readonly ca: string | undefined;
  /** PEM of the client's certificate, with `key`. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The name in the server's certificate, where it is not the host of its address. */
  readonly serverName: string | undefined;
  /** Whether the server's certificate is taken unseen (`insecure-skip-tls-verify`). */
  readonly insecure: boolean;
  /** `http://`, `https://` or `socks5://` of a proxy. */
  readonly proxy: string | undefined;
  /** False when a header goes out more than once: undici joins the values over HTTP/2, and two groups become one. */
  readonly http2: boolean;
}

/** What goes with a call. The same object for as long as nothing changed. */
export interface Credentials {
  /** Authorization and impersonation; a name may come more than once. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The same object for as long as connections made with it may be used. */
  readonly connection: ConnectionSettings;
}

/** Where a cluster is and how to log in there. */
export interface ClusterAccess {
  /** May carry a path that every call begins with. */
  readonly server: URL;
  /** Of the context, or of the pod; undefined when neither says. */
  readonly namespace: string | undefined;
  /** Where this was read, for people: `kubeconfig "…", context "…"`. */
  readonly origin: string;
  /**
   * What to log in with now; read again when files changed or a token ran out.
   *
   * @throws TransportError with code CREDENTIALS
   */
  credentials(): Promise<Credentials>;
  /**
   * After a 401 for `refused`: what to log in with instead, or the same when there is nothing else. Asked by many at once
   * it looks once.
   *
   * @throws TransportError with code CREDENTIALS
   */
  renew(refused: Credentials): Promise<Credentials>;
}
