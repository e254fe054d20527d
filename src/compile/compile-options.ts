import type { LabelSelector } from '../util/label-selector.ts';

/** What flags say about compiling. Plain data. */
export interface CompileOptions {
  /** Classes whose `spec.controller` is this are ours. */
  readonly controllerClass: string;
  /** Our name in the legacy annotation `kubernetes.io/ingress.class`, and for `ingressClassByName`. */
  readonly ingressClass: string;
  /** A class named `ingressClass` is ours whatever its controller, even when there is no such IngressClass object. */
  readonly ingressClassByName: boolean;
  /** Take objects that name no class at all. */
  readonly watchIngressWithoutClass: boolean;
  /** Without its slash. `sallyport.dev` is always understood beside it. */
  readonly annotationsPrefix: string;
  /** Forward to Services of type ExternalName. */
  readonly allowExternalName: boolean;
  /** Only objects of these namespaces are compiled; undefined means all. */
  readonly watchNamespaces: readonly string[] | undefined;
  /** Of these, only objects of namespaces whose labels match; empty means all. */
  readonly namespaceSelector: LabelSelector;
  /** `namespace/name` of the Service that answers what no route matches; its first port is used. */
  readonly defaultBackendService: string | undefined;
}

export const defaultCompileOptions: CompileOptions = {
  controllerClass: 'sallyport.dev/ingress-controller',
  ingressClass: 'sallyport',
  ingressClassByName: false,
  watchIngressWithoutClass: false,
  annotationsPrefix: 'nginx.ingress.kubernetes.io',
  allowExternalName: false,
  watchNamespaces: undefined,
  namespaceSelector: [],
  defaultBackendService: undefined,
};
