import type { ObjectMeta } from './object-meta.ts';

/** networking.k8s.io/v1 Ingress. */
export interface Ingress {
  readonly kind: 'Ingress';
  readonly meta: ObjectMeta;
  readonly ingressClassName: string | undefined;
  readonly defaultBackend: IngressBackend | undefined;
  readonly rules: readonly IngressRule[];
  readonly tls: readonly IngressTls[];
}

export interface IngressRule {
  /** '' when the rule has no host: it then holds for every host. */
  readonly host: string;
  readonly paths: readonly IngressPath[];
}

export interface IngressPath {
  /** '' when left out (only ImplementationSpecific may). */
  readonly path: string;
  readonly pathType: 'Exact' | 'Prefix' | 'ImplementationSpecific';
  readonly backend: IngressBackend;
}

export type IngressBackend =
  | { readonly kind: 'service'; readonly service: string; readonly port: ServicePortRef }
  | {
      readonly kind: 'resource';
      readonly apiGroup: string;
      readonly resourceKind: string;
      readonly name: string;
    };

/** A Service port by number or by name. */
export type ServicePortRef = number | string;

export interface IngressTls {
  readonly hosts: readonly string[];
  readonly secretName: string | undefined;
}

/** networking.k8s.io/v1 IngressClass. */
export interface IngressClass {
  readonly kind: 'IngressClass';
  readonly meta: ObjectMeta;
  readonly controller: string;
  /** From the annotation `ingressclass.kubernetes.io/is-default-class`. */
  readonly isDefault: boolean;
}
