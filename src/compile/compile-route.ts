import { quote } from '../filters/value-reader.ts';
import { filterRegistry } from '../filters/registry.ts';
import type { GrpcMatch, Route, RouteBackend, RouteMatch, RouteRule } from '../model/route.ts';
import type { Conditions, PathMatch, RouteAction, WeightedBackend } from '../table/route-table.ts';
import { isSelected } from './class-selection.ts';
import { HOSTS_CLOSED, makeClientAuth } from './client-auth.ts';
import { compileConditions } from './compile-conditions.ts';
import { filtersFromRule } from './compile-filters.ts';
import { resolveAuthority } from './credentials.ts';
import { settingsFromFields } from './forward-settings.ts';
import type { ClientAuthClaim, Fragment, RouteDraft } from './fragment.ts';
import type { ObjectContext } from './object-context.ts';
import { objectRank, routeRank } from './rank.ts';
import { resolveService } from './resolve-service.ts';
import { checkedHost } from './route-host.ts';
import { compilePath, isRulePathFault } from './route-path.ts';
import { claimCertificates } from './tls.ts';

const everything: RouteMatch = {
  path: undefined,
  grpc: undefined,
  methods: [],
  headers: [],
  query: [],
  cookies: [],
  sourceRanges: [],
};

/** Compiles one Route by itself: one table route for each alternative of each rule. */
export function compileRoute(
  route: Route,
  context: ObjectContext,
): Partial<Pick<Fragment, 'owned' | 'routes' | 'certificates' | 'clientAuth' | 'tlsHosts'>> {
  if (!isSelected(route.ingressClassName, route.meta, context)) return { owned: false };
  const hosts = routeHosts(route, context);
  const routes =
    hosts.length === 0
      ? []
      : route.rules.flatMap((rule, index) => ruleRoutes(route, rule, { index, hosts, context }));
  const tls = route.tls === undefined ? [] : [{ hosts: [], ...route.tls }];
  const claims = claimCertificates(tls, new Set(hosts), route.meta, context);
  return { routes, ...claims, clientAuth: claimClientAuth(route, hosts, context) };
}

const authModes = { Required: 'on', Optional: 'optional', OptionalNoCA: 'optional-no-ca' } as const;

function claimClientAuth(
  { tls, meta }: Route,
  hosts: readonly string[],
  context: ObjectContext,
): readonly ClientAuthClaim[] {
  const asked = tls?.clientCertificate;
  if (asked === undefined) return [];
  const field = 'spec.tls.clientCertificate';
  const { object } = context;
  const { caSecretName: name, namespace = object.namespace, passToUpstream, mode, ...rest } = asked;
  const ref = { kind: 'Secret', namespace, name, field: `${field}.caSecretName` } as const;
  const authority = resolveAuthority(ref, HOSTS_CLOSED, context);
  const place = { field: `${field}.matchCommonName`, code: 'SP2005' } as const;
  const wish = { ...rest, mode: authModes[mode], passCertificate: passToUpstream, authority };
  const auth = makeClientAuth(wish, place, context);
  const rank = objectRank(object, meta);
  return hosts.map((host) => ({ host, rank, object, field, auth }));
}

/** Never empty for a Route without hosts (every host); empty when none of those that it names can be used. */
function routeHosts(route: Route, context: ObjectContext): readonly string[] {
  if (route.hosts.length === 0) return [''];
  const hosts = new Set<string>();
  for (const [index, host] of route.hosts.entries()) {
    const canonical = checkedHost(host, `spec.hosts[${index}]`, context);
    if (canonical !== undefined) hosts.add(canonical);
  }
  return [...hosts].toSorted();
}

interface RulePlace {
  readonly index: number;
  readonly hosts: readonly string[];
  readonly context: ObjectContext;
}

