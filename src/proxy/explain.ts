import { CHALLENGES, httpsRedirect } from '../filters/https-redirect.ts';
import type { HttpsRedirect } from '../filters/https-redirect.ts';
import type {
  ClientAuth,
  FilterConfig,
  PathMatch,
  RouteOrigin,
  RouteTable,
  TableRoute,
} from '../table/route-table.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { HeaderList } from '../util/header-list.ts';
import { isForChallenges } from './client-certificate.ts';
import { explainForward } from './explain-forward.ts';
import type { ExplainedForward, ExplainedUpstreams } from './explain-forward.ts';
import { explainRivals } from './explain-rivals.ts';
import type { ExplainIndex, Rival } from './explain-rivals.ts';
import { readExplainRequest } from './explain-request.ts';
import type { ExplainRequest, ReadRequest } from './explain-request.ts';
import type { MatchRequest } from './linked-table.ts';
import { compileCandidate } from './match/candidate.ts';
import type { Candidate } from './match/candidate.ts';
import { RouteIndex, hostPatterns } from './match/route-index.ts';
import type { RoutingTable } from './routing-table.ts';

// Why a request is served as it is. Comes in: a table, plain or linked, and a request as somebody would type it. Goes
// out: plain data for the admin server and the command line (explain-text.ts prints it). Decides nothing itself:
// it asks the matcher, the precedence and the splitter that serve requests, so that it cannot disagree with them.

/** A table that can be asked. */
export interface Explainable extends ExplainedUpstreams {
  readonly index: ExplainIndex;
  /** What clients of a host pattern have to show, where that is anything. */
  clientAuth(pattern: string): Pick<ClientAuth, 'mode'> | undefined;
}

export interface Explanation {
  readonly request: Omit<MatchRequest, 'headers'> & {
    readonly headers: readonly (readonly [string, string])[];
  };
  /** The host pattern whose routes were looked at, '' for the catch-all; undefined when there was none. */
  readonly host: { readonly pattern: string | undefined; readonly reason: string };
  /** What its clients have to show; undefined: nothing. */
  readonly clientCertificates: ClientAuth['mode'] | undefined;
  readonly answer: Answer;
  readonly route: ExplainedRoute | undefined;
  /** In the order of the chain; what one of them answers is answered before any upstream is asked. */
  readonly filters: readonly FilterConfig[];
  readonly forward: ExplainedForward | undefined;
  readonly rivals: readonly Rival[];
  /** Rivals that were left out, those least like the request. */
  readonly moreRivals: number;
}

/**
 * What comes of the request: sent on, answered by the route's filters (a redirect without backends, or one of plain HTTP to
 * HTTPS), or answered here with an error code. Other filters are not run: one may answer a request that would be sent on.
 */
export type Answer =
  | { readonly kind: 'forward' }
  | { readonly kind: 'filters'; readonly reason: string }
  | { readonly kind: 'respond'; readonly code: string; readonly reason: string };

export interface ExplainedRoute {
  readonly id: string;
  readonly origin: RouteOrigin;
  readonly hosts: readonly string[];
  readonly path: PathMatch;
}

/** Explains what the table does with a request. Never throws on a bad request: that is an answer too. */
export function explain(table: Explainable, asked: ExplainRequest): Explanation {
  const read = readExplainRequest(asked);
  if (read.fault !== undefined) return refused(read.request, read.fault);
  const { request } = read;
  const host = chosenHost(table.index, request.host);
  const winner = table.index.match(request);
  const { rivals, more } = explainRivals(table.index, request, host.pattern, winner);
  const route = winner?.route;
  const forward =
    route?.action.kind === 'forward' ? explainForward(route.action.forward, request, table) : undefined;
  const clientCertificates = clientsOf(table, request.host);
  return {
    request: printable(request),
    host,
    clientCertificates,
    answer: answerByScheme(request, route, clientCertificates) ?? answerOf(route, forward, host.pattern),
    route:
      route === undefined
        ? undefined
        : { id: route.id, origin: route.origin, hosts: route.hosts, path: route.path },
    filters: route?.filters ?? [],
    forward,
    rivals,
    moreRivals: more,
  };
}

const indexes = new WeakMap<RouteTable, RouteIndex<Candidate>>();

