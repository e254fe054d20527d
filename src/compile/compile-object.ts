import type { ModelObject, Snapshot } from '../model/snapshot.ts';
import { compileIngress } from './compile-ingress.ts';
import type { CompileOptions } from './compile-options.ts';
import { compilePolicy } from './compile-policy.ts';
import { compileRoute } from './compile-route.ts';
import type { Fragment, RouteDraft } from './fragment.ts';
import { isWatchedNamespace } from './namespace-selection.ts';
import { ObjectContext, refOf } from './object-context.ts';
import { objectRank } from './rank.ts';
import { parseNamespacedName } from './resolve-reference.ts';
import { resolveService } from './resolve-service.ts';

/** Kinds that compile to something by themselves; the others are read by these. */
export const compiledKinds = ['Ingress', 'Route', 'BackendPolicy'] as const;

export type CompiledKind = (typeof compiledKinds)[number];

/** Compiles one object by itself. */
export function compileObject(
  object: Extract<ModelObject, { readonly kind: CompiledKind }>,
  snapshot: Snapshot,
  options: CompileOptions,
): Fragment {
  const context = new ObjectContext(refOf(object), snapshot, options);
  if (!isWatchedNamespace(context)) return finish(context, { owned: false });
  if (object.kind === 'BackendPolicy') {
    const fragment = finish(context, { policies: compilePolicy(object, context) });
    const service = `${object.meta.namespace}/${object.service}`;
    return { ...fragment, diagnostics: fragment.diagnostics.map((found) => ({ ...found, service })) };
  }
  return finish(
    context,
    object.kind === 'Ingress' ? compileIngress(object, context) : compileRoute(object, context),
  );
}

/**
 * The route to `defaultBackendService`, after everything else; none while that Service has no port. It counts as a
 * reference inside of the Service's namespace: flags are the operator's and need no grant.
 */
export function compileDefaultBackend(snapshot: Snapshot, options: CompileOptions): Fragment | undefined {
  if (options.defaultBackendService === undefined) return undefined;
  const { namespace, name } = parseNamespacedName(options.defaultBackendService, '') ?? {
    namespace: '',
    name: options.defaultBackendService,
  };
  const object = { kind: 'Service', namespace, name };
  const context = new ObjectContext(object, snapshot, options);
  const service = context.lookUp('Service', `${namespace}/${name}`);
  const port = service?.ports.find(({ protocol }) => protocol === 'TCP');
  if (port === undefined) {
    const lack = service === undefined ? 'does not exist' : 'has no TCP port';
    context.report('SP2101', '', `Answering 404 to what no route matches: the default backend ${lack}`);
    return finish(context, {});
  }
  const upstream = resolveService({ namespace, service: name, port: port.port, field: '' }, context);
  if (upstream === undefined) return finish(context, {});
  const route: RouteDraft = {
    id: 'default-backend',
    hosts: [''],
    path: { type: 'prefix', value: '/' },
    rank: objectRank(object, { createdAtMs: 0 }, 'last'),
    filters: [],
    action: {
      kind: 'forward',
      forward: {
        backends: [{ upstream, weight: 1, role: 'stable' }],
        overrides: [],
        split: { by: 'random' },
      },
    },
    origin: { ...object, field: '', service: name },
    object,
    tier: 'last',
  };
  return finish(context, { routes: [route] });
}

const none = {
  routes: [],
  certificates: [],
  clientAuth: [],
  tlsHosts: [],
  policies: [],
  overrides: [],
} as const;

function finish(
  { object, diagnostics, reads }: ObjectContext,
  parts: Partial<Omit<Fragment, 'object' | 'diagnostics' | 'reads'>>,
): Fragment {
  return { object, owned: true, ...none, ...parts, diagnostics, reads };
}
