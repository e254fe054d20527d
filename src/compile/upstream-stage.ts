import type { Snapshot } from '../model/snapshot.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { Endpoint, EndpointSet, TableRoute, TableUpstream } from '../table/route-table.ts';
import type { TableEditor } from '../table/table-editor.ts';
import { splitUpstreamId } from '../table/upstream-id.ts';
import { isSameDialect } from './dialect.ts';
import type { Dialect, UpstreamVariant } from './dialect.ts';
import type { CompileOptions } from './compile-options.ts';
import type { CredentialStage } from './credential-stage.ts';
import { endpointsOf } from './endpoint-set.ts';
import type { UpstreamSettings } from './fragment.ts';
import type { PolicyStage } from './policy-stage.ts';

interface Stages {
  readonly policies: PolicyStage;
  readonly credentials: CredentialStage;
}

/** Upstreams and their endpoints: those that some route in the table refers to, no others. */
export class UpstreamStage {
  /** Upstream → number of references from routes. */
  readonly #uses = new Map<string, number>();
  /** `namespace/service` → its upstreams that are in use. */
  readonly #byService = new Map<string, Set<string>>();
  readonly #touched = new Set<string>();
  /** Variant → how it is spoken to. */
  readonly #variants = new Map<string, Dialect>();
  readonly #policies: PolicyStage;
  readonly #credentials: CredentialStage;
  readonly #table: TableEditor;
  readonly #options: CompileOptions;

  constructor({ policies, credentials }: Stages, table: TableEditor, options: CompileOptions) {
    this.#policies = policies;
    this.#credentials = credentials;
    this.#table = table;
    this.#options = options;
  }

  /** What a variant that some route refers to is, as of now. Ids say which certificates are named, not what they are. */
  setVariant({ id, dialect }: UpstreamVariant): void {
    const before = this.#variants.get(id);
    if (before !== undefined && isSameDialect(before, dialect)) return;
    this.#variants.set(id, dialect);
    this.#touched.add(id);
  }

  /** The Service or one of its slices has changed. */
  touchService(service: string): void {
    for (const id of this.#byService.get(service) ?? []) this.#touched.add(id);
  }

  /** A route of the table is about to be replaced. */
  replaceRoute(before: TableRoute | undefined, after: TableRoute | undefined): void {
    for (const id of upstreamsOf(after)) this.#use(id, 1);
    for (const id of upstreamsOf(before)) this.#use(id, -1);
  }

  /** Writes every upstream that was touched since the last time. */
  settle(snapshot: Snapshot): void {
    for (const service of this.#policies.settle()) this.touchService(service);
    for (const id of this.#touched) this.#write(id, snapshot);
    this.#touched.clear();
  }

  #use(id: string, step: 1 | -1): void {
    const before = this.#uses.get(id) ?? 0;
    const after = before + step;
    if (after > 0) this.#uses.set(id, after);
    else this.#uses.delete(id);
    if (before > 0 && after > 0) return;
    this.#touched.add(id);
    const { service } = splitUpstreamId(id);
    const ids = this.#byService.get(service) ?? new Set<string>();
    if (after > 0) this.#byService.set(service, ids.add(id));
    else if (ids.delete(id) && ids.size === 0) this.#byService.delete(service);
  }

  #write(id: string, snapshot: Snapshot): void {
    const before = this.#table.get('upstreams', id);
    if (!this.#uses.has(id)) {
      this.#variants.delete(id);
      this.#credentials.replaceUpstream(before, undefined);
      this.#table.edit('upstreams', id, undefined);
      this.#table.edit('endpoints', id, undefined);
      return;
    }
    const { service: key, port } = splitUpstreamId(id);
    const after = sealEntry<TableUpstream>('upstreams', { id, ...this.#settingsOf(id, key) });
    this.#credentials.replaceUpstream(before, after);
    this.#table.edit('upstreams', id, after);
    const isClosed = !this.#variants.has(id) && this.#policies.isClosed(key);
    const endpoints = isClosed ? [] : this.#endpointsOf(key, Number(port), snapshot);
    this.#table.edit('endpoints', id, sealEntry<EndpointSet>('endpoints', { id, endpoints }));
  }

  #settingsOf(id: string, service: string): UpstreamSettings {
    const settings = this.#policies.settingsFor(service);
    const dialect = this.#variants.get(id);
    if (dialect === undefined) return settings;
    const { protocol: _protocol, grpc: _grpc, tls: _tls, ...others } = settings;
    return { ...dialect, ...others };
  }

  /** A port that could not be resolved keeps its name, and has no endpoints. */
  #endpointsOf(key: string, port: number, snapshot: Snapshot): readonly Endpoint[] {
    const service = snapshot.objects.Service.get(key);
    if (service === undefined || Number.isNaN(port)) return [];
    return endpointsOf(service, port, snapshot.slicesByService.get(key) ?? [], this.#options);
  }
}

function upstreamsOf(route: TableRoute | undefined): readonly string[] {
  return route?.action.kind === 'forward'
    ? route.action.forward.backends.map(({ upstream }) => upstream)
    : [];
}
