import type { ClientAuth, FilterConfig, PathMatch, RouteOrigin, RouteTable } from '../table/route-table.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { HeaderList } from '../util/header-list.ts';
import { answerOf, answerToClient, byFilter, respond } from './explain-answer.ts';
import type { Answer } from './explain-answer.ts';
import { explainFilters, noFilters } from './explain-filters.ts';
import type { ExplainedFilters } from './explain-filters.ts';
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
  clientAuth(pattern: string): HeldClients | undefined;
}

/** What clients are held to, of a table of either kind. */
interface HeldClients {
  readonly mode: ClientAuth['mode'];
  readonly authority?: { readonly id: string } | undefined;
  readonly matchCommonName?: string;
}

export interface Explanation {
  readonly request: Omit<MatchRequest, 'headers'> & {
    readonly scheme: 'http' | 'https';
    readonly headers: readonly (readonly [string, string])[];
  };
  /** The host pattern whose routes were looked at, '' for the catch-all; undefined when there was none. */
  readonly host: { readonly pattern: string | undefined; readonly reason: string };
  /** What its clients have to show; undefined: nothing. */
  readonly clientCertificates: ClientAuth['mode'] | undefined;
  /** Who has to have signed it: `namespace/name` of the Secret; undefined where that is nobody or not known. */
  readonly clientAuthority: string | undefined;
  /** RE2 for the start of the subject's `CN=…`. */
  readonly clientCommonName: string | undefined;
  readonly answer: Answer;
  readonly route: ExplainedRoute | undefined;
  /** In the order of the chain; what one of them answers is answered before any upstream is asked. */
  readonly filters: readonly FilterConfig[];
  /** What the upstream is asked for instead, where filters change it: `host/path?query`. */
  readonly rewritten: string | undefined;
  /** Fields that filters add to the answer, whoever gives it. */
  readonly responseFields: ExplainedFilters['responseFields'];
  readonly forward: ExplainedForward | undefined;
  readonly rivals: readonly Rival[];
  /** Rivals that were left out, those least like the request. */
  readonly moreRivals: number;
}

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
  const clients = clientsOf(table, request.host);
  const clientCertificates = clients?.mode;
  const filtered = route === undefined ? noFilters : explainFilters(route, request);
  return {
    request: printable(request),
    host,
    clientCertificates,
    clientAuthority: clients?.authority?.id,
    clientCommonName: clients?.matchCommonName,
    answer:
      answerToClient(read, route, clientCertificates) ??
      (filtered.answer === undefined ? answerOf(route, forward, host.pattern) : byFilter(filtered.answer)),
    route:
      route === undefined
        ? undefined
        : { id: route.id, origin: route.origin, hosts: route.hosts, path: route.path },
    filters: route?.filters ?? [],
    rewritten: filtered.rewritten,
    responseFields: filtered.responseFields,
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
function clientsOf(table: Explainable, host: string): HeldClients | undefined {
  for (const pattern of hostPatterns(host)) {
    const auth = table.clientAuth(pattern);
    if (auth !== undefined || table.index.hostRoutes(pattern) !== undefined) return auth;
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

function refused(
  request: ReadRequest['request'],
  fault: { readonly code: ErrorCodeName; readonly reason: string },
): Explanation {
  return {
    request: printable(request),
    host: { pattern: undefined, reason: 'the request is refused before a host is looked for' },
    clientCertificates: undefined,
    clientAuthority: undefined,
    clientCommonName: undefined,
    answer: respond(fault.code, fault.reason),
    route: undefined,
    filters: [],
    rewritten: undefined,
    responseFields: [],
    forward: undefined,
    rivals: [],
    moreRivals: 0,
  };
}

function printable({
  scheme,
  method,
  host,
  path,
  query,
  headers,
  clientAddress,
}: ReadRequest['request']): Explanation['request'] {
  return { scheme, method, host, path, query, clientAddress, headers: pairs(headers) };
}

function pairs(headers: HeaderList): readonly (readonly [string, string])[] {
  return headers.entries();
}
