import { endpointKey } from '../table/endpoint-key.ts';
import type { RouteTable, TableUpstream } from '../table/route-table.ts';
import { splitUpstreamId } from '../table/upstream-id.ts';

/** One row of the list of upstreams, with every setting that the table has of it. */
export interface BackendEntry extends TableUpstream {
  readonly namespace: string;
  readonly service: string;
  /** As the Service numbers it; as the reference spells it when the Service has no such port. */
  readonly port: string;
  /** In what other way than the Service's policy says it is spoken to; '' for the policy's own. */
  readonly variant: string;
  /** How many routes lead there. */
  readonly routes: number;
  readonly endpoints: readonly BackendEndpoint[];
}

export interface BackendEndpoint {
  /** `address:port`. */
  readonly endpoint: string;
  readonly weight: number;
  /** Requests in flight to it from all workers of this process, whichever upstream they came by; only a running process knows. */
  readonly inFlight?: number;
}

/** Every upstream of the table, by namespace, Service and port. `inFlight` answers for `address:port`; undefined where it is not counted. */
export function listBackends(
  table: RouteTable,
  inFlight: (endpoint: string) => number | undefined = () => undefined,
): readonly BackendEntry[] {
  const uses = countUses(table);
  return [...table.upstreams.values()]
    .map((upstream) => ({ ...splitId(upstream.id), ...upstream }))
    .toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
    .map((upstream) => ({
      ...upstream,
      routes: uses.get(upstream.id) ?? 0,
      endpoints: (table.endpoints.get(upstream.id)?.endpoints ?? []).map((endpoint) => {
        const key = endpointKey(endpoint);
        const count = inFlight(key);
        return {
          endpoint: key,
          weight: endpoint.weight,
          ...(count === undefined ? {} : { inFlight: count }),
        };
      }),
    }));
}

function countUses({ routes }: RouteTable): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const { action } of routes.values()) {
    if (action.kind !== 'forward') continue;
    const upstreams = new Set(action.forward.backends.map(({ upstream }) => upstream));
    for (const id of upstreams) uses.set(id, (uses.get(id) ?? 0) + 1);
  }
  return uses;
}

/** A space sorts below what names may hold. */
function placeOf({
  namespace,
  service,
  port,
  variant,
}: Pick<BackendEntry, 'namespace' | 'service' | 'port' | 'variant'>): string {
  return `${namespace} ${service} ${port.padStart(5, '0')} ${variant}`;
}

function splitId(id: string): Pick<BackendEntry, 'namespace' | 'service' | 'port' | 'variant'> {
  const { service: key, port, variant } = splitUpstreamId(id);
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), service: key.slice(slash + 1), port, variant };
}
