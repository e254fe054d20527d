import type { Forward, Retry, TableUpstream, Timeouts } from './route-table.ts';

// What holds for an exchange: what its route sets, else what its upstream's policy sets, else these defaults, which are
// ingress-nginx's. Merged once for each backend when a table is linked, never while a request waits. Members are written
// out, so that all results have one shape.

const NO_STATUS: readonly number[] = [];

function mergeTimeouts(own: Partial<Timeouts> = {}, policy: Partial<Timeouts> = {}): Timeouts {
  return {
    connectMs: own.connectMs ?? policy.connectMs ?? 5_000,
    sendMs: own.sendMs ?? policy.sendMs ?? 60_000,
    readMs: own.readMs ?? policy.readMs ?? 60_000,
    requestMs: own.requestMs ?? policy.requestMs ?? 0,
  };
}

function mergeRetry(own: Partial<Retry> = {}, policy: Partial<Retry> = {}): Retry {
  return {
    tries: own.tries ?? policy.tries ?? 3,
    onError: own.onError ?? policy.onError ?? true,
    onTimeout: own.onTimeout ?? policy.onTimeout ?? true,
    onStatus: own.onStatus ?? policy.onStatus ?? NO_STATUS,
    nonIdempotent: own.nonIdempotent ?? policy.nonIdempotent ?? false,
    timeoutMs: own.timeoutMs ?? policy.timeoutMs ?? 0,
  };
}

export const defaultTimeouts: Timeouts = mergeTimeouts();

export const defaultRetry: Retry = mergeRetry();

/** All backends for which nothing is set share one object, which stays in cache. */
export function timeoutsOf(
  route: Pick<Forward, 'timeouts'>,
  upstream: Pick<TableUpstream, 'timeouts'>,
): Timeouts {
  if (route.timeouts === undefined && upstream.timeouts === undefined) return defaultTimeouts;
  return mergeTimeouts(route.timeouts, upstream.timeouts);
}

/** As `timeoutsOf`. */
export function retryOf(route: Pick<Forward, 'retry'>, upstream: Pick<TableUpstream, 'retry'>): Retry {
  if (route.retry === undefined && upstream.retry === undefined) return defaultRetry;
  return mergeRetry(route.retry, upstream.retry);
}
