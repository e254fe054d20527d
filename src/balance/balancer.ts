// Choosing one endpoint of an upstream. One file per algorithm. Imports util, table and telemetry only.

/** What a balancer knows of an endpoint. `slot` is its place on the endpoint board (shared memory), -1 when it has none. */
export interface Candidate {
  readonly weight: number;
  readonly slot: number;
}

/**
 * Picks among a fixed list of candidates; a new list makes a new balancer, seeded from the old one where that matters.
 * `pick` allocates nothing.
 */
export interface Balancer<C extends Candidate> {
  readonly candidates: readonly C[];
  /**
   * The endpoint for one try. `tried` holds those that already failed this request: they are taken again only when
   * nothing else is left. Returns undefined only when there are no candidates.
   */
  pick(tried: readonly C[]): C | undefined;
}

/** Makes a balancer of one algorithm. `random` is uniform in [0, 1). */
export type CreateBalancer = <C extends Candidate>(
  candidates: readonly C[],
  board: EndpointBoardView,
  random: () => number,
  previous?: Balancer<C>,
) => Balancer<C>;

/** The part of the endpoint board that balancers read. */
export interface EndpointBoardView {
  /** Requests in flight to the endpoint in this slot, over all workers; 0 for slot -1. */
  inFlight(slot: number): number;
}
