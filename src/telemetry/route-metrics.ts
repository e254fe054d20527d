/** Where the data plane counts what one backend of one route did: a row in this worker's shared memory. Allocates nothing. */
export interface RouteMetrics {
  /**
   * One finished exchange. `status` is what the client got (499 when it left first). `upstreamMs` is the time from the
   * start of the last try to its response head, or -1 when no upstream answered. Bytes count bodies only.
   */
  record(
    method: string,
    status: number,
    durationMs: number,
    upstreamMs: number,
    requestBytes: number,
    responseBytes: number,
  ): void;
  retried(): void;
}
