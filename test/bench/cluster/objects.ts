// The objects of the cluster scenarios. Plain manifests, as the API server takes them.
import { createPrivateKey, X509Certificate } from 'node:crypto';

import type { Manifest } from '../../support/cluster/manifest.ts';

export const namespace = 'bench';

export const hostOf = (index: number): string => `host-${index}.bench.example`;

export const ingressClass: Manifest = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name: 'sallyport' },
  spec: { controller: 'sallyport.dev/ingress-controller' },
};

export function ingress(
  name: string,
  host: string,
  options: { path?: string; secret?: string; service?: string } = {},
): Manifest {
  const { path = '/', secret, service: serviceName = name } = options;
  const backend = { service: { name: serviceName, port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace },
    spec: {
      ingressClassName: 'sallyport',
      rules: [{ host, http: { paths: [{ path, pathType: 'Prefix', backend }] } }],
      ...(secret === undefined ? {} : { tls: [{ hosts: [host], secretName: secret }] }),
    },
  };
}

export function service(name: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80, targetPort: 80 }] },
  };
}

/** One endpoint of a Service: what a slice controller would write. */
export function slice(name: string, address: string, port: number): Manifest {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  };
}

/** A kubernetes.io/tls Secret. Throws when the two do not belong together: then nothing could be measured with it. */
export function tlsSecret(
  name: string,
  pair: { readonly certificate: string; readonly key: string },
): Manifest {
  if (!new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key))) {
    throw new Error('the key does not belong to the certificate');
  }
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': encode(pair.certificate), 'tls.key': encode(pair.key) },
  };
}
