import type { BackendPolicy } from './backend-policy.ts';
import type { ConfigMap, Namespace, Secret } from './core-objects.ts';
import type { Ingress, IngressClass } from './ingress.ts';
import type { ObjectKey } from './object-meta.ts';
import type { ReferenceGrant } from './reference-grant.ts';
import type { Route } from './route.ts';
import type { EndpointSlice, Service } from './service.ts';

/** Kind → type of everything that Sallyport reads. */
export interface ObjectKinds {
  readonly Ingress: Ingress;
  readonly IngressClass: IngressClass;
  readonly Service: Service;
  readonly EndpointSlice: EndpointSlice;
  readonly Secret: Secret;
  readonly ConfigMap: ConfigMap;
  readonly Namespace: Namespace;
  readonly Route: Route;
  readonly BackendPolicy: BackendPolicy;
  readonly ReferenceGrant: ReferenceGrant;
}

export type Kind = keyof ObjectKinds;
export type ModelObject = ObjectKinds[Kind];

/** Everything known at one moment: per kind, objects by key. A snapshot never changes once handed out. */
export interface Snapshot {
  readonly objects: { readonly [K in Kind]: ReadonlyMap<ObjectKey, ObjectKinds[K]> };
  /** EndpointSlices by `namespace/service`, in name order. */
  readonly slicesByService: ReadonlyMap<string, readonly EndpointSlice[]>;
}

/** One object that differs between two snapshots. */
export interface ObjectChange {
  readonly kind: Kind;
  readonly key: ObjectKey;
}
