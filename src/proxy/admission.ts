import type { RequestHead } from '../http1/message-head.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import { normalizeTarget } from './normalise.ts';
import type { ProxyRequest } from './proxy-request.ts';
import type { ProxySettings } from './proxy-settings.ts';

/**
 * Everything that can be wrong with a request before it is anybody's. Fills in host, port, authority, path and query;
 * `OPTIONS *` keeps the path `/`. Comes before fields are taken off the head.
 */
export function admit(
  head: RequestHead,
  request: ProxyRequest,
  settings: ProxySettings,
): ErrorCodeName | undefined {
  if (head.method === 'CONNECT' || head.method === 'TRACE') return 'SP_METHOD_NOT_ALLOWED';
  if (head.targetScheme !== '' && head.targetScheme !== request.transport) return 'SP_BAD_REQUEST';
  if (!isHostless(head) && !request.lastAuthority.read(head.authority, request)) return 'SP_BAD_HOST';
  if (head.pathAndQuery === '*') return undefined;
  if (!normalizeTarget(head.pathAndQuery, request, settings.allowEncodedSlashes)) return 'SP_BAD_PATH';
  const { maxRequestBodyBytes } = settings;
  return maxRequestBodyBytes > 0 && head.contentLength > maxRequestBodyBytes
    ? 'SP_BODY_TOO_LARGE'
    : undefined;
}

/** HTTP/1.0 knows no Host: without one, only routes for every host can serve. */
function isHostless(head: RequestHead): boolean {
  return head.minor === 0 && head.authority === '' && !head.headers.has('host');
}
