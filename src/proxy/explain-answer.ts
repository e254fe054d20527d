import { statusText } from '../http1/status-text.ts';
import type { ClientAuth, TableRoute } from '../table/route-table.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import { isForChallenges } from './client-certificate.ts';
import { explainFilters } from './explain-filters.ts';
import type { FilterAnswer } from './explain-filters.ts';
import type { ExplainedForward } from './explain-forward.ts';
import type { ReadRequest } from './explain-request.ts';

/**
 * What comes of the request: sent on, answered by a filter of the route (or by nothing else, where it has no backends), or
 * answered here with an error code. Filters are run as they would be, but for those that would have to wait for somebody.
 */
export type Answer =
  | { readonly kind: 'forward' }
  | { readonly kind: 'filters'; readonly reason: string }
  | { readonly kind: 'respond'; readonly code: string; readonly reason: string };

/** What is answered before the filters of a route are asked; the order is that of Exchange. */
export function answerToClient(
  { request }: ReadRequest,
  route: TableRoute | undefined,
  clientCertificates: ClientAuth['mode'] | undefined,
): Answer | undefined {
  if (clientCertificates === undefined) return undefined;
  if (request.scheme === 'https') {
    if (clientCertificates !== 'closed') return undefined;
    return respond('SP_CLIENT_AUTH_CLOSED', 'what certificates of clients are checked by cannot be had');
  }
  if (route === undefined || isForChallenges(route.path)) return undefined;
  const { answer } = explainFilters(route, request, { plainOnly: true });
  if (answer !== undefined) return byFilter(answer);
  return respond(
    'SP_TLS_REQUIRED',
    'the host asks its clients for certificates, which plain HTTP does not show',
  );
}

export function byFilter({ filter, status, location }: FilterAnswer): Answer {
  const to = location === '' ? '' : ` to ${location}`;
  return { kind: 'filters', reason: `${status} ${statusText(status)}${to}, by the filter ${filter}` };
}

/** What compile lets a route answer that has no backends. */
const noBackend: ErrorCodeName = 'SP_NO_ENDPOINTS';

/** What comes of a request that no filter answers. */
export function answerOf(
  route: TableRoute | undefined,
  forward: ExplainedForward | undefined,
  pattern: string | undefined,
): Answer {
  if (route === undefined) {
    const reason =
      pattern === undefined ? 'no routes for this host' : 'no route of the host takes this request';
    return respond('SP_NO_ROUTE', reason);
  }
  if (route.action.kind === 'respond') {
    const { code } = route.action;
    if (route.filters.length === 0 || code !== noBackend)
      return { kind: 'respond', code, reason: 'the route answers by itself' };
    return {
      kind: 'filters',
      reason: `by the filters of the route: it has no backends, and what they let pass gets ${code}`,
    };
  }
  const reachable =
    forward?.backends.some(({ share, endpoints }) => share > 0 && endpoints.length > 0) === true;
  return reachable
    ? { kind: 'forward' }
    : respond(noBackend, 'no backend that may serve this request has endpoints');
}

export function respond(code: ErrorCodeName, reason: string): Answer {
  return { kind: 'respond', code, reason };
}
