import { quote } from '../filters/value-reader.ts';
import type { RouteRetries, RouteTimeouts } from '../model/route.ts';
import type { Forward, Retry, Timeouts } from '../table/route-table.ts';
import { MOST_TRIES, RETRY_WORDS } from './annotation-docs.ts';
import type { AnnotationReader } from './annotation-reader.ts';
import type { ObjectContext } from './object-context.ts';

// Timeouts and retries: from annotations, from a Route's fields or a BackendPolicy's. Only what is set there; defaults
// come in when a table is linked (table/exchange-defaults.ts).

/** What an object sets for its exchanges; a member is absent when it sets nothing of it. */
export type ExchangeSettings = Pick<Forward, 'timeouts' | 'retry'>;

const retryWords: ReadonlySet<string> = new Set(RETRY_WORDS);

/** `proxy-*-timeout`, whole seconds without a unit, and `proxy-next-upstream` with its two companions. */
export function settingsFromAnnotations(reader: AnnotationReader): ExchangeSettings {
  const tries = reader.optionalInteger('proxy-next-upstream-tries');
  const words = reader.words('proxy-next-upstream');
  return settings(
    {
      connectMs: inMs(reader.optionalInteger('proxy-connect-timeout')),
      sendMs: inMs(reader.optionalInteger('proxy-send-timeout')),
      readMs: inMs(reader.optionalInteger('proxy-read-timeout')),
    },
    {
      tries: tries === 0 ? MOST_TRIES : tries,
      ...(words.length === 0 ? {} : retryOn(words)),
      timeoutMs: inMs(reader.optionalInteger('proxy-next-upstream-timeout')),
    },
  );
}

/** Of a Route's rule or a BackendPolicy; `field` is the path of what has both members. */
export function settingsFromFields(
  given: { readonly timeouts: RouteTimeouts | undefined; readonly retries: RouteRetries | undefined },
  field: string,
  context: ObjectContext,
): ExchangeSettings {
  const { timeouts, retries } = given;
  return settings(
    {
      connectMs: timeouts?.connectMs,
      sendMs: timeouts?.sendMs,
      readMs: timeouts?.readMs,
      requestMs: timeouts?.requestMs,
    },
    {
      tries: retries?.tries,
      ...(retries?.retryOn === undefined
        ? {}
        : retryOn(retries.retryOn, (word) => {
            const message = `Leaving out ${quote(word)}, want one of ${RETRY_WORDS.join(', ')}`;
            context.report('SP4301', `${field}.retries.retryOn`, message);
          })),
      timeoutMs: retries?.timeoutMs,
    },
  );
}

type Unset<T> = { readonly [K in keyof T]?: T[K] | undefined };

function settings(timeouts: Unset<Timeouts>, retry: Unset<Retry>): ExchangeSettings {
  const [setTimeouts, setRetry] = [onlySet(timeouts), onlySet(retry)];
  return {
    ...(setTimeouts === undefined ? {} : { timeouts: setTimeouts }),
    ...(setRetry === undefined ? {} : { retry: setRetry }),
  };
}

/** Undefined when nothing is set. Members keep their order, on which digests rest. */
function onlySet<T extends object>(members: Unset<T>): Partial<T> | undefined {
  const set = Object.entries(members).filter(([, value]) => value !== undefined);
  return set.length === 0 ? undefined : (Object.fromEntries(set) as Partial<T>);
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1_000;
}

/** The words of nginx's proxy_next_upstream. `off` beats all others, and any number of tries. */
function retryOn(
  words: readonly string[],
  unknown: (word: string) => void = () => undefined,
): Partial<Retry> {
  const statuses = new Set<number>();
  const named = new Set(words);
  for (const word of named) {
    const status = /^http_(\d{3})$/.exec(word)?.[1];
    if (!retryWords.has(word)) unknown(word);
    else if (status !== undefined) statuses.add(Number(status));
  }
  const off = named.has('off');
  return {
    ...(off ? { tries: 1 } : {}),
    onError: !off && named.has('error'),
    onTimeout: !off && named.has('timeout'),
    onStatus: off ? [] : [...statuses].toSorted((a, b) => a - b),
    nonIdempotent: !off && named.has('non_idempotent'),
  };
}
