import type { BackendPolicy, BackendProtocol } from '../model/backend-policy.ts';
import type { ConnectionLimits, TableUpstream } from '../table/route-table.ts';
import { settingsFromFields } from './forward-settings.ts';
import type { PolicyClaim, UpstreamSettings } from './fragment.ts';
import type { ObjectContext } from './object-context.ts';
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
  return [{ service, rank, object: context.object, field, settings: settingsOf(policy, context) }];
}

const protocols = { HTTP1: 'http1' } as const satisfies Record<BackendProtocol, TableUpstream['protocol']>;

const balances = { RoundRobin: 'round-robin', LeastRequest: 'least-request' } as const;

function settingsOf(policy: BackendPolicy, context: ObjectContext): UpstreamSettings {
  const connections = connectionLimits(policy);
  return {
    protocol: protocols[policy.protocol ?? 'HTTP1'],
    balance: balances[policy.balance ?? 'RoundRobin'],
    ...settingsFromFields(policy, 'spec', context),
    ...(connections === undefined ? {} : { connections }),
  };
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
