import type { Field } from './field.ts';
import type {
  Ingress,
  IngressBackend,
  IngressClass,
  IngressPath,
  IngressRule,
  IngressTls,
  ServicePortRef,
} from './ingress.ts';
import type { ObjectMeta } from './object-meta.ts';
import { maxPort } from './decode-port.ts';
import {
  dnsLabel,
  hostPattern,
  normalPath,
  objectName,
  plainText,
  portName,
  rootedPath,
} from './text-checks.ts';

const pathTypes = ['Exact', 'Prefix', 'ImplementationSpecific'] as const;
const controllerPattern = /^[a-z0-9.-]+\/[A-Za-z0-9._~/-]+$/;

/** networking.k8s.io/v1 Ingress, with the checks of the API server's own validation. */
export function decodeIngress(root: Field, meta: ObjectMeta): Ingress {
  const spec = root.get('spec').object();
  if (spec.get('defaultBackend').absent && spec.get('rules').list().length === 0) {
    spec.want("'defaultBackend' or 'rules'");
  }
  return {
    kind: 'Ingress',
    meta,
    ingressClassName: spec.get('ingressClassName').optionalText({ check: objectName }),
    defaultBackend: decodeOptionalBackend(spec.get('defaultBackend')),
    rules: spec.get('rules').list().map(decodeRule),
    tls: spec.get('tls').list().map(decodeTls),
  };
}

/** networking.k8s.io/v1 IngressClass. */
export function decodeIngressClass(root: Field, meta: ObjectMeta): IngressClass {
  const controller = root.get('spec').object().get('controller');
  return {
    kind: 'IngressClass',
    meta,
    controller: controller.text({
      maxLength: 250,
      check: (text) =>
        controllerPattern.test(text)
          ? undefined
          : 'a domain and a path, as in sallyport.dev/ingress-controller',
    }),
    isDefault: meta.annotations.get('ingressclass.kubernetes.io/is-default-class') === 'true',
  };
}

function decodeRule(rule: Field): IngressRule {
  const http = rule.object().get('http').optionalObject();
  return {
    host: rule.get('host').optionalText({ check: hostPattern }) ?? '',
    paths: http?.get('paths').filledList().map(decodePath) ?? [],
  };
}

function decodePath(entry: Field): IngressPath {
  const pathType = entry.object().get('pathType').choice(pathTypes);
  const path = entry.get('path');
  const loose = pathType === 'ImplementationSpecific';
  if (!loose && (path.absent || path.value === '')) path.want("a path that starts with '/'");
  return {
    path: path.optionalText({ check: loose ? rootedPath : normalPath }) ?? '',
    pathType,
    backend: decodeBackend(entry.get('backend')),
  };
}

function decodeOptionalBackend(field: Field): IngressBackend | undefined {
  return field.absent ? undefined : decodeBackend(field);
}

function decodeBackend(field: Field): IngressBackend {
  const resource = field.object().get('resource').optionalObject();
  const service = field.get('service');
  if (resource === undefined) return decodeServiceBackend(service.object());
  if (!service.absent) field.want("one of 'service' and 'resource', not both");
  return {
    kind: 'resource',
    apiGroup: resource.get('apiGroup').optionalText() ?? '',
    resourceKind: resource.get('kind').text({ check: plainText }),
    name: resource.get('name').text({ check: plainText }),
  };
}

function decodeServiceBackend(service: Field): IngressBackend {
  return {
    kind: 'service',
    service: service.get('name').text({ check: dnsLabel }),
    port: decodeBackendPort(service.get('port')),
  };
}

function decodeBackendPort(port: Field): ServicePortRef {
  const name = port.object().get('name').optionalText({ check: portName });
  const number = port.get('number');
  if (name === undefined) return number.integer(1, maxPort);
  if (!number.absent && number.value !== 0) port.want("one of 'name' and 'number', not both");
  return name;
}

function decodeTls(entry: Field): IngressTls {
  return {
    hosts: entry
      .object()
      .get('hosts')
      .list()
      .map((host) => host.text({ check: hostPattern })),
    secretName: entry.get('secretName').optionalText({ check: objectName }),
  };
}
