/** What the steady client counted since the last time it was asked. */
export interface SteadyCount {
  readonly requests: number;
  /** Answers other than 200, and requests that were never answered. */
  readonly failed: number;
  /** Connections that the proxy closed without saying so in the answer before. */
  readonly closed: number;
  /** Connections closed after an answer with `Connection: close`. */
  readonly announced: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}
