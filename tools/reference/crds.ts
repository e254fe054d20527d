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

const condition = (type: string, description: string, priority?: number): Column => ({
  name: type,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
  description,
  ...(priority === undefined ? {} : { priority }),
});
const accepted = condition('Accepted', 'Whether it is free of faults');
const resolvedRefs = condition(
  'ResolvedRefs',
  'Whether everything that it refers to is there and may be used',
  1,
);
const programmed = condition('Programmed', 'Whether every worker serves by it');
/** Why it is not: the message of the condition that failed first. */
const reason: Column = {
  name: 'Reason',
  type: 'string',
  jsonPath: '.status.conditions[?(@.status=="False")].message',
  description: 'What is wrong with it, the first of it',
  priority: 1,
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
      { name: 'Hosts', type: 'string', jsonPath: '.spec.hosts', description: 'Hosts; none: every host' },
      {
        name: 'Backend',
        type: 'string',
        jsonPath: '.spec.rules[*].backends[*].service',
        description: 'Service of the first backend',
      },
      accepted,
      programmed,
      age,
      {
        name: 'Class',
        type: 'string',
        jsonPath: '.spec.ingressClassName',
        description: 'IngressClass; none: the default class',
        priority: 1,
      },
      {
        name: 'TLS',
        type: 'string',
        jsonPath: '.spec.tls.secretName',
        description: 'Secret of the certificate',
        priority: 1,
      },
      resolvedRefs,
      reason,
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
      { name: 'Service', type: 'string', jsonPath: '.spec.service', description: 'Service that it is for' },
      accepted,
      programmed,
      age,
      {
        name: 'Balance',
        type: 'string',
        jsonPath: '.spec.balance',
        description: 'How endpoints are chosen',
        priority: 1,
      },
      {
        name: 'Protocol',
        type: 'string',
        jsonPath: '.spec.protocol',
        description: 'What is spoken to endpoints',
        priority: 1,
      },
      resolvedRefs,
      reason,
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
