import type { CertificateMemory } from './certificate-memory.ts';
import type { LabelSelector } from '../util/label-selector.ts';

/** What flags say about compiling, and what lives as long as the compiler. */
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
  /** `namespace/name` of the Secret whose certificate serves names that no host has. */
  readonly defaultCertificate: string | undefined;
  /** `namespace/name` of the Secret that keys of session tickets are made from. */
  readonly ticketSecret?: string | undefined;
  /**
   * What unusable Secrets held when they were last usable, to be served instead. The one thing that a result owes to
   * snapshots before its own; left out, there is no such thing.
   */
  readonly certificateMemory?: CertificateMemory;
  /** Redirect plain HTTP to HTTPS, where annotations do not say: on hosts with TLS, on all hosts. */
  readonly sslRedirect: boolean;
  readonly forceSslRedirect: boolean;
  /** Status of that redirect. */
  readonly httpRedirectCode: number;
  /** Wall clock in milliseconds, for certificates that have expired; without it none has. */
  readonly now?: () => number;
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
  defaultCertificate: undefined,
  sslRedirect: true,
  forceSslRedirect: false,
  httpRedirectCode: 308,
  defaultBackendService: undefined,
};