/** A plain table as the control plane holds it. Its index is made at the first question and kept with the table. */
export function explainableTable(table: RouteTable): Explainable {
  const parts = {
    endpoints: (id: string) => table.endpoints.get(id)?.endpoints,
    upstream: (id: string) => table.upstreams.get(id),
    clientAuth: (pattern: string) => table.hosts.get(pattern)?.clientAuth,
  };
  const known = indexes.get(table);
  if (known !== undefined) return { index: known, ...parts };
  const edit = RouteIndex.empty<Candidate>().edit();
  for (const route of table.routes.values()) edit.add(compileCandidate(route));
  const index = edit.finish();
  indexes.set(table, index);
  return { index, ...parts };
}

/** A linked table: shows routes as they serve, so those that were closed by a broken filter too. */
export function explainableLink(table: RoutingTable): Explainable {
  const { index, endpoints, upstreamEntries, clientAuths } = table.parts;
  return {
    index,
    endpoints: (id) => endpoints.get(id)?.set.endpoints,
    upstream: (id) => upstreamEntries.get(id),
    clientAuth: (pattern) => clientAuths.get(pattern),
  };
}

/** As `LinkedTable.clientAuthFor`. */
function clientsOf(table: Explainable, host: string): ClientAuth['mode'] | undefined {
  for (const pattern of hostPatterns(host)) {
    const auth = table.clientAuth(pattern);
    if (auth !== undefined || table.index.hostRoutes(pattern) !== undefined) return auth?.mode;
  }
  return undefined;
}

function chosenHost(index: ExplainIndex, host: string): Explanation['host'] {
  const pattern = hostPatterns(host).find((text) => index.hostRoutes(text) !== undefined);
  if (pattern === undefined)
    return { pattern, reason: 'no route names this host, and there is no catch-all' };
  if (pattern === host && host !== '') return { pattern, reason: 'routes name this host' };
  if (pattern === '')
    return { pattern, reason: 'no route names this host or a wildcard of it; the catch-all serves it' };
  return { pattern, reason: 'no route names this host; the wildcard stands for its first label' };
}

/** What is answered for the scheme of a request, before anything else of its route; the order is that of Exchange. */
function answerByScheme(
  { scheme, path }: ReadRequest['request'],
  route: TableRoute | undefined,
  clientCertificates: ClientAuth['mode'] | undefined,
): Answer | undefined {
  if (scheme === 'https') {
    if (clientCertificates !== 'closed') return undefined;
    return respond('SP_CLIENT_AUTH_CLOSED', 'what certificates of clients are checked by cannot be had');
  }
  if (route === undefined) return undefined;
  const redirect = route.filters.find(({ name }) => name === httpsRedirect.name);
  if (redirect !== undefined && !path.startsWith(CHALLENGES)) {
    const { statusCode } = redirect.config as HttpsRedirect;
    const reason = `httpsRedirect sends plain HTTP to HTTPS, by ${statusCode}; ask for https:// to see what comes then`;
    return { kind: 'filters', reason };
  }
  if (clientCertificates === undefined || isForChallenges(route.path)) return undefined;
  return respond(
    'SP_TLS_REQUIRED',
    'the host asks its clients for certificates, which plain HTTP does not show',
  );
}

/** What compile lets a route answer that has no backends. */
const noBackend: ErrorCodeName = 'SP_NO_ENDPOINTS';

function answerOf(
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
    return { kind: 'filters', reason: `the route has no backends; what its filters let pass gets ${code}` };
  }
  const reachable =
    forward?.backends.some(({ share, endpoints }) => share > 0 && endpoints.length > 0) === true;
  return reachable
    ? { kind: 'forward' }
    : respond(noBackend, 'no backend that may serve this request has endpoints');
}

function respond(code: ErrorCodeName, reason: string): Answer {
  return { kind: 'respond', code, reason };
}

function refused(
  request: MatchRequest,
  fault: { readonly code: ErrorCodeName; readonly reason: string },
): Explanation {
  return {
    request: printable(request),
    host: { pattern: undefined, reason: 'the request is refused before a host is looked for' },
    clientCertificates: undefined,
    answer: respond(fault.code, fault.reason),
    route: undefined,
    filters: [],
    forward: undefined,
    rivals: [],
    moreRivals: 0,
  };
}

function printable({
  method,
  host,
  path,
  query,
  headers,
  clientAddress,
}: MatchRequest): Explanation['request'] {
  return { method, host, path, query, clientAddress, headers: pairs(headers) };
}

function pairs(headers: HeaderList): readonly (readonly [string, string])[] {
  return headers.entries();
}
