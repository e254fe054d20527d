import { backendProtocols } from './backend-policy.ts';
import type { BackendPolicy, PolicyConnections } from './backend-policy.ts';
import { decodeBackendTls } from './decode-backend-tls.ts';
import { decodeRetries, decodeTimeouts, positive } from './decode-exchange.ts';
import type { Field } from './field.ts';
import type { ObjectMeta } from './object-meta.ts';
import { dnsLabel } from './text-checks.ts';

const algorithms = ['RoundRobin', 'LeastRequest'] as const;

/** The bounds of the CRD schema (backend-policy-schema.ts). */
export const maxConnectionCount = 1_000_000;

/** sallyport.dev/v1alpha1 BackendPolicy. Unknown fields are faults, as in a Route. */
export function decodeBackendPolicy(root: Field, meta: ObjectMeta): BackendPolicy {
  root.only(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  const spec = root
    .get('spec')
    .object()
    .only(['service', 'balance', 'protocol', 'tls', 'proxyProtocol', 'timeouts', 'retries', 'connections']);
  const protocol = spec.get('protocol').optionalChoice(backendProtocols);
  const tls = decodeBackendTls(spec.get('tls'));
  if (protocol === 'Auto' && tls === undefined) {
    spec
      .get('tls')
      .fault('Got nothing, want tls beside protocol Auto: the protocol is chosen in its handshake');
  }
  return {
    kind: 'BackendPolicy',
    meta,
    service: spec.get('service').text({ check: dnsLabel }),
    balance: spec.get('balance').optionalChoice(algorithms),
    protocol,
    tls,
    proxyProtocol: spec.get('proxyProtocol').optionalChoice(['V2']),
    timeouts: decodeTimeouts(spec.get('timeouts')),
    retries: decodeRetries(spec.get('retries')),
    connections: decodeConnections(spec.get('connections')),
  };
}

function decodeConnections(field: Field): PolicyConnections | undefined {
  if (field.absent) return undefined;
  field.object().only(['maxRequests', 'maxIdle', 'idleTimeout', 'maxLifetime', 'maxRequestsPerConnection']);
  const idleTimeout = field.get('idleTimeout');
  const connections = {
    maxRequests: count(field.get('maxRequests'), 1),
    maxIdle: count(field.get('maxIdle'), 0),
    idleTimeoutMs: positive(idleTimeout),
    maxLifetimeMs: positive(field.get('maxLifetime')),
    maxRequestsPerConnection: count(field.get('maxRequestsPerConnection'), 1),
  };
  if ((connections.idleTimeoutMs ?? 0) > (connections.maxLifetimeMs ?? Infinity)) {
    idleTimeout.want('a duration of at most maxLifetime');
  }
  return connections;
}

function count(field: Field, min: number): number | undefined {
  return field.optionalInteger(min, maxConnectionCount);
}
