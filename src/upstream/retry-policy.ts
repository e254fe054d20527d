import type { Retry } from '../table/route-table.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';

/** What is known when a try has failed before a byte of its response reached the client. */
export interface FailedTry {
  readonly method: string;
  /** Why it failed; undefined when the upstream answered with a status worth a retry. */
  readonly code: ErrorCodeName | undefined;
  /** Whether the connection stood and the request head may have left. */
  readonly sent: boolean;
  /** A reused connection closed before the first byte of a response. */
  readonly stale: boolean;
  /** Body bytes handed to the upstream in this try. */
  readonly bodyBytesSent: number;
  /** Whether all body bytes taken from the client so far can be sent again. */
  readonly replayable: boolean;
  /** Tries made, this one included. */
  readonly tries: number;
  /** Milliseconds since the first try began. */
  readonly elapsedMs: number;
}

/** Methods that a second execution could harm (as nginx: everything else counts as idempotent; RFC 9110 §9.2.2). */
const unsafe: ReadonlySet<string> = new Set(['POST', 'LOCK', 'PATCH']);

const timeoutCodes: ReadonlySet<ErrorCodeName | undefined> = new Set<ErrorCodeName>([
  'SP_UPSTREAM_TIMEOUT',
  'SP_UPSTREAM_CONNECT_TIMEOUT',
]);
const connectionCodes: ReadonlySet<ErrorCodeName | undefined> = new Set<ErrorCodeName>([
  'SP_UPSTREAM_CONNECT',
  'SP_UPSTREAM_RESET',
  'SP_UPSTREAM_TLS',
]);

/** Whether a failed try may be followed by another one, by the route's policy and RFC 9110 §9.2.2. */
export function mayRetry(retry: Retry, failed: FailedTry): boolean {
  if (!failed.replayable) return false;
  if (retry.timeoutMs > 0 && failed.elapsedMs >= retry.timeoutMs) return false;
  const harmless = retry.nonIdempotent || !unsafe.has(failed.method);
  // A stale pooled connection says nothing about the endpoint: one fresh try is owed beyond the policy's count.
  if (failed.stale) return (harmless || failed.bodyBytesSent === 0) && failed.tries <= retry.tries;
  if (failed.tries >= retry.tries) return false;
  if (failed.code === undefined) return harmless;
  if (timeoutCodes.has(failed.code)) return retry.onTimeout && (!failed.sent || harmless);
  if (connectionCodes.has(failed.code)) return retry.onError && (!failed.sent || harmless);
  return false;
}
