import type { ErrorCodeName } from '../telemetry/error-codes.ts';

/** Errors of libuv's connect() before a connection stood. */
const connectCodes: ReadonlyMap<string, ErrorCodeName> = new Map([
  ['ETIMEDOUT', 'SP_UPSTREAM_CONNECT_TIMEOUT'],
  ['EADDRNOTAVAIL', 'SP_OVERLOADED'],
  ['EMFILE', 'SP_OVERLOADED'],
  ['ENFILE', 'SP_OVERLOADED'],
  ['ENOBUFS', 'SP_OVERLOADED'],
]);

/** The proxy error for a socket error: one place for all of them. Unknown codes count as a refused or reset connection. */
export function socketErrorCode(code: string | undefined, connected: boolean): ErrorCodeName {
  if (connected) return code === 'ETIMEDOUT' ? 'SP_UPSTREAM_TIMEOUT' : 'SP_UPSTREAM_RESET';
  return connectCodes.get(code ?? '') ?? 'SP_UPSTREAM_CONNECT';
}
