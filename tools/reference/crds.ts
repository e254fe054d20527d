import { dump } from 'js-yaml';
import type { FilterRegistry } from '../../src/filters/filter-registry.ts';
import { backendPolicySchema } from '../../src/model/backend-policy-schema.ts';
import { routeSchema } from '../../src/model/route-schema.ts';
import type { RouteFilterSchema } from '../../src/model/route-schema.ts';
import type { Schema } from '../../src/model/schema.ts';

interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly columns: readonly Column[];
  readonly schema: Schema;
}

interface Column {
  readonly name: string;
  readonly type: 'string' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** Above 0: only with `-o wide`. */
  readonly priority?: number;
}

const programmed: Column = {
  name: 'Programmed',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Programmed")].status',
};
const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** The filters that can stand in a Route, in the order of the chain. */
export function routeFilters({ specs }: FilterRegistry): readonly RouteFilterSchema[] {
  return specs.flatMap(({ name, route }) =>
    route === undefined ? [] : [{ name, schema: route.schema, answers: route.answers === true }],
  );
}

/** The manifest of routes.sallyport.dev. */
export function routeCrd(registry: FilterRegistry): string {
  return crd({
    kind: 'Route',
    plural: 'routes',
    shortName: 'spr',
    columns: [
      { name: 'Hosts', type: 'string', jsonPath: '.spec.hosts' },
      {
        name: 'Backends',
        type: 'string',
        jsonPath: '.spec.rules[*].backends[*].service',
        description: 'Service of the first backend',
      },
      programmed,
      age,
    ],
    schema: routeSchema(routeFilters(registry)),
  });
}

/** The manifest of backendpolicies.sallyport.dev. */
export function backendPolicyCrd(): string {
  return crd({
    kind: 'BackendPolicy',
    plural: 'backendpolicies',
    shortName: 'spbp',
    columns: [
      { name: 'Service', type: 'string', jsonPath: '.spec.service' },
      { name: 'Balance', type: 'string', jsonPath: '.spec.balance' },
      programmed,
      age,
    ],
    schema: backendPolicySchema,
  });
}

function crd({ kind, plural, shortName, columns, schema }: Kind): string {
  const manifest = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.sallyport.dev` },
    spec: {
      group: 'sallyport.dev',
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ['sallyport'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  };
  return `# Written by tools/generate.ts: do not edit.\n${dump(manifest, { noRefs: true, lineWidth: -1 })}`;
}
