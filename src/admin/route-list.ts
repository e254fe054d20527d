import { describeRef } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, ObjectRef, RequestClaim } from '../diagnostics/diagnostic.ts';
import type { ClientAuth, Conditions, PathMatch, RouteTable, TableRoute } from '../table/route-table.ts';
import { splitUpstreamId } from '../table/upstream-id.ts';

/** One row of the list of routes: a route of the table, or one that an object asked for and did not get. */
export interface RouteEntry {
  readonly object: ObjectRef;
  /** Field path of the rule inside the object. */
  readonly field: string;
  /** In the table; '' for a route that is not there. */
  readonly id: string;
  /** Patterns; '' is any host. */
  readonly hosts: readonly string[];
  readonly path: PathMatch;
  readonly conditions?: Conditions;
  /** Names, in the order of the chain. */
  readonly filters: readonly string[];
  readonly backends: readonly RouteBackend[];
  /** Whether clients of its hosts are asked for certificates; the strictest answer, where hosts differ. */
  readonly clientCertificates?: ClientAuth['mode'];
  readonly status: RouteStatus;
  /** Why it is not served; '' when it is. */
  readonly reason: string;
}

/**
 * `served`: forwarded, or answered by the route's filters. `no-endpoints`: 503, because no backend has an endpoint.
 * `closed`: 503, because something that the route needs cannot be built. `conflict`: another object has these requests.
 * `unused`: a canary that joins nothing.
 */
export type RouteStatus = 'served' | 'no-endpoints' | 'closed' | 'conflict' | 'unused';

export interface RouteBackend {
  /** `namespace/service:port`. */
  readonly upstream: string;
  readonly role: 'stable' | 'canary';
  /** Relative to the other backends. */
  readonly weight: number;
  readonly endpoints: number;
}

/** Every route of the table and every one that did not get there, by namespace, name, kind and place in the object. */
export function listRoutes(table: RouteTable, diagnostics: Iterable<Diagnostic>): readonly RouteEntry[] {
  const faults: Faults = new Map<string, Diagnostic[]>();
  const lost: RouteEntry[] = [];
  for (const diagnostic of diagnostics) {
    const { claim, service, object, severity } = diagnostic;
    if (claim !== undefined) lost.push(lostEntry(diagnostic, claim));
    else if (severity === 'error') {
      const key = service === undefined ? faultKey(object) : policyKey(service);
      faults.set(key, [...(faults.get(key) ?? []), diagnostic]);
    }
  }
  const served = [...table.routes.values()].map((route) => tableEntry(route, table, faults));
  return [...served, ...lost]
    .map((entry) => ({ entry, place: placeOf(entry) }))
    .toSorted((a, b) => (a.place < b.place ? -1 : Number(a.place > b.place)))
    .map(({ entry }) => entry);
}

/** Errors by object; those of a BackendPolicy by the Service that it is about. */
type Faults = Map<string, readonly Diagnostic[]>;

function tableEntry(route: TableRoute, table: RouteTable, faults: Faults): RouteEntry {
  const { kind, namespace, name, field } = route.origin;
  const object = { kind, namespace, name };
  const backends = backendsOf(route, table);
  const own = faults.get(faultKey(object)) ?? [];
  const fault = faultOf(route, own);
  const clients = clientsOf(route, table);
  return {
    object,
    field,
    id: route.id,
    hosts: route.hosts,
    path: route.path,
    ...(route.conditions === undefined ? {} : { conditions: route.conditions }),
    filters: route.filters.map((filter) => filter.name),
    backends,
    ...(clients === undefined ? {} : { clientCertificates: clients }),
    ...(clients === 'closed'
      ? {
          status: 'closed',
          reason: `${clientsRefused}: ${describeFault(clientFaultOf(own), 'every request of the host is refused')}`,
        }
      : statusOf(route, backends, route.action.kind === 'forward' ? policyFaultOf(backends, faults) : fault)),
  };
}

