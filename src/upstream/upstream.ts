import { participants } from '../balance/candidate-weights.ts';
import type { Balancer } from '../balance/balancer.ts';
import { balancers } from '../balance/registry.ts';
import { endpointKey } from '../table/endpoint-key.ts';
import type { ConnectionLimits, EndpointSet, TableUpstream, UpstreamProtocol } from '../table/route-table.ts';
import { EndpointPool } from './endpoint-pool.ts';
import { tlsClientOf } from './tls-client.ts';
import type { UpstreamRefs } from './tls-client.ts';
import type { PoolContext, PoolLimits, UpstreamContext, UpstreamLimits } from './upstream-context.ts';

/** An upstream of the linked table: its endpoints and the balancer over them. Outlives tables; endpoints come and go in place. */
export class Upstream {
  readonly id: string;
  readonly protocol: UpstreamProtocol;
  /** Its requests are gRPC. */
  readonly grpc: boolean;
  readonly #context: PoolContext;
  readonly #create: (typeof balancers)[keyof typeof balancers];
  #pools = new Map<string, EndpointPool>();
  #balancer: Balancer<EndpointPool>;

  constructor(upstream: TableUpstream, refs: UpstreamRefs, context: UpstreamContext) {
    this.id = upstream.id;
    this.protocol = upstream.protocol;
    this.grpc = upstream.grpc === true;
    this.#context = {
      ...context,
      limits: limitsOf(context.settings.upstream, upstream.connections),
      protocol: upstream.protocol,
      tls: tlsClientOf(upstream, refs),
      proxyProtocol: upstream.proxyProtocol !== undefined,
    };
    this.#create = balancers[upstream.balance];
    this.#balancer = this.#create([], context.board, context.random);
  }

  /** Why nothing may be sent to any endpoint; undefined when all is well. */
  get fault(): string | undefined {
    return this.#context.tls?.fault;
  }

  get endpointCount(): number {
    return this.#balancer.candidates.length;
  }

  /**
   * The endpoint for one try, its request counted: `acquire` must follow. Undefined when there is no endpoint at all, or
   * when all have as many requests as they may.
   */
  pick(tried: readonly EndpointPool[]): EndpointPool | undefined {
    const pool = this.#balancer.pick(tried);
    return pool === undefined || pool.reserve() ? pool : this.#pickWithRoom(tried);
  }

  update(set: EndpointSet, slots: ReadonlyMap<string, number>): void {
    const before = this.#pools;
    const after = new Map<string, EndpointPool>();
    for (const endpoint of set.endpoints) {
      const key = endpointKey(endpoint);
      const slot = slots.get(key) ?? -1;
      const known = before.get(key);
      if (known === undefined) {
        after.set(key, new EndpointPool(endpoint, key, slot, this.#context));
        continue;
      }
      known.weight = endpoint.weight;
      known.slot = slot;
      after.set(key, known);
    }
    for (const [key, pool] of before) {
      if (!after.has(key)) pool.retire();
    }
    this.#pools = after;
    this.#balancer = this.#create(
      [...after.values()],
      this.#context.board,
      this.#context.random,
      this.#balancer,
    );
  }

  /** When the balancer's choice is at its limit: any other with room, from a random start; of those tried only the last resort. */
  #pickWithRoom(tried: readonly EndpointPool[]): EndpointPool | undefined {
    const pools = participants(this.#balancer.candidates);
    const offset = Math.floor(this.#context.random() * pools.length);
    const again: EndpointPool[] = [];
    for (let step = 0; step < pools.length; step++) {
      const pool = pools[(offset + step) % pools.length] as EndpointPool;
      if (tried.includes(pool)) again.push(pool);
      else if (pool.reserve()) return pool;
    }
    return again.find((pool) => pool.reserve());
  }

  retire(): void {
    for (const pool of this.#pools.values()) pool.retire();
  }
}

/** One shape for every upstream, whether it has a policy or not. */
function limitsOf(defaults: PoolLimits, policy: ConnectionLimits = {}): UpstreamLimits {
  return {
    maxRequests: policy.maxRequests ?? 0,
    maxIdle: policy.maxIdle ?? defaults.maxIdle,
    idleTimeoutMs: policy.idleTimeoutMs ?? defaults.idleTimeoutMs,
    maxLifetimeMs: policy.maxLifetimeMs ?? defaults.maxLifetimeMs,
    maxRequestsPerConnection: policy.maxRequestsPerConnection ?? defaults.maxRequestsPerConnection,
  };
}
