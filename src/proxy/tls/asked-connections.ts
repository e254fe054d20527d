import type { LinkedTable } from '../linked-table.ts';

/** A client's connection that can be led to its end. */
interface Drainable {
  drain(): void;
}

/**
 * Connections whose clients were asked for certificates. When no host has the policy any more that one was held to, it ends
 * as soon as nothing runs on it, so that the client's next request comes with a new handshake instead of being refused (421).
 */
export class AskedConnections {
  /** With the policy of each. */
  readonly #connections = new Map<Drainable, string>();

  add(connection: Drainable, policy: string): void {
    this.#connections.set(connection, policy);
  }

  delete(connection: Drainable): void {
    this.#connections.delete(connection);
  }

  /** `after` is about to serve, or serves since now. */
  swapped(before: LinkedTable, after: LinkedTable): void {
    if (this.#connections.size === 0 || before.clientAuths === after.clientAuths) return;
    const policies = new Set<string>();
    for (const { policy } of after.clientAuths.values()) policies.add(policy);
    for (const [connection, policy] of this.#connections) if (!policies.has(policy)) connection.drain();
  }
}
