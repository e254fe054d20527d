import { quote } from '../filters/value-reader.ts';
import type { RouteRetries, RouteTimeouts } from '../model/route.ts';
import type { Retry, Timeouts } from '../table/route-table.ts';
import { MOST_TRIES, RETRY_WORDS } from './annotation-docs.ts';
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

const retryWords: ReadonlySet<string> = new Set(RETRY_WORDS);

/** `proxy-*-timeout`: whole seconds without a unit. */
export function timeoutsFromAnnotations(reader: AnnotationReader): Timeouts {
  return sharedTimeouts({
    connectMs: reader.integer('proxy-connect-timeout') * 1_000,
    sendMs: reader.integer('proxy-send-timeout') * 1_000,
    readMs: reader.integer('proxy-read-timeout') * 1_000,
    requestMs: 0,
  });
}

/** `proxy-next-upstream` and its two companions. */
export function retryFromAnnotations(reader: AnnotationReader): Retry {
  const tries = reader.integer('proxy-next-upstream-tries');
  const timeoutMs = reader.integer('proxy-next-upstream-timeout') * 1_000;
  const words = reader.words('proxy-next-upstream');
  const limits = { tries: tries === 0 ? MOST_TRIES : tries, timeoutMs };
  if (words.length === 0) return defaultRetryWithin(limits);
  return retryOn(words, limits);
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

const WANTED_WORDS = `want one of ${RETRY_WORDS.join(', ')}`;

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
  unknown: (word: string) => void = () => undefined,
): Retry {
  const statuses = new Set<number>();
  const named = new Set(words);
  for (const word of named) {
    const status = /^http_(\d{3})$/.exec(word)?.[1];
    if (!retryWords.has(word)) unknown(word);
    else if (status !== undefined) statuses.add(Number(status));
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
