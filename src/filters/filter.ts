import type { AnnotationGrammar } from './annotation-grammar.ts';
import type { ParseContext } from './parse-context.ts';

// The contract of a filter: one file, both halves. `parse` runs on the main thread and turns what a user wrote into
// plain configuration or diagnostics; `create` runs in a worker and turns configuration into hooks.
// Filters import table, diagnostics and util only: they never see a socket or a cluster object.

/** A user-settable feature. Placed in the chain by one line in registry.ts. */
export interface FilterSpec<Config = unknown> {
  /** The key of the filter in a Route rule, and its name in the table. camelCase. */
  readonly name: string;
  /** One sentence for the reference. */
  readonly doc: string;
  /** Set for filters that can stand in a Route rule. */
  readonly route?: RouteHalf<Config>;
  /** Set for filters that Ingress annotations switch on. */
  readonly annotations?: AnnotationHalf<Config>;
  /** Builds the hooks. Runs once when a route is linked; may throw, which fails that route closed (503). */
  create(config: Config): Filter;
}

export interface RouteHalf<Config> {
  /** OpenAPI v3 structural schema of the filter's value; the CRD fragment is generated from it. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Set when it answers every request by itself: a rule with it needs no backends and may have none. */
  readonly answers?: true;
  /** A value that `parse` takes, for the reference page. */
  readonly example: unknown;
  /** Returns plain, structured-clonable configuration, or undefined after reporting through `context`. */
  parse(value: unknown, context: ParseContext): Config | undefined;
}

export interface AnnotationHalf<Config> {
  /** Set when it answers requests for exactly `/` on every host of its Ingress, whatever paths that asks for. */
  readonly answersRoot?: true;
  readonly known: readonly AnnotationSpec[];
  /**
   * `get` reads by bare name (without prefix). Reports every value that does not fit its grammar (`readAnnotation` does),
   * whether the others make use of it or not, and may report more. Returns undefined when the annotations ask for nothing or, after a report
   * through `context`, when they cannot be used.
   */
  parse(get: (name: string) => string | undefined, context: ParseContext): Config | undefined;
}

/** One annotation: for its reader, the reference, the admission policy and the list of known names. */
export interface AnnotationSpec {
  readonly name: string;
  /** What its values may be. */
  readonly grammar: AnnotationGrammar;
  readonly default: string;
  readonly doc: string;
}

/** Hooks of one linked filter. A hook that is absent costs nothing. */
export interface Filter {
  /** Set when its request half has nothing to do with requests over HTTPS: they are not shown to it. */
  readonly plainOnly?: true;
  /** Continues with undefined; answers without an upstream by returning a LocalAnswer. Returns a promise only when it must wait. */
  onRequest?(request: FilterRequest): RequestVerdict | Promise<RequestVerdict>;
  /** Runs in reverse order of the chain, on upstream answers and on local ones. */
  onResponse?(response: FilterResponse, request: FilterRequest): void;
}

export type RequestVerdict = LocalAnswer | undefined;

/** An answer made here. `Content-Length` is added; the body is short plain text. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Header fields in order, names compared without case. Values are latin1 text, one character a byte. */
export interface FilterHeaders {
  /** First value of a field (name lower case), or undefined. */
  get(lowerName: string): string | undefined;
  /** All values of a field, in order. */
  getAll(lowerName: string): readonly string[];
  /** Replaces all fields of this name by one. */
  set(name: string, value: string): void;
  append(name: string, value: string): void;
  remove(lowerName: string): void;
}

/** The request as it will go upstream; filters change it in place. */
export interface FilterRequest {
  readonly method: string;
  /** Scheme that the client used. */
  readonly scheme: 'http' | 'https';
  /** Canonical host that was matched: lower case, no port, no trailing dot. */
  readonly host: string;
  /** Port the client named or the scheme's default. */
  readonly port: number;
  /** The Host header to send upstream. */
  authority: string;
  /** Normalised path, always starting with '/'. A filter that sets it must keep it normalised (util/url-path). */
  path: string;
  /** With its leading '?', or ''. */
  query: string;
  readonly headers: FilterHeaders;
  /** Origin as the client sent it, '' when it did not; what filters do to `headers` does not change it. */
  readonly origin: string;
  /** Client address after trusted proxies. */
  readonly clientAddress: string;
  /** The matched route's path, so that prefix rewrites know what to replace. */
  readonly matchedPath: { readonly type: 'exact' | 'prefix' | 'regex'; readonly value: string };
  readonly requestId: string;
}

export interface FilterResponse {
  status: number;
  readonly headers: FilterHeaders;
}
