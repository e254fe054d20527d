import type { DiagnosticCode } from '../diagnostics/catalogue.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, ObjectRef } from '../diagnostics/diagnostic.ts';
import type { BackendPolicy } from '../model/backend-policy.ts';
import type { IngressClass } from '../model/ingress.ts';
import type { ObjectKey } from '../model/object-meta.ts';
import type { ReferenceGrant } from '../model/reference-grant.ts';
import type { Kind, ModelObject, ObjectKinds, Snapshot } from '../model/snapshot.ts';
import type { CompileOptions } from './compile-options.ts';

/** Read by what depends on the set of all IngressClasses. */
export const ALL_CLASSES = 'IngressClass';

/** Read by what depends on the set of all grants of a namespace. */
export function grantsKey(namespace: string): string {
  return `ReferenceGrant/${namespace}`;
}

/** Read by what depends on the set of all policies for a Service, named `namespace/name`. */
export function policiesKey(service: ObjectKey): string {
  return `BackendPolicy for ${service}`;
}

/** Names an object among the reads of fragments. */
export function dependencyKey(kind: Kind, key: ObjectKey): string {
  return `${kind}/${key}`;
}

export function refOf({ kind, meta }: ModelObject): ObjectRef {
  return { kind, namespace: meta.namespace, name: meta.name };
}

/** Everything that compiling one object may look at. Look-ups are recorded, so that a change reaches what it concerns. */
export class ObjectContext {
  readonly object: ObjectRef;
  readonly options: CompileOptions;
  readonly reads: Set<string>;
  readonly diagnostics: Diagnostic[] = [];
  readonly #snapshot: Snapshot;

  constructor(object: ObjectRef, snapshot: Snapshot, options: CompileOptions, reads = new Set<string>()) {
    this.object = object;
    this.reads = reads;
    this.options = options;
    this.#snapshot = snapshot;
  }

  lookUp<K extends 'Service' | 'Secret' | 'ConfigMap' | 'IngressClass' | 'Namespace'>(
    kind: K,
    key: ObjectKey,
  ): ObjectKinds[K] | undefined {
    this.reads.add(dependencyKey(kind, key));
    return this.#snapshot.objects[kind].get(key);
  }

  classes(): Iterable<IngressClass> {
    this.reads.add(ALL_CLASSES);
    return this.#snapshot.objects.IngressClass.values();
  }

  /** What the owners of a namespace let others refer to. */
  grants(namespace: string): readonly ReferenceGrant[] {
    this.reads.add(grantsKey(namespace));
    return grantsByNamespace(this.#snapshot.objects.ReferenceGrant).get(namespace) ?? [];
  }

  /** The policies for a Service, named `namespace/name`, in no order. */
  policies(service: ObjectKey): readonly BackendPolicy[] {
    this.reads.add(policiesKey(service));
    return policiesByService(this.#snapshot.objects.BackendPolicy).get(service) ?? [];
  }

  /** For a look at another object on behalf of this one: look-ups count for this one, reports go nowhere. */
  about(object: ObjectRef): ObjectContext {
    return new ObjectContext(object, this.#snapshot, this.options, this.reads);
  }

  /** `path` is a field path from the object's root. */
  report(code: DiagnosticCode, path: string, message: string): void {
    this.diagnostics.push(diagnose(code, this.object, path, message));
  }
}

type GrantIndex = ReadonlyMap<string, readonly ReferenceGrant[]>;

/** Made once for as long as no grant comes or goes. */
const indexes = new WeakMap<ReadonlyMap<ObjectKey, ReferenceGrant>, GrantIndex>();

function grantsByNamespace(grants: ReadonlyMap<ObjectKey, ReferenceGrant>): GrantIndex {
  const known = indexes.get(grants);
  if (known !== undefined) return known;
  const index = Map.groupBy(grants.values(), ({ meta }) => meta.namespace);
  indexes.set(grants, index);
  return index;
}

type PolicyIndex = ReadonlyMap<ObjectKey, readonly BackendPolicy[]>;

/** As `indexes`. */
const policyIndexes = new WeakMap<ReadonlyMap<ObjectKey, BackendPolicy>, PolicyIndex>();

function policiesByService(policies: ReadonlyMap<ObjectKey, BackendPolicy>): PolicyIndex {
  const known = policyIndexes.get(policies);
  if (known !== undefined) return known;
  const index = Map.groupBy(policies.values(), ({ meta, service }) => `${meta.namespace}/${service}`);
  policyIndexes.set(policies, index);
  return index;
}
