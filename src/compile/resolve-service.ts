import type { ServicePortRef } from '../model/ingress.ts';
import type { Service, ServicePort } from '../model/service.ts';
import { canonicalExternalName, externalNameFault } from './external-name.ts';
import type { ObjectContext } from './object-context.ts';
import { resolveReference } from './resolve-reference.ts';

/** A reference to a port of a Service, and where in the object it stands. */
export interface ServiceRef {
  readonly namespace: string;
  readonly service: string;
  readonly port: ServicePortRef;
  readonly field: string;
}

/**
 * The id of the upstream behind a reference; every reference to a Service goes through here. Faults are reported to
 * `from`. A Service or port that does not exist yields an upstream that has no endpoints (yet), so its routes answer
 * 503; undefined means that the reference is refused, and its route must fail closed.
 */
export function resolveService(ref: ServiceRef, from: ObjectContext): string | undefined {
  const { namespace, service: name, field } = ref;
  const found = resolveReference({ kind: 'Service', namespace, name, field }, from);
  if (!found.granted) return undefined;
  const { key, object: service } = found;
  if (service === undefined) {
    from.report(
      'SP2101',
      ref.field,
      `Service "${key}" does not exist; it counts as a Service without endpoints`,
    );
    return `${key}:${ref.port}`;
  }
  if (service.type === 'ExternalName') reportExternalName(service, ref, from);
  const port = findPort(service, ref.port);
  if (port !== undefined) return `${key}:${port.port}`;
  if (service.type !== 'ExternalName' || service.ports.length > 0 || typeof ref.port === 'string') {
    const kind = typeof ref.port === 'number' ? 'port' : 'port named';
    from.report(
      'SP2102',
      ref.field,
      `Service "${key}" has no TCP ${kind} ${quotePort(ref.port)}; it counts as a Service without endpoints`,
    );
  }
  return `${key}:${ref.port}`;
}

/** What the certificates of a Service's endpoints are for, where nobody says otherwise. `key` is `namespace/name`. */
export function serverNameOf(key: string, service: Service | undefined): string {
  if (service?.type === 'ExternalName' && service.externalName !== '') {
    return canonicalExternalName(service.externalName);
  }
  const slash = key.indexOf('/');
  return `${key.slice(slash + 1)}.${key.slice(0, slash)}.svc`;
}

/** The Service's port of this number or name. HTTP runs over TCP, so other protocols do not count. */
export function findPort(service: Service, ref: ServicePortRef): ServicePort | undefined {
  return service.ports.find(
    ({ name, port, protocol }) =>
      protocol === 'TCP' && (typeof ref === 'number' ? port === ref : name === ref),
  );
}

function reportExternalName(service: Service, ref: ServiceRef, from: ObjectContext): void {
  const name = `Service "${ref.namespace}/${ref.service}"`;
  if (!from.options.allowExternalName) {
    from.report(
      'SP2103',
      ref.field,
      `${name} is of type ExternalName, which is switched off; it counts as a Service without endpoints`,
    );
    return;
  }
  const fault = externalNameFault(service.externalName);
  if (fault !== undefined) {
    from.report(
      'SP2104',
      ref.field,
      `${name} refers to "${service.externalName}", which ${fault}; it counts as a Service without endpoints`,
    );
  }
}

function quotePort(ref: ServicePortRef): string {
  return typeof ref === 'number' ? String(ref) : `"${ref}"`;
}
