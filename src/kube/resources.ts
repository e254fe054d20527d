import type { Kind } from '../model/snapshot.ts';

/** Where the API server keeps a kind. */
export interface Resource {
  readonly kind: Kind;
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** The API server may not know the kind (a CRD that is not installed): then there are no objects of it. */
  readonly optional: boolean;
  /** Read one by one, because something refers to them; never listed as a whole. */
  readonly byName: boolean;
}

const base = { optional: false, byName: false, namespaced: true };
const networking = { ...base, group: 'networking.k8s.io', version: 'v1' };
const sallyport = { ...base, group: 'sallyport.dev', version: 'v1alpha1', optional: true };
const core = { ...base, group: '', version: 'v1' };

/** Every kind that is read from a cluster. */
export const resources = {
  Ingress: { ...networking, kind: 'Ingress', plural: 'ingresses' },
  IngressClass: { ...networking, kind: 'IngressClass', plural: 'ingressclasses', namespaced: false },
  Service: { ...core, kind: 'Service', plural: 'services' },
  EndpointSlice: {
    ...base,
    kind: 'EndpointSlice',
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
  },
  Secret: { ...core, kind: 'Secret', plural: 'secrets', byName: true },
  ConfigMap: { ...core, kind: 'ConfigMap', plural: 'configmaps', byName: true },
  Namespace: { ...core, kind: 'Namespace', plural: 'namespaces', namespaced: false },
  Route: { ...sallyport, kind: 'Route', plural: 'routes' },
  BackendPolicy: { ...sallyport, kind: 'BackendPolicy', plural: 'backendpolicies' },
  ReferenceGrant: {
    ...base,
    kind: 'ReferenceGrant',
    group: 'gateway.networking.k8s.io',
    version: 'v1beta1',
    plural: 'referencegrants',
    optional: true,
  },
} as const satisfies { readonly [K in Kind]: Resource & { readonly kind: K } };

/** A resource of the cluster, of one namespace, or one object of it. */
export interface ResourceScope {
  readonly resource: Resource;
  /** Left out: every namespace, or a cluster-scoped kind. */
  readonly namespace?: string;
  /** One object by `metadata.name`; an authorizer then goes by that name (RBAC `resourceNames`). */
  readonly name?: string;
}

/** The path of a collection, or of one object when `name` is given. */
export function resourcePath(
  { group, version, plural }: Pick<Resource, 'group' | 'version' | 'plural'>,
  { namespace, name }: { readonly namespace?: string; readonly name?: string } = {},
): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const within =
    namespace === undefined || namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${within}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
