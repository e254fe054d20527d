import { filterRegistry } from '../filters/registry.ts';
import { quote } from '../filters/value-reader.ts';
import type { Ingress, IngressBackend } from '../model/ingress.ts';
import type { PathMatch, RouteAction } from '../table/route-table.ts';
import { AnnotationReader } from './annotation-reader.ts';
import { clientAuthFromAnnotations } from './client-auth-annotations.ts';
import type { AnnotatedClientAuth } from './client-auth-annotations.ts';
import { isCanary, parseCanary } from './canary.ts';
import type { CanarySplit } from './canary.ts';
import { checkAnnotations } from './check-annotations.ts';
import { isSelected } from './class-selection.ts';
import { filtersFromAnnotations } from './compile-filters.ts';
import type { CompiledFilters } from './compile-filters.ts';
import { settingsFromAnnotations } from './forward-settings.ts';
import type { ExchangeSettings } from './forward-settings.ts';
import type { Fragment, OverridingSetting, PolicyOverride, RouteDraft, RouteTier } from './fragment.ts';
import { redirectWish } from './https-redirect.ts';
import type { RedirectWish } from './https-redirect.ts';
import type { ObjectContext } from './object-context.ts';
import { overridingSettings } from './policy-overrides.ts';
import { objectRank, routeRank } from './rank.ts';
import { resolveService, serverNameOf } from './resolve-service.ts';
import { checkedHost } from './route-host.ts';
import { compilePath, isRulePathFault } from './route-path.ts';
import { claimCertificates } from './tls.ts';
import { DialectAnnotations } from './dialect-annotations.ts';
import type { ServiceDialect } from './dialect-annotations.ts';

/** What holds for all routes of one Ingress. */
interface Shared {
  readonly ingress: Ingress;
  readonly context: ObjectContext;
  /** Undefined: all routes fail closed. */
  readonly filters: CompiledFilters;
  readonly settings: ExchangeSettings;
  readonly dialect: DialectAnnotations;
  readonly clientAuth: AnnotatedClientAuth;
  readonly redirect: RedirectWish | undefined;
  readonly overriding: readonly OverridingSetting[];
  readonly canary: CanarySplit | 'unusable' | undefined;
}

/** Compiles one Ingress by itself; empty when another controller's class is asked for. */
export function compileIngress(
  ingress: Ingress,
  context: ObjectContext,
): Partial<Omit<Fragment, 'object' | 'policies' | 'diagnostics' | 'reads'>> {
  if (!isSelected(ingress.ingressClassName, ingress.meta, context)) return { owned: false };
  const shared = readShared(ingress, context);
  const hosts = ingress.rules.map(({ host }, index) =>
    checkedHost(host, `spec.rules[${index}].host`, context),
  );
  const routes = hosts.flatMap((host, rule) => (host === undefined ? [] : ruleRoutes(shared, rule, host)));
  const known = new Set(hosts.filter((host) => host !== undefined));
  const served = ingress.rules.length === 0 ? new Set(['']) : known;
  const all = [...routes, ...rootRoutes(shared, known, routes), ...defaultRoutes(shared, served)];
  return {
    routes: all,
    overrides: policyOverrides(shared, all),
    ...(shared.canary === undefined ? hostClaims(shared, known, served) : {}),
  };
}

/** A canary claims nothing: its main does. */
function hostClaims(
  { ingress, context, clientAuth: { auth, field } }: Shared,
  known: ReadonlySet<string>,
  served: ReadonlySet<string>,
): Pick<Fragment, 'certificates' | 'tlsHosts' | 'clientAuth'> {
  const { object } = context;
  const rank = objectRank(object, ingress.meta);
  const clientAuth =
    auth === undefined ? [] : [...served].map((host) => ({ host, rank, object, field, auth }));
  return { ...claimCertificates(ingress.tls, known, ingress.meta, context), clientAuth };
}

function readShared(ingress: Ingress, context: ObjectContext): Shared {
  const reader = new AnnotationReader(ingress.meta.annotations, context);
  const safe = checkAnnotations(reader, context);
  const filters = filtersFromAnnotations(reader, context);
  const settings = settingsFromAnnotations(reader);
  const dialect = new DialectAnnotations(reader, context);
  const clientAuth = clientAuthFromAnnotations(reader, context);
  return {
    ingress,
    context,
    filters: safe && dialect.usable && clientAuth.usable ? filters : undefined,
    settings,
    dialect,
    clientAuth,
    redirect: redirectWish(reader, context.options),
    overriding: [...overridingSettings(reader, settings), ...dialect.overriding],
    canary: isCanary(reader, context) ? (parseCanary(reader, context) ?? 'unusable') : undefined,
  };
}

/** What the object sets for the Services that it leads to. A canary sets nothing: its main does. */
function policyOverrides(shared: Shared, routes: readonly RouteDraft[]): readonly PolicyOverride[] {
  const { context, overriding } = shared;
  if (overriding.length === 0 || shared.canary !== undefined) return [];
  const { object } = context;
  const services = new Set(routes.map(({ origin }) => origin.service).filter((service) => service !== ''));
  return [...services].map((service) => ({
    service: `${object.namespace}/${service}`,
    object,
    settings: overriding,
  }));
}

