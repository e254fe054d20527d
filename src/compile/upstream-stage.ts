import type { Snapshot } from '../model/snapshot.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { EndpointSet, TableRoute, TableUpstream } from '../table/route-table.ts';
import type { TableEditor } from '../table/table-editor.ts';
import type { CompileOptions } from './compile-options.ts';
import { endpointsOf } from './endpoint-set.ts';
import type { PolicyStage } from './policy-stage.ts';

/** Upstreams and their endpoints: those that some route in the table refers to, no others. */
export class UpstreamStage {
  /** Upstream → number of references from routes. */
  readonly #uses = new Map<string, number>();
  /** `namespace/service` → its upstreams that are in use. */
  readonly #byService = new Map<string, Set<string>>();
  readonly #touched = new Set<string>();
  readonly #policies: PolicyStage;
  readonly #table: TableEditor;
  readonly #options: CompileOptions;

  constructor(policies: PolicyStage, table: TableEditor, options: CompileOptions) {
    this.#policies = policies;
    this.#table = table;
    this.#options = options;
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
    const { service } = splitId(id);
    const ids = this.#byService.get(service) ?? new Set<string>();
    if (after > 0) this.#byService.set(service, ids.add(id));
    else if (ids.delete(id) && ids.size === 0) this.#byService.delete(service);
  }

  #write(id: string, snapshot: Snapshot): void {
    if (!this.#uses.has(id)) {
      this.#table.edit('upstreams', id, undefined);
      this.#table.edit('endpoints', id, undefined);
      return;
    }
    const { service: key, port } = splitId(id);
    const settings = this.#policies.settingsFor(key);
    this.#table.edit('upstreams', id, sealEntry<TableUpstream>('upstreams', { id, ...settings }));
    const service = snapshot.objects.Service.get(key);
    const slices = snapshot.slicesByService.get(key) ?? [];
    // A port that could not be resolved keeps its name, and has no endpoints.
    const endpoints =
      service === undefined || Number.isNaN(port) ? [] : endpointsOf(service, port, slices, this.#options);
    this.#table.edit('endpoints', id, sealEntry<EndpointSet>('endpoints', { id, endpoints }));
  }
}

function upstreamsOf(route: TableRoute | undefined): readonly string[] {
  return route?.action.kind === 'forward'
    ? route.action.forward.backends.map(({ upstream }) => upstream)
    : [];
}

function splitId(id: string): { readonly service: string; readonly port: number } {
  const colon = id.lastIndexOf(':');
  return { service: id.slice(0, colon), port: Number(id.slice(colon + 1)) };
}
