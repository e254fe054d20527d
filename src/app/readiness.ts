/** Whoever reaches the port can read it, and there may be thousands. */
const mostNamed = 5;

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

  /** The state, with what a start is still waiting for as the reason. */
  stateWhile(waitingFor: readonly string[]): Readiness['state'] {
    const { state } = this;
    if (state.ready || this.#draining || waitingFor.length === 0) return state;
    const more = waitingFor.length - mostNamed;
    const named = waitingFor.slice(0, mostNamed).join(', ');
    return { ready: false, reason: `not read yet: ${named}${more > 0 ? ` and ${more} more` : ''}` };
  }

  /** A complete table is live in every worker. */
  live(): void {
    this.#live = true;
  }

  drain(): void {
    this.#draining = true;
  }
}
