import type { Conditions, TableRoute } from '../../table/route-table.ts';

/** How much a route asks beyond host and path, in the order in which it counts: see docs/routing.md. */
export type Specificity = readonly [
  method: number,
  headers: number,
  query: number,
  cookies: number,
  sources: number,
];

const nothing: Specificity = [0, 0, 0, 0, 0];

export function specificity(conditions: Conditions | undefined): Specificity {
  if (conditions === undefined) return nothing;
  const { methods, headers, query, cookies, sources } = conditions;
  return [
    Number(methods !== undefined),
    headers?.length ?? 0,
    query?.length ?? 0,
    cookies?.length ?? 0,
    Number(sources !== undefined),
  ];
}

/** Names of the places of a Specificity, for explanations. */
export const specificityNames = [
  'a method',
  'header',
  'query parameter',
  'cookie',
  'a source range',
] as const;

/** The first place in which two routes differ in specificity, or -1. */
export function specificityDifference(a: Specificity, b: Specificity): number {
  return a.findIndex((count, place) => count !== b[place]);
}

/** Order among routes of one path: the more specific first, then the lesser rank, then the lesser id. */
export function compareRoutes(a: TableRoute, b: TableRoute): number {
  const left = specificity(a.conditions);
  const right = specificity(b.conditions);
  const place = specificityDifference(left, right);
  if (place >= 0) return (right[place] ?? 0) - (left[place] ?? 0);
  return compareText(a.rank, b.rank) || compareText(a.id, b.id);
}

/** Order among the regex routes of a host: the longer pattern first, then as routes of one path. */
export function compareRegexRoutes(a: TableRoute, b: TableRoute): number {
  return b.path.value.length - a.path.value.length || compareRoutes(a, b);
}

/** By code unit. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
