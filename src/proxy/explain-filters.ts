import type { Filter, FilterHeaders, FilterRequest, LocalAnswer } from '../filters/filter.ts';
import { filterRegistry } from '../filters/registry.ts';
import type { TableRoute } from '../table/route-table.ts';
import { HeaderList } from '../util/header-list.ts';
import type { ReadRequest } from './explain-request.ts';

export interface ExplainedFilters {
  /** The filter that answers in place of an upstream, undefined when none does. */
  readonly answer: FilterAnswer | undefined;
  /** What the upstream is asked for, where filters change it: `host/path?query`. */
  readonly rewritten: string | undefined;
  /** Fields that filters add to the answer, or replace, by what they are given here: an answer without any. */
  readonly responseFields: readonly (readonly [name: string, value: string])[];
}

export interface FilterAnswer {
  readonly filter: string;
  readonly status: number;
  /** Where it redirects to, or ''. */
  readonly location: string;
}

interface Made {
  readonly name: string;
  readonly filter: Filter;
}

export const noFilters: ExplainedFilters = { answer: undefined, rewritten: undefined, responseFields: [] };

/**
 * Runs the filters of a route, as they would, on a copy of the request: they are pure, and none that waits for something is
 * waited for. `plainOnly`: those that are for plain HTTP alone. Never throws: where a filter cannot be built or fails, nothing
 * is known, and the route is closed for it elsewhere.
 */
export function explainFilters(
  route: TableRoute,
  request: ReadRequest['request'],
  { plainOnly = false }: { readonly plainOnly?: boolean } = {},
): ExplainedFilters {
  try {
    return run(route, request, plainOnly);
  } catch {
    return noFilters;
  }
}

function run(
  { filters, path }: TableRoute,
  request: ReadRequest['request'],
  plainOnly: boolean,
): ExplainedFilters {
  const headers = copyOf(request.headers);
  const asked: FilterRequest = {
    ...request,
    headers,
    origin: headers.get('origin') ?? '',
    matchedPath: path,
    requestId: '',
  };
  const made = filters.flatMap(({ name, config }) => make(name, config));
  const answer = firstAnswer(
    made.filter(({ filter }) => filter.plainOnly === true || !plainOnly),
    asked,
  );
  const fields = new HeaderList();
  for (const [name, value] of answer?.local.headers ?? []) fields.append(name, value);
  const before = fields.entries().length;
  const response = { status: answer?.local.status ?? 200, headers: fields as FilterHeaders };
  for (const { filter } of made.toReversed()) filter.onResponse?.(response, asked);
  const isRewritten =
    answer === undefined &&
    (asked.authority !== request.authority || asked.path !== request.path || asked.query !== request.query);
  return {
    answer:
      answer === undefined
        ? undefined
        : {
            filter: answer.name,
            status: answer.local.status,
            location: valueOf(answer.local, 'location'),
          },
    rewritten: isRewritten ? `${asked.authority}${asked.path}${asked.query}` : undefined,
    responseFields: fields.entries().slice(before),
  };
}

function make(name: string, config: unknown): readonly Made[] {
  const spec = filterRegistry.find(name);
  return spec === undefined ? [] : [{ name, filter: spec.create(config) }];
}

function firstAnswer(
  made: readonly Made[],
  request: FilterRequest,
): { readonly name: string; readonly local: LocalAnswer } | undefined {
  for (const { name, filter } of made) {
    if (filter.plainOnly === true && request.scheme === 'https') continue;
    const local = filter.onRequest?.(request);
    if (local !== undefined && !(local instanceof Promise)) return { name, local };
  }
  return undefined;
}

function copyOf(headers: HeaderList): HeaderList {
  const copy = new HeaderList();
  for (const [name, value] of headers.entries()) copy.append(name, value);
  return copy;
}

function valueOf({ headers }: LocalAnswer, lowerName: string): string {
  return headers.find(([name]) => name.toLowerCase() === lowerName)?.[1] ?? '';
}
