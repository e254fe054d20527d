/** Whether traffic should be sent here. Once ready, only shutdown ends it: a worker that is being replaced does not. */
export class Readiness {
  #live = false;
  #draining = false;

  get state(): { readonly ready: boolean; readonly reason: string } {
    if (this.#draining) return { ready: false, reason: 'shutting down' };
    return this.#live
      ? { ready: true, reason: 'serving' }
      : { ready: false, reason: 'the first table is not live in every worker yet' };
  }

  /** A complete table is live in every worker. */
  live(): void {
    this.#live = true;
  }

  drain(): void {
    this.#draining = true;
  }
}
