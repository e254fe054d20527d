import { catalogue } from './catalogue.ts';
import type { DiagnosticCode } from './catalogue.ts';

// A fault in what a user declared. Diagnostics are values: returned beside a result, never thrown.
// They become a condition on the object, an Event, a metric label and a line on the command line.
// This folder imports util only.

/** The object that a diagnostic is about, in Kubernetes' words. `namespace` is '' for cluster-scoped kinds. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Where the object was written, when it came from a folder of manifests. Lines count from 1. */
export interface FileLocation {
  readonly file: string;
  readonly document: number;
  readonly line: number;
}

export type Severity = 'error' | 'warning' | 'info';

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly object: ObjectRef;
  /** Field path inside the object, as in `spec.rules[0].http.paths[2].path`; '' is the object itself. */
  readonly path: string;
  /** States the action, quotes the value, then what is wanted. No full stop. */
  readonly message: string;
  /** What to do about it, from the catalogue. */
  readonly hint: string;
  readonly location?: FileLocation;
  /** The object that won, where another one has what this one asks for. */
  readonly winner?: ObjectRef;
  /** `namespace/name` of the Service that the object is about, when it is a BackendPolicy. */
  readonly service?: string;
  /** The requests that the object asked for and did not get. */
  readonly claim?: RequestClaim;
}

/** Requests by host pattern ('' is every host) and path, as a route of the table names them. */
export interface RequestClaim {
  readonly host: string;
  readonly path: { readonly type: 'exact' | 'prefix' | 'regex'; readonly value: string };
}

/** Makes a diagnostic; severity and hint come from the catalogue. */
export function diagnose(code: DiagnosticCode, object: ObjectRef, path: string, message: string): Diagnostic {
  const { severity, hint } = catalogue[code];
  return { code, severity, object, path, message, hint };
}

/** `Ingress team-a/shop`, or `IngressClass sallyport` for cluster-scoped kinds. */
export function describeRef(ref: ObjectRef): string {
  return ref.namespace === '' ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`;
}
