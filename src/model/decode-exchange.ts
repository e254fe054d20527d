import type { Field } from './field.ts';
import type { RouteRetries, RouteTimeouts } from './route.ts';
import { duration, parseDurationMs } from './text-checks.ts';

/** What may be tried again, in the words of nginx's proxy_next_upstream. */
export const retryCauses = [
  'error',
  'timeout',
  'http_403',
  'http_404',
  'http_429',
  'http_500',
  'http_502',
  'http_503',
  'http_504',
  'non_idempotent',
] as const;

const maxTries = 100;
const maxEntries = 16;

/** `timeouts` of a Route's rule and of a BackendPolicy. */
export function decodeTimeouts(timeouts: Field): RouteTimeouts | undefined {
  if (timeouts.absent) return undefined;
  timeouts.object().only(['connect', 'send', 'read', 'request']);
  return {
    connectMs: positive(timeouts.get('connect')),
    sendMs: positive(timeouts.get('send')),
    readMs: positive(timeouts.get('read')),
    requestMs: milliseconds(timeouts.get('request')),
  };
}

/** `retries` of both. */
export function decodeRetries(retries: Field): RouteRetries | undefined {
  if (retries.absent) return undefined;
  const tries = retries.object().only(['tries', 'retryOn', 'timeout']).get('tries');
  const retryOn = retries.get('retryOn');
  return {
    tries: tries.absent ? undefined : tries.integer(1, maxTries),
    retryOn: retryOn.absent ? undefined : retryOn.list(maxEntries).map((cause) => cause.choice(retryCauses)),
    timeoutMs: milliseconds(retries.get('timeout')),
  };
}

function milliseconds(field: Field): number | undefined {
  const text = field.optionalText({ check: duration });
  return text === undefined ? undefined : parseDurationMs(text);
}

/** Milliseconds of a duration above 0; undefined when left out. */
export function positive(field: Field): number | undefined {
  const value = milliseconds(field);
  if (value === 0 && duration(String(field.value)) === undefined) field.want('a duration above 0');
  return value;
}
