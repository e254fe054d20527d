import type { BackendPolicy, BackendProtocol } from '../model/backend-policy.ts';
import type { ConnectionLimits } from '../table/route-table.ts';
import type { Dialect } from './dialect.ts';
import { settingsFromFields } from './forward-settings.ts';
import type { PolicyClaim } from './fragment.ts';
import { isWatchedNamespace } from './namespace-selection.ts';
import { refOf } from './object-context.ts';
import type { ObjectContext } from './object-context.ts';
import { policyTls } from './policy-tls.ts';
import { objectRank } from './rank.ts';
import { resolveReference } from './resolve-reference.ts';

/** Compiles one BackendPolicy by itself: a claim on its Service, which exists or not. */
export function compilePolicy(policy: BackendPolicy, context: ObjectContext): readonly PolicyClaim[] {
  const field = 'spec.service';
  const { namespace } = context.object;
  const found = resolveReference({ kind: 'Service', namespace, name: policy.service, field }, context);
  // Its own namespace: never refused.
  if (!found.granted) return [];
  const { key: service, object } = found;
  if (object === undefined) {
    context.report(
      'SP2101',
      field,
      `Service "${service}" does not exist, so the policy has nothing to hold for`,
    );
  }
  const rank = objectRank(context.object, policy.meta);
  return [{ service, rank, object: context.object, field, ...readSettings(policy, context) }];
}

/** The policy that holds for a Service, named `namespace/name`, as the Service's upstreams have it. */
export function policyFor(service: string, context: ObjectContext): PolicyClaim | undefined {
  const [first] = context
    .policies(service)
    .map((policy) => ({ policy, about: context.about(refOf(policy)) }))
    .filter(({ about }) => isWatchedNamespace(about))
    .map(({ policy, about }) => ({ policy, about, rank: objectRank(about.object, policy.meta) }))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
  return first && compilePolicy(first.policy, first.about)[0];
}

const protocols = {
  HTTP1: { protocol: 'http1' },
  HTTP2: { protocol: 'http2' },
  GRPC: { protocol: 'http2', grpc: true },
  Auto: { protocol: 'auto' },
} as const satisfies Record<BackendProtocol, Omit<Dialect, 'tls'>>;

const balances = { RoundRobin: 'round-robin', LeastRequest: 'least-request' } as const;

function readSettings(
  policy: BackendPolicy,
  context: ObjectContext,
): Pick<PolicyClaim, 'settings' | 'sets' | 'closed'> {
  const connections = connectionLimits(policy);
  const tls = policy.tls && policyTls(policy.tls, policy.service, context);
  const settings = {
    ...protocols[policy.protocol ?? 'HTTP1'],
    ...(tls === undefined || tls === 'closed' ? {} : { tls }),
    ...(policy.proxyProtocol === undefined ? {} : { proxyProtocol: 'v2' as const }),
    balance: balances[policy.balance ?? 'RoundRobin'],
    ...settingsFromFields(policy, 'spec', context),
    ...(connections === undefined ? {} : { connections }),
  };
  const sets = { protocol: policy.protocol !== undefined, tls: policy.tls !== undefined };
  return { settings, sets, closed: tls === 'closed' };
}

function connectionLimits({ connections }: BackendPolicy): ConnectionLimits | undefined {
  if (connections === undefined) return undefined;
  const { maxRequests, maxIdle, idleTimeoutMs, maxLifetimeMs, maxRequestsPerConnection } = connections;
  return {
    ...(maxRequests === undefined ? {} : { maxRequests }),
    ...(maxIdle === undefined ? {} : { maxIdle }),
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    ...(maxLifetimeMs === undefined ? {} : { maxLifetimeMs }),
    ...(maxRequestsPerConnection === undefined ? {} : { maxRequestsPerConnection }),
  };
}
