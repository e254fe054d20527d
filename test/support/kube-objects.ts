import type { Secret } from '../../src/model/core-objects.ts';
import type { Ingress } from '../../src/model/ingress.ts';
import type { ObjectMeta } from '../../src/model/object-meta.ts';
import type { Service } from '../../src/model/service.ts';

/** `namespace/name` and a version as an API server would give them. */
export function objectMeta(key: string, version = 1, changes: Partial<ObjectMeta> = {}): ObjectMeta {
  const [namespace = '', name = ''] = key.includes('/') ? key.split('/') : ['', key];
  return {
    name,
    namespace,
    uid: `uid-${key}`,
    resourceVersion: String(version),
    generation: version,
    createdAtMs: 0,
    annotations: new Map(),
    labels: new Map(),
    ...changes,
  };
}

export function service(key: string, version = 1): Service {
  return {
    kind: 'Service',
    meta: objectMeta(key, version),
    type: 'ClusterIP',
    clusterIP: '',
    externalName: '',
    ports: [{ name: '', port: 80, protocol: 'TCP', appProtocol: undefined, targetPort: undefined }],
  };
}

export function ingress(key: string, version = 1): Ingress {
  return {
    kind: 'Ingress',
    meta: objectMeta(key, version),
    ingressClassName: 'sallyport',
    defaultBackend: undefined,
    rules: [],
    tls: [],
  };
}

export function secret(key: string, version = 1): Secret {
  return {
    kind: 'Secret',
    meta: objectMeta(key, version),
    type: 'kubernetes.io/tls',
    data: new Map([['tls.crt', Buffer.from(`certificate ${version}`)]]),
  };
}