function ruleRoutes(route: Route, rule: RouteRule, place: RulePlace): readonly RouteDraft[] {
  const { context, hosts, index } = place;
  const { object } = context;
  const field = `spec.rules[${index}]`;
  const filters = filtersFromRule(rule.filters, field, context);
  const action = filters === undefined ? closed : compileAction(rule, field, context);
  const matches = rule.matches.length === 0 ? [everything] : rule.matches;
  const routes: RouteDraft[] = [];
  for (const [alternative, match] of matches.entries()) {
    const matchField = rule.matches.length === 0 ? field : `${field}.matches[${alternative}]`;
    const compiled = compileMatch(match, matchField, context);
    if (compiled === undefined) continue;
    routes.push({
      id: `Route/${object.namespace}/${object.name}/${index}.${alternative}`,
      hosts,
      ...compiled,
      rank: routeRank(objectRank(object, route.meta), index, alternative),
      filters: action === closed ? [] : (filters ?? []),
      action,
      origin: { ...object, field: matchField, service: rule.backends[0]?.service ?? '' },
      object,
      tier: 'explicit',
    });
  }
  return routes;
}

const closed: RouteAction = Object.freeze({ kind: 'respond', code: 'SP_ROUTE_INVALID' });

/** Undefined after a report: an alternative that cannot be told apart from others must not take their requests. */
function compileMatch(
  match: RouteMatch,
  field: string,
  context: ObjectContext,
): { readonly path: PathMatch; readonly conditions?: Conditions } | undefined {
  const { type, value } = match.path ?? { type: 'Prefix', value: '/' };
  const path = match.grpc === undefined ? compilePath(pathTypes[type], value) : grpcPath(match.grpc);
  const asked = match.grpc === undefined ? match : { ...match, methods: ['POST'] };
  const conditions = compileConditions(asked, field, context);
  if (isRulePathFault(path)) {
    const code = type === 'Regex' ? 'SP2005' : 'SP2004';
    context.report(
      code,
      `${field}.path.value`,
      `Leaving out the match: path ${quote(value)}: ${path.reason}`,
    );
    return undefined;
  }
  if (conditions === undefined) return undefined;
  return Object.keys(conditions).length === 0 ? { path } : { path, conditions };
}

/** Exact where both are given, a prefix by the service alone; of any service, as a regular expression. */
function grpcPath({ service, method }: GrpcMatch): PathMatch {
  if (service === undefined) return { type: 'regex', value: `/[^/]+/${method ?? '[^/]+'}` };
  return method === undefined
    ? { type: 'prefix', value: `/${service}` }
    : { type: 'exact', value: `/${service}/${method}` };
}

const pathTypes = { Exact: 'exact', Prefix: 'prefix', Regex: 'regex' } as const;

function compileAction(rule: RouteRule, field: string, context: ObjectContext): RouteAction {
  if (rule.backends.length === 0) {
    if (rule.filters.flatMap((filter) => Object.keys(filter)).some(answersItself)) return noBackends;
    context.report(
      'SP2006',
      `${field}.backends`,
      'Answering 503: got no backends, want at least one, or a filter that answers',
    );
    return closed;
  }
  const backends = rule.backends.map((backend, index) =>
    compileBackend(backend, `${field}.backends[${index}]`, context),
  );
  if (backends.includes(undefined)) return closed;
  const usable = backends.filter((backend) => backend !== undefined);
  if (usable.every(({ weight }) => weight === 0)) {
    context.report('SP2006', `${field}.backends`, 'Answering 503: all weights are 0, want one above');
    return noBackends;
  }
  return {
    kind: 'forward',
    forward: {
      backends: usable,
      overrides: [],
      split: lowerHeader(rule.split ?? { by: 'random' }),
      ...settingsFromFields(rule, field, context),
    },
  };
}

/** A rule with such a filter needs no backends. */
function answersItself(filter: string): boolean {
  return filterRegistry.find(filter)?.route?.answers === true;
}

const noBackends: RouteAction = Object.freeze({ kind: 'respond', code: 'SP_NO_ENDPOINTS' });

function compileBackend(
  { namespace, service, port, weight }: RouteBackend,
  field: string,
  context: ObjectContext,
): WeightedBackend | undefined {
  const ref = { namespace: namespace ?? context.object.namespace, service, port, field };
  const upstream = resolveService(ref, context);
  return upstream === undefined ? undefined : { upstream, weight, role: 'stable' };
}

function lowerHeader(split: NonNullable<RouteRule['split']>): NonNullable<RouteRule['split']> {
  return split.by === 'header' ? { by: 'header', name: split.name.toLowerCase() } : split;
}
