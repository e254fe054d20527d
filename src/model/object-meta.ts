// The cluster's vocabulary as plain readonly types, and decoders from untyped input to them.
// Comes in: parsed YAML or JSON. Goes out: typed objects, or diagnostics that name the field.
// Imports util and diagnostics only; never a Kubernetes client, a socket or a file.

/** What every kind has; the parts of Kubernetes' ObjectMeta that Sallyport uses. */
export interface ObjectMeta {
  readonly name: string;
  /** '' for cluster-scoped kinds; 'default' when a namespaced manifest leaves it out. */
  readonly namespace: string;
  readonly uid: string;
  /** Changes whenever the content does: the API server's, or a digest of the document in directory mode. */
  readonly resourceVersion: string;
  readonly generation: number;
  /** Milliseconds since the epoch; 0 when unknown, which counts as oldest. */
  readonly createdAtMs: number;
  readonly annotations: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
}

/** Identity of an object within its kind: `namespace/name`, or `name` for cluster-scoped kinds. */
export type ObjectKey = string;
