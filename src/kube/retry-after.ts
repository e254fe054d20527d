/** Longer waits are not believed. */
const longestMs = 5 * 60_000;

/**
 * `Retry-After` (RFC 9110 §10.2.3) as milliseconds from `nowMs` (since the epoch); undefined when it is left out or says
 * neither seconds nor a date.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  // Date.parse takes nearly anything; a date of HTTP begins with the name of a day.
  const date = /^[A-Z][a-z]+,? /.test(text) ? Date.parse(text) : Number.NaN;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : date - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), longestMs);
}
