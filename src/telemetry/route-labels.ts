import { labelText } from './label-text.ts';
import { routeLabels } from './metric-declarations.ts';

/** What of a route of the table decides its metric rows and their labels. A TableRoute is one. */
export interface MeasuredRoute {
  readonly id: string;
  readonly hosts: readonly string[];
  readonly path: { readonly value: string };
  readonly origin: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly service: string;
  };
  readonly action:
    | { readonly kind: 'forward'; readonly forward: { readonly backends: readonly MeasuredBackend[] } }
    | { readonly kind: 'respond' };
}

export interface MeasuredBackend {
  /** `namespace/service:port`. */
  readonly upstream: string;
  readonly role: string;
}

/** Label texts as they are exposed: one row a backend, one for a route without any. */
export function rowLabels(route: MeasuredRoute): readonly string[] {
  const { origin, action } = route;
  // Bounded by what is declared: the path is the template, and of many hosts the first stands for all.
  const common = [
    route.id,
    origin.kind,
    origin.namespace,
    origin.name,
    route.hosts[0] ?? '',
    route.path.value,
  ];
  if (action.kind === 'respond' || action.forward.backends.length === 0) {
    return [labelText(routeLabels, [...common, origin.service, 'stable'])];
  }
  return action.forward.backends.map(({ upstream, role }) =>
    labelText(routeLabels, [...common, serviceOf(upstream), role]),
  );
}

/** Labels of requests that no route takes, and of the routes beyond the cap. */
export const noRouteLabels = labelText(routeLabels, ['none']);
export const otherLabels = labelText(routeLabels, ['other']);

function serviceOf(upstream: string): string {
  return upstream.slice(upstream.indexOf('/') + 1, upstream.lastIndexOf(':'));
}
