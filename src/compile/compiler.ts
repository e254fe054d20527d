import type { ObjectChange, Snapshot } from '../model/snapshot.ts';
import type { TableChanges } from '../table/table-delta.ts';
import { TableEditor } from '../table/table-editor.ts';
import type { TableContent } from '../table/table-editor.ts';
import { compileDefaultBackend, compiledKinds, compileObject } from './compile-object.ts';
import type { CompiledKind } from './compile-object.ts';
import type { CompileOptions } from './compile-options.ts';
import { compileDefaultCertificate } from './default-certificate.ts';
import { CredentialStage } from './credential-stage.ts';
import { DiagnosticIndex } from './diagnostic-index.ts';
import type { DiagnosticsByObject } from './diagnostic-index.ts';
import type { Fragment } from './fragment.ts';
import { HostStage } from './host-stage.ts';
import { ALL_CLASSES, dependencyKey, grantsKey, policiesKey } from './object-context.ts';
import { PolicyStage } from './policy-stage.ts';
import { ReaderIndex } from './reader-index.ts';
import { RouteStage } from './route-stage.ts';
import { changesBetween } from './snapshot-changes.ts';
import { compileTicketSecret } from './ticket-secret.ts';
import { UpstreamStage } from './upstream-stage.ts';

// From cluster objects to a routing table. In: a snapshot and what changed in it. Out: the table's content, what differs
// from the one before, and diagnostics. Pure: no clock, no I/O, the same for the same snapshot in whatever steps it came.
// Passes: each object by itself (compile-ingress, compile-route) → hosts → conflicts and canaries (route-stage) →
// policies, upstreams and endpoints → the certificates and authorities that these refer to. Each pass does again only what the change concerns: an object when it or something that it
// looked up changed, a claim when one of its claimants did, an upstream when its Service, slices or policy did.
// Imports model, filters, table, diagnostics and util: never a socket, never a client.

export interface CompileResult {
  /** Give it a generation to make a RouteTable of it. Frozen; parts that did not change are the same as before. */
  readonly table: TableContent;
  /** What turns the table of the previous result into this one. */
  readonly changes: TableChanges;
  readonly diagnostics: DiagnosticsByObject;
  /** Keys of objects whose diagnostics differ from the previous result's. */
  readonly diagnosticsChanged: ReadonlySet<string>;
  /** Objects that were compiled anew. */
  readonly compiledObjects: number;
  /**
   * `Secret/namespace/name` and `ConfigMap/namespace/name` of everything that some object refers to, present or not: what
   * a source that reads by name has to fetch. The same set as in the result before while nothing comes or goes.
   */
  readonly references: ReadonlySet<string>;
  /** Whether `kind/namespace/name` is ours to serve and to report on, as of the newest result. */
  isOwned(key: string): boolean;
}

export interface Compiler {
  /**
   * Compiles a snapshot. `changed` names what differs from the snapshot of the call before; left out, the two are
   * compared. When only EndpointSlices changed, nothing but their upstreams' endpoints is done again. Throws only for
   * bugs, and then starts from nothing the next time.
   */
  compile(snapshot: Snapshot, changed?: readonly ObjectChange[]): CompileResult;
}

export function createCompiler(options: CompileOptions): Compiler {
  let state: CompilerState | undefined;
  return {
    compile(snapshot, changed) {
      const current = state ?? new CompilerState(options);
      state = undefined;
      const result = current.compile(snapshot, changed);
      state = current;
      return result;
    },
  };
}

const DEFAULT_BACKEND = 'default-backend';
const DEFAULT_CERTIFICATE = 'default-certificate';
const TICKET_SECRET = 'ticket-secret';

const nothing: Omit<Fragment, 'object'> = {
  owned: false,
  routes: [],
  certificates: [],
  clientAuth: [],
  tlsHosts: [],
  policies: [],
  overrides: [],
  diagnostics: [],
  reads: new Set(),
};

class CompilerState {
  readonly #options: CompileOptions;
  readonly #table = new TableEditor();
  readonly #diagnostics = new DiagnosticIndex();
  readonly #routes: RouteStage;
  readonly #hosts: HostStage;
  readonly #policies = new PolicyStage(this.#diagnostics);
  readonly #credentials: CredentialStage;
  readonly #upstreams: UpstreamStage;
  readonly #fragments = new Map<string, Fragment>();
  readonly #readers = new ReaderIndex();
  #snapshot: Snapshot | undefined;

  constructor(options: CompileOptions) {
    this.#options = options;
    const { certificateMemory: memory } = options;
    this.#credentials = new CredentialStage(this.#table, memory);
    this.#hosts = new HostStage(this.#diagnostics, this.#credentials, this.#table, memory);
    this.#routes = new RouteStage(
      this.#diagnostics,
      this.#hosts,
      options.defaultBackendService !== undefined,
    );
    const stages = { policies: this.#policies, credentials: this.#credentials };
    this.#upstreams = new UpstreamStage(stages, this.#table, options);
  }

