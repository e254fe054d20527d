import { resources } from './resources.ts';
import type { Resource, ResourceScope } from './resources.ts';

/** What settings say about the part of a cluster that is read. Plain data. */
export interface WatchSettings {
  /** undefined: every namespace. */
  readonly watchNamespaces: readonly string[] | undefined;
  /** Objects are chosen by labels of their namespaces too, so Namespaces are read. */
  readonly namespaceSelector: boolean;
  /** Our class goes by its name and needs no IngressClass object. */
  readonly ingressClassByName: boolean;
  /** `namespace/name`. */
  readonly defaultBackendService: string | undefined;
  /** `namespace/name` of a Secret. */
  readonly defaultCertificate: string | undefined;
  /** `namespace/name` of a Secret. */
  readonly ticketSecret?: string | undefined;
}

export interface PlannedScope {
  readonly scope: ResourceScope;
  /** When the API server refuses to let it be read, everything else goes on without it. */
  readonly mayBeForbidden: boolean;
}

/** What is watched from the start, and what is fetched by name whatever objects refer to. */
export interface WatchPlan {
  readonly scopes: readonly PlannedScope[];
  /** `Secret/namespace/name`. */
  readonly references: ReadonlySet<string>;
}

/** Namespaced kinds that are watched as a whole, in each namespace or in all. */
const watchedKinds: readonly Resource[] = Object.values(resources).filter(
  ({ namespaced, byName }) => namespaced && !byName,
);

/**
 * From settings to scopes. With namespaces given, nothing asks for a right beyond them but IngressClass (left out when the
 * class goes by its name, so that Roles alone suffice), Namespace (only for a selector) and objects that a setting names.
 */
export function watchPlan(settings: WatchSettings): WatchPlan {
  const { watchNamespaces, ingressClassByName, namespaceSelector } = settings;
  const namespaces = watchNamespaces === undefined ? undefined : new Set(watchNamespaces);
  const scopes: PlannedScope[] = [];
  if (namespaces === undefined || !ingressClassByName) {
    scopes.push({ scope: { resource: resources.IngressClass }, mayBeForbidden: namespaces !== undefined });
  }
  if (namespaceSelector) scopes.push(required({ resource: resources.Namespace }));
  for (const resource of watchedKinds) {
    if (namespaces === undefined) scopes.push(required({ resource }));
    else for (const namespace of namespaces) scopes.push(required({ resource, namespace }));
  }
  scopes.push(...defaultBackendScopes(settings.defaultBackendService, namespaces));
  const secrets = [settings.defaultCertificate, settings.ticketSecret].filter((key) => key !== undefined);
  return { scopes, references: new Set(secrets.map((key) => `Secret/${key}`)) };
}

/** Its Service by name; its EndpointSlices cannot be asked for by name, so those of its namespace. */
function defaultBackendScopes(
  service: string | undefined,
  namespaces: ReadonlySet<string> | undefined,
): readonly PlannedScope[] {
  if (service === undefined || namespaces === undefined) return [];
  const [namespace = '', name = ''] = service.split('/');
  if (namespaces.has(namespace)) return [];
  return [
    required({ resource: resources.Service, namespace, name }),
    required({ resource: resources.EndpointSlice, namespace }),
  ];
}

function required(scope: ResourceScope): PlannedScope {
  return { scope, mayBeForbidden: false };
}

/** For people: `ingresses.networking.k8s.io in namespace "team-a"`. */
export function describeScope({ resource, namespace, name }: ResourceScope): string {
  const { plural, group, namespaced } = resource;
  const collection = group === '' ? plural : `${plural}.${group}`;
  const what = name === undefined ? collection : `${collection} "${name}"`;
  if (!namespaced) return what;
  return namespace === undefined ? `${what} in every namespace` : `${what} in namespace "${namespace}"`;
}
