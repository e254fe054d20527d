import { decodeBackendPolicy } from './decode-backend-policy.ts';
import { decodeConfigMap, decodeNamespace, decodeSecret } from './decode-core.ts';
import { decodeIngress, decodeIngressClass } from './decode-ingress.ts';
import { decodeReferenceGrant } from './decode-reference-grant.ts';
import { decodeRoute } from './decode-route.ts';
import { decodeEndpointSlice, decodeService } from './decode-service.ts';
import type { Field } from './field.ts';
import type { ObjectMeta } from './object-meta.ts';
import type { Kind, ModelObject } from './snapshot.ts';
import { dnsLabel } from './text-checks.ts';
import type { TextCheck } from './text-checks.ts';

/** How one kind is read. */
export interface KindEntry {
  readonly apiVersion: string;
  /** Other versions of the same shape. */
  readonly alsoApiVersions?: readonly string[];
  readonly namespaced: boolean;
  readonly nameCheck?: TextCheck;
  readonly decode: (root: Field, meta: ObjectMeta) => ModelObject;
}

const networking = 'networking.k8s.io/v1';
const sallyport = 'sallyport.dev/v1alpha1';
const gateway = 'gateway.networking.k8s.io';

/** Every kind that Sallyport reads. */
export const kindEntries: Readonly<Record<Kind, KindEntry>> = {
  Ingress: { apiVersion: networking, namespaced: true, decode: decodeIngress },
  IngressClass: { apiVersion: networking, namespaced: false, decode: decodeIngressClass },
  Service: { apiVersion: 'v1', namespaced: true, nameCheck: dnsLabel, decode: decodeService },
  EndpointSlice: { apiVersion: 'discovery.k8s.io/v1', namespaced: true, decode: decodeEndpointSlice },
  Secret: { apiVersion: 'v1', namespaced: true, decode: decodeSecret },
  ConfigMap: { apiVersion: 'v1', namespaced: true, decode: decodeConfigMap },
  Namespace: { apiVersion: 'v1', namespaced: false, nameCheck: dnsLabel, decode: decodeNamespace },
  Route: { apiVersion: sallyport, namespaced: true, decode: decodeRoute },
  BackendPolicy: { apiVersion: sallyport, namespaced: true, decode: decodeBackendPolicy },
  ReferenceGrant: {
    apiVersion: `${gateway}/v1beta1`,
    alsoApiVersions: [`${gateway}/v1`],
    namespaced: true,
    decode: decodeReferenceGrant,
  },
};

/** The kinds of `kindEntries`, in a fixed order. */
export const kinds = Object.keys(kindEntries) as readonly Kind[];

/** API group of a kind, '' for the core one. */
export function groupOf(kind: Kind): string {
  const { apiVersion } = kindEntries[kind];
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

/** Whether objects of the kind are read in this version. */
export function isReadVersion({ apiVersion, alsoApiVersions }: KindEntry, version: string): boolean {
  return apiVersion === version || alsoApiVersions?.includes(version) === true;
}

/** Whether the word names a kind that Sallyport reads, in whatever version. */
export function isKind(word: string): word is Kind {
  return Object.hasOwn(kindEntries, word);
}
