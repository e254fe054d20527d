/** What one run of a load generator saw. Times in milliseconds. */
export interface LoadRun {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What failed, in whatever way, or was not answered as it must be. */
  readonly errors: number;
}

/** The value below which this share of the sorted values lies. NaN of nothing. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}
