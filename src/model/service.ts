import type { ObjectMeta } from './object-meta.ts';

/** v1 Service. */
export interface Service {
  readonly kind: 'Service';
  readonly meta: ObjectMeta;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  /** '' when unset; 'None' for headless Services. */
  readonly clusterIP: string;
  /** Only for type ExternalName, else ''. */
  readonly externalName: string;
  readonly ports: readonly ServicePort[];
}

export interface ServicePort {
  /** '' when unnamed. */
  readonly name: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly appProtocol: string | undefined;
  /** Number or the name of a container port; undefined when unset (then it equals `port`). */
  readonly targetPort: number | string | undefined;
}

/** discovery.k8s.io/v1 EndpointSlice. A Service's slices carry the label `kubernetes.io/service-name`. */
export interface EndpointSlice {
  readonly kind: 'EndpointSlice';
  readonly meta: ObjectMeta;
  /** Name of the Service, from the label; '' when absent (the slice is then ignored). */
  readonly service: string;
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
  readonly endpoints: readonly SliceEndpoint[];
  readonly ports: readonly SlicePort[];
}

export interface SliceEndpoint {
  readonly addresses: readonly string[];
  /** Unset conditions are decoded by KEP-752's defaults: ready true, serving = ready, terminating false. */
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly zone: string | undefined;
  readonly nodeName: string | undefined;
}

export interface SlicePort {
  /** '' when unnamed; equals the Service port's name. */
  readonly name: string;
  /** undefined means all ports (rare: then the Service's own target port counts). */
  readonly port: number | undefined;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}