/** The error that closed a route: one of its own rule before one of the whole object. */
function faultOf({ origin }: TableRoute, errors: readonly Diagnostic[]): Diagnostic | undefined {
  const [rule = ''] = /^spec\.rules\[\d+\]/.exec(origin.field) ?? [];
  return (
    errors.find(({ path }) => path.startsWith(`${rule}.`)) ??
    errors.find(({ path }) => !path.startsWith('spec.rules['))
  );
}

/** The error for which clients are refused; none when another object asks for their certificates. */
function clientFaultOf(errors: readonly Diagnostic[]): Diagnostic | undefined {
  return errors.find(({ path }) => /\/auth-tls-|^spec\.tls\.clientCertificate/.test(path));
}

/** The first error of a policy for a Service that the route leads to. */
function policyFaultOf(backends: readonly RouteBackend[], faults: Faults): Diagnostic | undefined {
  return backends.flatMap(
    ({ upstream }) => faults.get(policyKey(splitUpstreamId(upstream).service)) ?? [],
  )[0];
}

function backendsOf({ action }: TableRoute, table: RouteTable): readonly RouteBackend[] {
  if (action.kind !== 'forward') return [];
  return action.forward.backends.map(({ upstream, role, weight }) => ({
    upstream,
    role,
    weight,
    endpoints: table.endpoints.get(upstream)?.endpoints.length ?? 0,
  }));
}

/** What compile lets a route answer that has no backends. */
const noBackend = 'SP_NO_ENDPOINTS';
/** What a host answers whose client certificates cannot be checked. */
const clientsRefused = 'SP_CLIENT_AUTH_CLOSED';

function statusOf(
  { action, filters }: TableRoute,
  backends: readonly RouteBackend[],
  fault: Diagnostic | undefined,
): Pick<RouteEntry, 'status' | 'reason'> {
  if (action.kind === 'forward') {
    if (backends.some(({ endpoints }) => endpoints > 0)) return { status: 'served', reason: '' };
    const policy = fault === undefined ? '' : `; ${describeRef(fault.object)}: ${describeFault(fault, '')}`;
    return { status: 'no-endpoints', reason: `${noBackend}: no backend has an endpoint${policy}` };
  }
  if (action.code === noBackend && filters.length > 0) return { status: 'served', reason: '' };
  return {
    status: action.code === noBackend ? 'no-endpoints' : 'closed',
    reason: `${action.code}: ${describeFault(fault, 'the route answers by itself')}`,
  };
}

function describeFault(fault: Diagnostic | undefined, otherwise: string): string {
  return fault === undefined ? otherwise : `${fault.code} ${fault.message}`;
}

const strictest: readonly ClientAuth['mode'][] = ['closed', 'on', 'optional', 'optional-no-ca'];

function clientsOf({ hosts }: TableRoute, table: RouteTable): ClientAuth['mode'] | undefined {
  const modes = new Set(hosts.map((host) => table.hosts.get(host)?.clientAuth?.mode));
  return strictest.find((mode) => modes.has(mode));
}

function lostEntry({ code, object, path, message }: Diagnostic, claim: RequestClaim): RouteEntry {
  return {
    object,
    field: path,
    id: '',
    hosts: [claim.host],
    path: claim.path,
    filters: [],
    backends: [],
    status: code === 'SP3001' ? 'conflict' : 'unused',
    reason: `${code}: ${message}`,
  };
}

function policyKey(service: string): string {
  return `BackendPolicy for ${service}`;
}

function faultKey({ kind, namespace, name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

/** A space sorts below what names may hold; indices are padded, so that `rules[2]` comes before `rules[10]`. */
function placeOf({ object, field, hosts }: RouteEntry): string {
  const place = field.replaceAll(/\d+/g, (digits) => digits.padStart(5, '0'));
  return `${object.namespace} ${object.name} ${object.kind} ${place} ${hosts[0] ?? ''}`;
}
