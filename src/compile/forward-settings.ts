import { quote } from '../filters/value-reader.ts';
import type { RouteRetries, RouteTimeouts } from '../model/route.ts';
import type { Retry, Timeouts } from '../table/route-table.ts';
import type { AnnotationReader } from './annotation-reader.ts';
import type { ObjectContext } from './object-context.ts';

// Timeouts and retries of a route: from annotations, or from a Route's fields. The defaults are ingress-nginx's.

export const defaultTimeouts: Timeouts = { connectMs: 5_000, sendMs: 60_000, readMs: 60_000, requestMs: 0 };

export const defaultRetry: Retry = {
  tries: 3,
  onError: true,
  onTimeout: true,
  onStatus: [],
  nonIdempotent: false,
  timeoutMs: 0,
};

/** Longest delay that a timer takes. */
const MAX_SECONDS = Math.floor((2 ** 31 - 1) / 1_000);
/** Stands for nginx's 0, which means as many tries as there are servers. */
const MOST_TRIES = 32;
const STATUSES = new Set([403, 404, 429, 500, 502, 503, 504]);

/** `proxy-*-timeout`: whole seconds without a unit. */
export function timeoutsFromAnnotations(reader: AnnotationReader): Timeouts {
  const bounds = { min: 1, max: MAX_SECONDS };
  return sharedTimeouts({
    connectMs: reader.integer('proxy-connect-timeout', 5, bounds) * 1_000,
    sendMs: reader.integer('proxy-send-timeout', 60, bounds) * 1_000,
    readMs: reader.integer('proxy-read-timeout', 60, bounds) * 1_000,
    requestMs: 0,
  });
}

/** `proxy-next-upstream` and its two companions. */
export function retryFromAnnotations(reader: AnnotationReader, context: ObjectContext): Retry {
  const tries = reader.integer('proxy-next-upstream-tries', defaultRetry.tries, { min: 0, max: MOST_TRIES });
  const timeoutMs = reader.integer('proxy-next-upstream-timeout', 0, { min: 0, max: MAX_SECONDS }) * 1_000;
  const words = (reader.get('proxy-next-upstream') ?? '').split(/\s+/).filter((word) => word !== '');
  const limits = { tries: tries === 0 ? MOST_TRIES : tries, timeoutMs };
  if (words.length === 0) return defaultRetryWithin(limits);
  return retryOn(words, limits, (word) => {
    context.report(
      'SP4252',
      reader.path('proxy-next-upstream'),
      `Leaving out ${quote(word)}, ${WANTED_WORDS}`,
    );
  });
}

export function timeoutsFromRoute(timeouts: RouteTimeouts | undefined): Timeouts {
  return sharedTimeouts({
    connectMs: timeouts?.connectMs ?? defaultTimeouts.connectMs,
    sendMs: timeouts?.sendMs ?? defaultTimeouts.sendMs,
    readMs: timeouts?.readMs ?? defaultTimeouts.readMs,
    requestMs: timeouts?.requestMs ?? defaultTimeouts.requestMs,
  });
}

export function retryFromRoute(
  retries: RouteRetries | undefined,
  field: string,
  context: ObjectContext,
): Retry {
  const limits = {
    tries: retries?.tries ?? defaultRetry.tries,
    timeoutMs: retries?.timeoutMs ?? defaultRetry.timeoutMs,
  };
  if (retries?.retryOn === undefined) return defaultRetryWithin(limits);
  return retryOn(retries.retryOn, limits, (word) => {
    context.report('SP4301', `${field}.retryOn`, `Leaving out ${quote(word)}, ${WANTED_WORDS}`);
  });
}

const WANTED_WORDS =
  'want error, timeout, non_idempotent, off or http_ with 403, 404, 429, 500, 502, 503 or 504';

/** Routes that ask for the defaults share one object, here and (by structured clone) in workers, where it stays in cache. */
function sharedTimeouts(timeouts: Timeouts): Timeouts {
  const { connectMs, sendMs, readMs, requestMs } = defaultTimeouts;
  const isDefault =
    timeouts.connectMs === connectMs &&
    timeouts.sendMs === sendMs &&
    timeouts.readMs === readMs &&
    timeouts.requestMs === requestMs;
  return isDefault ? defaultTimeouts : timeouts;
}

function defaultRetryWithin(limits: Pick<Retry, 'tries' | 'timeoutMs'>): Retry {
  const isDefault = limits.tries === defaultRetry.tries && limits.timeoutMs === defaultRetry.timeoutMs;
  return isDefault ? defaultRetry : { ...defaultRetry, ...limits };
}

/** The words of nginx's proxy_next_upstream. `off` beats all others. */
function retryOn(
  words: readonly string[],
  limits: Pick<Retry, 'tries' | 'timeoutMs'>,
  unknown: (word: string) => void,
): Retry {
  const statuses = new Set<number>();
  const named = new Set(words);
  for (const word of named) {
    if (word === 'error' || word === 'timeout' || word === 'non_idempotent' || word === 'off') continue;
    const status = /^http_(\d{3})$/.exec(word)?.[1];
    if (status !== undefined && STATUSES.has(Number(status))) statuses.add(Number(status));
    else unknown(word);
  }
  const off = named.has('off');
  return {
    tries: off ? 1 : limits.tries,
    onError: !off && named.has('error'),
    onTimeout: !off && named.has('timeout'),
    onStatus: off ? [] : [...statuses].toSorted((a, b) => a - b),
    nonIdempotent: !off && named.has('non_idempotent'),
    timeoutMs: limits.timeoutMs,
  };
}
