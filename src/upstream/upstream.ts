import type { Balancer } from '../balance/balancer.ts';
import { balancers } from '../balance/registry.ts';
import { endpointKey } from '../table/endpoint-key.ts';
import type { EndpointSet, TableUpstream } from '../table/route-table.ts';
import { EndpointPool } from './endpoint-pool.ts';
import type { UpstreamContext } from './upstream-context.ts';

/** An upstream of the linked table: its endpoints and the balancer over them. Outlives tables; endpoints come and go in place. */
export class Upstream {
  readonly id: string;
  readonly #context: UpstreamContext;
  readonly #create: (typeof balancers)[keyof typeof balancers];
  #pools = new Map<string, EndpointPool>();
  #balancer: Balancer<EndpointPool>;

  constructor(upstream: TableUpstream, context: UpstreamContext) {
    this.id = upstream.id;
    this.#context = context;
    this.#create = balancers[upstream.balance];
    this.#balancer = this.#create([], context.board, context.random);
  }

  get endpointCount(): number {
    return this.#balancer.candidates.length;
  }

  /** The endpoint for one try; undefined when there is none at all. */
  pick(tried: readonly EndpointPool[]): EndpointPool | undefined {
    return this.#balancer.pick(tried);
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

  retire(): void {
    for (const pool of this.#pools.values()) pool.retire();
  }
}
