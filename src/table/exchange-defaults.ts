import type { Forward, Retry, TableUpstream, Timeouts } from './route-table.ts';

// What holds for an exchange: what its route sets, else what its upstream's policy sets, else these defaults, which are
// ingress-nginx's. Merged once for each backend when a table is linked, never while a request waits.

export const defaultTimeouts: Timeouts = Object.freeze({
  connectMs: 5_000,
  sendMs: 60_000,
  readMs: 60_000,
  requestMs: 0,
});

export const defaultRetry: Retry = Object.freeze({
  tries: 3,
  onError: true,
  onTimeout: true,
  onStatus: [],
  nonIdempotent: false,
  timeoutMs: 0,
});

/** All backends for which nothing is set share one object, which stays in cache. */
export function timeoutsOf(
  { timeouts: own }: Pick<Forward, 'timeouts'>,
  { timeouts: policy }: Pick<TableUpstream, 'timeouts'>,
): Timeouts {
  return own === undefined && policy === undefined
    ? defaultTimeouts
    : { ...defaultTimeouts, ...policy, ...own };
}

/** As `timeoutsOf`. */
export function retryOf(
  { retry: own }: Pick<Forward, 'retry'>,
  { retry: policy }: Pick<TableUpstream, 'retry'>,
): Retry {
  return own === undefined && policy === undefined ? defaultRetry : { ...defaultRetry, ...policy, ...own };
}
