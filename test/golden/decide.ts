import { filterRegistry } from '../../src/filters/registry.ts';
import type { LocalAnswer } from '../../src/filters/filter.ts';
import { Linker } from '../../src/proxy/linker.ts';
import type { LinkedRoute, LinkedUpstream } from '../../src/proxy/linked-table.ts';
import { normalizeAuthority, normalizeTarget } from '../../src/proxy/normalise.ts';
import { ProxyRequest } from '../../src/proxy/proxy-request.ts';
import type { RoutingTable } from '../../src/proxy/routing-table.ts';
import { chooseBackend } from '../../src/proxy/split.ts';
import { wholeTable } from '../../src/table/diff-tables.ts';
import { endpointKey } from '../../src/table/endpoint-key.ts';
import type { EndpointSet, RouteTable } from '../../src/table/route-table.ts';
import { errorCodes } from '../../src/telemetry/error-codes.ts';
import type { ErrorCodeName } from '../../src/telemetry/error-codes.ts';
import { HeaderList } from '../../src/util/header-list.ts';

// What the data plane would do with a request, without a socket: normalise, match, filter, choose a backend.

/** One entry of requests.yaml. Everything but `url` that is not asked for here is an expectation of `Decision`. */
export interface RequestCase {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Address of the client. */
  readonly from?: string;
  /** What the random number is, in [0, 1). */
  readonly random?: number;
  readonly want: Partial<Decision>;
}

export interface Decision {
  /** Id of the route; absent when none matches. */
  readonly route?: string;
  /** Status of an answer made here. */
  readonly status?: number;
  /** Where a local answer redirects to. */
  readonly location?: string;
  /** Upstream and its endpoints, when the request is forwarded. */
  readonly upstream?: string;
  readonly endpoints?: readonly string[];
  /** As sent upstream. */
  readonly path?: string;
  readonly host?: string;
  /** Request fields as sent upstream, for the names that the case expects; null where there is none. */
  readonly sends?: Readonly<Record<string, string | null>>;
  /** Response fields that filters made of an empty 200, or of the answer of one of them. */
  readonly returns?: Readonly<Record<string, string | null>>;
}

/** Links a table as a worker does. */
export async function linkTable(table: RouteTable): Promise<RoutingTable> {
  const linker = new Linker({
    createUpstream: ({ id }) => new ListedUpstream(id),
    metricsRow: () => ({ record() {}, retried() {} }),
    filters: filterRegistry,
    swap() {},
    yield: () => Promise.resolve(),
    now: () => 0,
  });
  const outcome = await linker.link({ delta: wholeTable(table), slots: new Map(), rows: rowsOf(table) });
  if (outcome.kind !== 'live') throw new Error(`linking ended as ${outcome.kind}`);
  return outcome.table;
}

export async function decide(table: RoutingTable, asked: RequestCase): Promise<Decision> {
  const request = readRequest(asked);
  if (request === undefined) return { status: 400 };
  const route = table.match(request);
  if (route === undefined) return local('SP_NO_ROUTE');
  request.matchedPath = route.route.path;
  const { id } = route.route;
  const answer = await runFilters(route, request);
  if (answer !== undefined) return { route: id, ...describeAnswer(asked, { route, request }, answer) };
  const { action } = route.route;
  if (action.kind === 'respond') return { route: id, ...local(action.code as ErrorCodeName) };
  const upstream = chooseBackend(route, request, () => asked.random ?? 0)?.upstream as
    ListedUpstream | undefined;
  if (upstream === undefined || upstream.endpointCount === 0) {
    return {
      route: id,
      ...(upstream === undefined ? {} : { upstream: upstream.id }),
      ...local('SP_NO_ENDPOINTS'),
    };
  }
  return {
    route: id,
    upstream: upstream.id,
    endpoints: upstream.endpoints,
    path: request.path + request.query,
    host: request.authority,
    ...fieldsOf(asked, { route, request }),
  };
}

/** Keeps what it is told, as src/upstream does. */
class ListedUpstream implements LinkedUpstream {
  readonly id: string;
  endpoints: readonly string[] = [];

  constructor(id: string) {
    this.id = id;
  }

  get endpointCount(): number {
    return this.endpoints.length;
  }

  update(set: EndpointSet): void {
    this.endpoints = set.endpoints.map(endpointKey);
  }

  retire(): void {
    this.endpoints = [];
  }
}

function rowsOf({ routes }: RouteTable): ReadonlyMap<string, number> {
  return new Map([...routes.keys()].map((id, index) => [id, index * 8]));
}

function readRequest({
  url,
  method = 'GET',
  headers = {},
  from = '192.0.2.1',
}: RequestCase): ProxyRequest | undefined {
  const [, scheme, authority = '', target = ''] = /^(https?):\/\/([^/]*)(.*)$/.exec(url) ?? [];
  const request = new ProxyRequest(scheme === 'https' ? 'https' : 'http');
  if (!normalizeAuthority(authority, request) || !normalizeTarget(target, request, false)) return undefined;
  request.method = method;
  request.headers = new HeaderList();
  for (const [name, value] of Object.entries(headers)) request.headers.append(name, value);
  request.origin = request.headers.get('origin') ?? '';
  request.clientAddress = from;
  return request;
}

async function runFilters(route: LinkedRoute, request: ProxyRequest): Promise<LocalAnswer | undefined> {
  const filters = request.scheme === 'http' ? route.requestFilters : route.secureRequestFilters;
  for (const filter of filters ?? []) {
    const answer = await filter.onRequest?.(request);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function describeAnswer(asked: RequestCase, made: Made, { status, headers }: LocalAnswer): Decision {
  const response = { status, headers: new HeaderList() };
  for (const [name, value] of headers) response.headers.append(name, value);
  runResponseFilters(made, response);
  const location = response.headers.get('location');
  return {
    status: response.status,
    ...(location === undefined ? {} : { location }),
    ...returnsOf(asked, response),
  };
}

function local(code: ErrorCodeName): Decision {
  return { status: errorCodes[code].status };
}

function fieldsOf(asked: RequestCase, made: Made): Decision {
  const response = { status: 200, headers: new HeaderList() };
  runResponseFilters(made, response);
  const { sends } = asked.want;
  return {
    ...(sends === undefined ? {} : { sends: pick(sends, made.request.headers) }),
    ...returnsOf(asked, response),
  };
}

/** A request and the route that it was led to. */
interface Made {
  readonly route: LinkedRoute;
  readonly request: ProxyRequest;
}

interface MadeResponse {
  status: number;
  readonly headers: HeaderList;
}

function runResponseFilters({ route, request }: Made, response: MadeResponse): void {
  for (const filter of route.responseFilters ?? []) filter.onResponse?.(response, request);
}

function returnsOf({ want: { returns } }: RequestCase, { headers }: MadeResponse): Decision {
  return returns === undefined ? {} : { returns: pick(returns, headers) };
}

function pick(names: Readonly<Record<string, unknown>>, headers: HeaderList): Record<string, string | null> {
  const found = Object.keys(names).map(
    (name) => [name, headers.getAll(name.toLowerCase()).join(', ')] as const,
  );
  return Object.fromEntries(found.map(([name, value]) => [name, value === '' ? null : value]));
}
