import { backendProtocols } from './backend-policy.ts';
import type { BackendPolicy, PolicyConnections } from './backend-policy.ts';
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
    .only(['service', 'balance', 'protocol', 'timeouts', 'retries', 'connections']);
  return {
    kind: 'BackendPolicy',
    meta,
    service: spec.get('service').text({ check: dnsLabel }),
    balance: optionalChoice(spec.get('balance'), algorithms),
    protocol: optionalChoice(spec.get('protocol'), backendProtocols),
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
  return field.absent ? undefined : field.integer(min, maxConnectionCount);
}

function optionalChoice<T extends string>(field: Field, choices: readonly T[]): T | undefined {
  return field.absent ? undefined : field.choice(choices);
}
