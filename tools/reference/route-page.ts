import { dump } from 'js-yaml';
import type { FilterRegistry } from '../../src/filters/filter-registry.ts';
import { routeSchema } from '../../src/model/route-schema.ts';
import type { CelRule, Schema } from '../../src/model/schema.ts';
import { routeFilters } from './crds.ts';
import { fieldTable, propertiesOf, walk } from './field-table.ts';
import { fenced, pageHead } from './markdown.ts';
import { routeExample } from './route-example.ts';

const INTRO = `A Route (\`routes.sallyport.dev/v1alpha1\`, short name \`spr\`) says which requests go to which Services, and what is done
to them on the way. It may do all that an Ingress with annotations may, typed and checked when it is written.`;

/** docs/reference/route.md */
export function routePage(registry: FilterRegistry): string {
  const spec = propertiesOf(routeSchema(routeFilters(registry))).get('spec') ?? {};
  const filters = registry.specs.flatMap(({ name, doc, route }) =>
    route === undefined ? [] : [filterSection({ name, doc, schema: route.schema, example: route.example })],
  );
  return [
    pageHead('Route', INTRO),
    `\n${fenced('yaml', dump(routeExample, { noRefs: true, lineWidth: -1 }))}`,
    '\n## Fields of spec\n\n',
    fieldTable(spec, 'rules[].filters'),
    '\n## Filters\n\n',
    'An entry of `filters` has one key, the name of the filter. Whatever the order in which they are written, filters run in ',
    'the order of this page; several of one kind run as written. Response changes happen in reverse.\n',
    ...filters,
    '\n## What is refused\n\n',
    'The API server refuses objects that break one of these rules.\n\n',
    celRules(spec)
      .map(({ message }) => `- ${message}\n`)
      .join(''),
  ].join('');
}

interface FilterDoc {
  readonly name: string;
  readonly doc: string;
  readonly schema: Schema;
  readonly example: unknown;
}

function filterSection({ name, doc, schema, example }: FilterDoc): string {
  const yaml = dump({ filters: [{ [name]: example }] }, { lineWidth: -1 });
  return `\n### ${name}\n\n${doc}\n\n${fieldTable(schema)}\n${fenced('yaml', yaml)}`;
}

/** The CEL rules of everything below a schema, each message once. */
function celRules(schema: Schema): readonly CelRule[] {
  const holders = walk(schema).flatMap(({ schema: field }) => [field, (field['items'] ?? {}) as Schema]);
  const rules = holders.flatMap((holder) => (holder['x-kubernetes-validations'] ?? []) as readonly CelRule[]);
  return [...new Map(rules.map((rule) => [rule.message, rule])).values()];
}
