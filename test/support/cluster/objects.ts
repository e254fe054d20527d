import type { Manifest } from './manifest.ts';

// Objects of cluster tests as somebody would write them. Keys are `namespace/name`.

export function object(apiVersion: string, kind: string, key: string, spec: unknown): Manifest {
  const [namespace = '', name = ''] = key.split('/');
  return { apiVersion, kind, metadata: { name, namespace }, spec };
}

export function service(key: string, spec: object = {}): Manifest {
  return object('v1', 'Service', key, { ports: [{ name: 'http', port: 80 }], ...spec });
}

/** One endpoint behind the Service of this key, as a slice controller would write it. */
export function slice(key: string, address: string, port: number): Manifest {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  };
}

/** The pods of our own behind the Service of this key. */
export function podSlice(key: string, pods: readonly string[]): Manifest {
  const [namespace = ''] = key.split('/');
  return {
    ...slice(key, '10.1.0.1', 8080),
    endpoints: pods.map((name, index) => ({
      addresses: [`10.1.0.${index + 1}`],
      targetRef: { kind: 'Pod', namespace, name },
    })),
  };
}

export interface IngressOptions {
  readonly path?: string;
  readonly service?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly secretName?: string;
}

export function ingress(key: string, host: string, options: IngressOptions = {}): Manifest {
  const { path = '/', service: name = 'web', annotations, secretName } = options;
  const made = object('networking.k8s.io/v1', 'Ingress', key, {
    ingressClassName: 'sallyport',
    rules: [
      {
        host,
        http: { paths: [{ path, pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } }] },
      },
    ],
    ...(secretName === undefined ? {} : { tls: [{ hosts: [host], secretName }] }),
  });
  return annotations === undefined ? made : { ...made, metadata: { ...made.metadata, annotations } };
}

export function route(key: string, host: string, rule: object = {}): Manifest {
  return object('sallyport.dev/v1alpha1', 'Route', key, {
    ingressClassName: 'sallyport',
    hosts: [host],
    rules: [{ backends: [{ service: 'web', port: 80 }], ...rule }],
  });
}
