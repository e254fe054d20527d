import { quote } from '../filters/value-reader.ts';
import type { FilterSpec } from '../filters/filter.ts';
import type { ParseContext } from '../filters/parse-context.ts';
import { filterRegistry } from '../filters/registry.ts';
import { canonicalise } from '../table/entry-digest.ts';
import type { FilterConfig } from '../table/route-table.ts';
import type { AnnotationReader } from './annotation-reader.ts';
import type { ObjectContext } from './object-context.ts';

/** The filters of a route in the order of the chain, or undefined when one cannot be built: the route must fail closed. */
export type CompiledFilters = readonly FilterConfig[] | undefined;

/** The filters that an Ingress's annotations switch on. */
export function filtersFromAnnotations(reader: AnnotationReader, context: ObjectContext): CompiledFilters {
  const filters: FilterConfig[] = [];
  const reports = reportsTo(context, (path) => reader.path(path));
  for (const { name, annotations } of filterRegistry.specs) {
    if (annotations?.known.some((known) => reader.keys.has(known.name)) !== true) continue;
    const config = annotations.parse(reader.get, reports.context);
    if (config !== undefined) filters.push({ name, config: canonicalise(config) });
  }
  return reports.failed() ? undefined : filters;
}

/** The filters of a Route's rule. `field` is the path of the rule. */
export function filtersFromRule(
  filters: readonly Readonly<Record<string, unknown>>[],
  field: string,
  context: ObjectContext,
): CompiledFilters {
  const found: FilterConfig[] = [];
  let failed = false;
  for (const [index, filter] of filters.entries()) {
    const config = compileFilter(filter, `${field}.filters[${index}]`, context);
    if (config === undefined) failed = true;
    else found.push(config);
  }
  if (failed) return undefined;
  // Stable: filters of one kind keep the order in which they were written.
  return found.toSorted((a, b) => filterRegistry.position(a.name) - filterRegistry.position(b.name));
}

function compileFilter(
  filter: Readonly<Record<string, unknown>>,
  field: string,
  context: ObjectContext,
): FilterConfig | undefined {
  const [name, ...others] = Object.keys(filter);
  if (name === undefined || others.length > 0) {
    context.report(
      'SP4302',
      field,
      `Got ${others.length + (name === undefined ? 0 : 1)} keys, want exactly one: the filter's name`,
    );
    return undefined;
  }
  const half = filterRegistry.find(name)?.route;
  if (half === undefined) {
    context.report(
      'SP4302',
      `${field}.${name}`,
      `Unknown filter ${quote(name)}, want one of ${routeFilters()}`,
    );
    return undefined;
  }
  return parse(half, filter[name], { name, field: `${field}.${name}`, context });
}

interface Place {
  readonly name: string;
  readonly field: string;
  readonly context: ObjectContext;
}

function parse(
  half: NonNullable<FilterSpec['route']>,
  value: unknown,
  place: Place,
): FilterConfig | undefined {
  const reports = reportsTo(place.context, (path) => join(place.field, path));
  const config = half.parse(value, reports.context);
  if (config !== undefined && !reports.failed()) return { name: place.name, config: canonicalise(config) };
  return undefined;
}

function join(field: string, path: string): string {
  return path === '' || path.startsWith('[') ? `${field}${path}` : `${field}.${path}`;
}

function routeFilters(): string {
  return filterRegistry.specs
    .filter(({ route }) => route !== undefined)
    .map(({ name }) => name)
    .join(', ');
}

/** Passes a filter's reports on, with full paths, and remembers whether one was an error. */
function reportsTo(
  target: ObjectContext,
  fullPath: (path: string) => string,
): { readonly context: ParseContext; failed(): boolean } {
  let failed = false;
  const context: ParseContext = {
    error(code, path, message) {
      failed = true;
      target.report(code, fullPath(path), message);
    },
    warn(code, path, message) {
      target.report(code, fullPath(path), message);
    },
  };
  return { context, failed: () => failed };
}
