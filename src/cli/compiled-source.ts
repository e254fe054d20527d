import { listBackends } from '../admin/backend-list.ts';
import type { BackendEntry } from '../admin/backend-list.ts';
import { findingsOf } from '../admin/route-findings.ts';
import { listRoutes } from '../admin/route-list.ts';
import type { RouteEntry } from '../admin/route-list.ts';
import type { Diagnostic, ObjectRef } from '../diagnostics/diagnostic.ts';
import { isKind } from '../model/kinds.ts';
import { objectKey } from '../model/snapshot-store.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { explain, explainableTable } from '../proxy/explain.ts';
import type { ExplainRequest } from '../proxy/explain-request.ts';
import type { RouteTable } from '../table/route-table.ts';
import type { CommandSource, FoundExplanation } from './command-source.ts';
import { describeUnservedClasses } from './unserved-classes.ts';

export interface CompiledParts {
  readonly place: string;
  readonly namespace: string | undefined;
  readonly snapshot: Snapshot;
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
  readonly encodedSlashes: boolean;
  readonly ingressClass: string;
}

const noLabels: ReadonlyMap<string, string> = new Map();

/** A source that was read and compiled here. */
export class CompiledSource implements CommandSource {
  readonly #parts: CompiledParts;

  constructor(parts: CompiledParts) {
    this.#parts = parts;
  }

  get place(): string {
    return this.#parts.place;
  }

  get namespace(): string | undefined {
    return this.#parts.namespace;
  }

  routes(): Promise<readonly RouteEntry[]> {
    return Promise.resolve(listRoutes(this.#parts.table, this.#parts.diagnostics));
  }

  backends(): Promise<readonly BackendEntry[]> {
    return Promise.resolve(listBackends(this.#parts.table));
  }

  findings(): Promise<readonly Diagnostic[]> {
    return Promise.resolve(this.#parts.diagnostics);
  }

  explain(request: ExplainRequest): Promise<FoundExplanation> {
    const { table, diagnostics, encodedSlashes } = this.#parts;
    const explanation = explain(explainableTable(table), { ...request, allowEncodedSlashes: encodedSlashes });
    const findings = findingsOf(explanation, diagnostics);
    return Promise.resolve({ ...explanation, findings });
  }

  readonly unserved = (): string => {
    const { snapshot, ingressClass, namespace } = this.#parts;
    return describeUnservedClasses(snapshot, ingressClass, namespace);
  };

  readonly labels = (object: ObjectRef): ReadonlyMap<string, string> => {
    if (!isKind(object.kind)) return noLabels;
    return this.#parts.snapshot.objects[object.kind].get(objectKey(object))?.meta.labels ?? noLabels;
  };
}