function ruleRoutes(shared: Shared, rule: number, host: string): readonly RouteDraft[] {
  const routes: RouteDraft[] = [];
  for (const [index, entry] of (shared.ingress.rules[rule]?.paths ?? []).entries()) {
    const field = `spec.rules[${rule}].http.paths[${index}]`;
    const path = compilePath(
      entry.pathType === 'Exact' ? 'exact' : 'prefix',
      entry.path === '' ? '/' : entry.path,
    );
    if (isRulePathFault(path)) {
      shared.context.report(
        'SP2004',
        `${field}.path`,
        `Leaving out path ${quote(entry.path)}: ${path.reason}`,
      );
      continue;
    }
    const place = { id: `${rule}.${index}`, field, position: [rule, index], tier: 'explicit' as const };
    const target = compileTarget(shared, entry.backend, `${field}.backend`);
    const draft = makeDraft(shared, { ...place, host, path, backend: entry.backend }, target);
    if (draft !== undefined) routes.push(draft);
  }
  return routes;
}

/** `spec.defaultBackend` is the lowest `/` of every host in the rules, and of any host when there are no rules. */
function defaultRoutes(shared: Shared, hosts: ReadonlySet<string>): readonly RouteDraft[] {
  const backend = shared.ingress.defaultBackend;
  if (backend === undefined) return [];
  const place = { field: 'spec.defaultBackend', position: [], tier: 'default', backend } as const;
  const path: PathMatch = { type: 'prefix', value: '/' };
  const target = compileTarget(shared, backend, place.field);
  const drafts = [...hosts].map((host) =>
    makeDraft(shared, { ...place, id: host === '' ? 'default' : `default/${host}`, host, path }, target),
  );
  return drafts.filter((draft) => draft !== undefined);
}

/** A filter may answer `/` of whole hosts: where the object has no path there, it gets one for it. */
function rootRoutes(
  shared: Shared,
  hosts: ReadonlySet<string>,
  routes: readonly RouteDraft[],
): readonly RouteDraft[] {
  const filters = (shared.filters ?? []).filter(
    ({ name }) => filterRegistry.find(name)?.annotations?.answersRoot === true,
  );
  if (filters.length === 0 || shared.canary !== undefined) return [];
  const { object } = shared.context;
  const covered = new Set(routes.filter(({ path }) => path.value === '/').flatMap((route) => route.hosts));
  return [...hosts]
    .filter((host) => !covered.has(host))
    .map((host) => ({
      id: `Ingress/${object.namespace}/${object.name}/root${host === '' ? '' : `/${host}`}`,
      hosts: [host],
      path: { type: 'exact', value: '/' },
      rank: objectRank(object, shared.ingress.meta, 'default'),
      filters,
      action: { kind: 'respond', code: 'SP_NO_ROUTE' },
      origin: { ...object, field: 'metadata.annotations', service: '' },
      object,
      tier: 'default',
    }));
}

interface Place {
  readonly id: string;
  readonly field: string;
  readonly position: readonly number[];
  readonly tier: RouteTier;
  readonly host: string;
  readonly path: PathMatch;
  readonly backend: IngressBackend;
}

/** Undefined for a canary that cannot be used: its main then serves alone. */
function makeDraft(shared: Shared, place: Place, target: Target): RouteDraft | undefined {
  const { action, variant, wish, serverName } = target;
  const { context, canary } = shared;
  const { object } = context;
  if (canary === 'unusable' || (canary !== undefined && action.kind === 'respond')) return undefined;
  return {
    id: `Ingress/${object.namespace}/${object.name}/${place.id}`,
    hosts: [place.host],
    path: place.path,
    rank: routeRank(objectRank(object, shared.ingress.meta, place.tier), ...place.position),
    filters: action.kind === 'forward' ? (shared.filters ?? []) : [],
    action,
    origin: {
      ...object,
      field: place.field,
      service: place.backend.kind === 'service' ? place.backend.service : '',
    },
    object,
    tier: place.tier,
    ...(canary === undefined ? {} : { canary }),
    ...(shared.redirect === undefined || action.kind !== 'forward' ? {} : { redirect: shared.redirect }),
    ...(variant === undefined ? {} : { variants: [variant] }),
    ...(wish === undefined ? {} : { dialect: wish }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

/** What is done with the requests of a path. */
interface Target extends ServiceDialect {
  readonly action: RouteAction;
  /** For canaries. */
  readonly serverName?: string;
}

const invalid: Target = { action: { kind: 'respond', code: 'SP_ROUTE_INVALID' } };

/** `field` is the path of the backend. */
function compileTarget(shared: Shared, backend: IngressBackend, field: string): Target {
  const { context } = shared;
  if (backend.kind === 'resource') {
    const message = `Answering 404: backend ${backend.resourceKind} ${quote(backend.name)} is no Service`;
    context.report('SP2002', `${field}.resource`, message);
  }
  // The lack of protection is the graver fault: it decides the answer.
  if (shared.filters === undefined) return invalid;
  if (backend.kind === 'resource') return { action: { kind: 'respond', code: 'SP_NO_ROUTE' } };
  const { service, port } = backend;
  const { namespace } = context.object;
  const usual = resolveService({ namespace, service, port, field: `${field}.service` }, context);
  if (usual === undefined) return invalid;
  const key = `${namespace}/${service}`;
  if (shared.canary !== undefined) {
    // How it is spoken to is its main's to say.
    const serverName = serverNameOf(key, context.lookUp('Service', key));
    return { action: forwardTo(usual, shared.settings), serverName };
  }
  const dialect = shared.dialect.resolve(key, usual);
  if (dialect === undefined) return invalid;
  return { action: forwardTo(dialect.variant?.id ?? usual, shared.settings), ...dialect };
}

function forwardTo(upstream: string, settings: ExchangeSettings): RouteAction {
  return {
    kind: 'forward',
    forward: {
      backends: [{ upstream, weight: 1, role: 'stable' }],
      overrides: [],
      split: { by: 'random' },
      ...settings,
    },
  };
}