  compile(snapshot: Snapshot, changed: readonly ObjectChange[] | undefined): CompileResult {
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    const dirty =
      before === undefined
        ? everything(snapshot)
        : this.#invalidate(changed ?? changesBetween(before, snapshot), before, snapshot);
    for (const key of dirty) this.#recompile(key, snapshot);
    for (const key of this.#hosts.settle(snapshot)) {
      this.#routes.reconsider(this.#fragments.get(key)?.routes ?? []);
    }
    this.#routes.settle((id, route, variants) => {
      for (const variant of variants) this.#upstreams.setVariant(variant);
      this.#upstreams.replaceRoute(this.#table.get('routes', id), route);
      this.#table.edit('routes', id, route);
    });
    this.#upstreams.settle(snapshot);
    this.#credentials.settle(snapshot);
    const { diagnostics, changed: diagnosticsChanged } = this.#diagnostics.commit();
    return {
      ...this.#table.commit(),
      diagnostics,
      diagnosticsChanged,
      compiledObjects: dirty.size,
      references: this.#readers.references,
      isOwned: (key) => this.#fragments.get(key)?.owned === true,
    };
  }

  /** Keys of fragments that the changes concern. */
  #invalidate(changes: readonly ObjectChange[], before: Snapshot, after: Snapshot): ReadonlySet<string> {
    const dirty = new Set<string>();
    for (const { kind, key } of changes) {
      const name = dependencyKey(kind, key);
      if (isCompiled(kind)) dirty.add(name);
      for (const reader of this.#readers.of(name)) dirty.add(reader);
      if (kind === 'Service') this.#upstreams.touchService(key);
      if (kind === 'IngressClass') for (const reader of this.#readers.of(ALL_CLASSES)) dirty.add(reader);
      if (kind === 'ReferenceGrant') {
        const namespace = key.slice(0, key.indexOf('/'));
        for (const reader of this.#readers.of(grantsKey(namespace))) dirty.add(reader);
      }
      for (const { objects } of [before, after]) {
        const policy = kind === 'BackendPolicy' ? objects.BackendPolicy.get(key) : undefined;
        const readers =
          policy === undefined
            ? []
            : this.#readers.of(policiesKey(`${policy.meta.namespace}/${policy.service}`));
        for (const reader of readers) dirty.add(reader);
        const slice = kind === 'EndpointSlice' ? objects.EndpointSlice.get(key) : undefined;
        if (slice !== undefined) this.#upstreams.touchService(`${slice.meta.namespace}/${slice.service}`);
      }
    }
    return dirty;
  }

  #recompile(key: string, snapshot: Snapshot): void {
    const compiled = this.#compileFragment(key, snapshot);
    const before = this.#fragments.get(key) ?? nothing;
    const after = compiled ?? nothing;
    this.#routes.listTls(before.tlsHosts, after.tlsHosts);
    this.#routes.replace(before.routes, after.routes);
    this.#hosts.replace(before, after);
    this.#policies.replacePolicies(before.policies, after.policies);
    this.#policies.replaceOverrides(before.overrides, after.overrides);
    this.#diagnostics.replace(`object ${key}`, after.diagnostics);
    this.#readers.replace(key, before.reads, after.reads);
    if (compiled === undefined) this.#fragments.delete(key);
    else this.#fragments.set(key, compiled);
  }

  #compileFragment(key: string, snapshot: Snapshot): Fragment | undefined {
    if (key === DEFAULT_CERTIFICATE) {
      const compiled = compileDefaultCertificate(snapshot, this.#options);
      return compiled && { ...nothing, owned: true, ...compiled };
    }
    if (key === TICKET_SECRET) {
      const compiled = compileTicketSecret(snapshot, this.#options);
      return compiled && { ...nothing, owned: true, ...compiled };
    }
    if (key === DEFAULT_BACKEND) return compileDefaultBackend(snapshot, this.#options);
    const slash = key.indexOf('/');
    const object = snapshot.objects[key.slice(0, slash) as CompiledKind].get(key.slice(slash + 1));
    return object === undefined ? undefined : compileObject(object, snapshot, this.#options);
  }
}

function everything(snapshot: Snapshot): ReadonlySet<string> {
  const keys = compiledKinds.flatMap((kind) =>
    [...snapshot.objects[kind].keys()].map((key) => dependencyKey(kind, key)),
  );
  return new Set([...keys, DEFAULT_BACKEND, DEFAULT_CERTIFICATE, TICKET_SECRET]);
}

function isCompiled(kind: string): kind is CompiledKind {
  return (compiledKinds as readonly string[]).includes(kind);
}
