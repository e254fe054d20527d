import { quote } from '../filters/value-reader.ts';
import type { NamedMatch, RouteMatch } from '../model/route.ts';
import type { Conditions, ValueMatch } from '../table/route-table.ts';
import { compileRanges } from '../util/address-ranges.ts';
import { compileLinear, isRegexFault } from '../util/linear-regex.ts';
import type { ObjectContext } from './object-context.ts';

/**
 * The finer conditions of a match, each kind in an order that does not depend on how they were written. Undefined after a
 * report when one of them cannot be used.
 */
export function compileConditions(
  match: RouteMatch,
  field: string,
  context: ObjectContext,
): Conditions | undefined {
  const headers = match.headers.map((header) => ({ ...header, name: header.name.toLowerCase() }));
  const results = {
    methods: [...new Set(match.methods)].toSorted(),
    headers: compileValues(headers, `${field}.headers`, context),
    query: compileValues(match.query, `${field}.query`, context),
    cookies: compileValues(match.cookies, `${field}.cookies`, context),
    sources: compileSources(match.sourceRanges, `${field}.sourceRanges`, context),
  };
  const kinds = Object.entries(results);
  if (kinds.some(([, list]) => list === undefined)) return undefined;
  return Object.fromEntries(kinds.filter(([, list]) => list !== undefined && list.length > 0));
}

function compileValues(
  matches: readonly NamedMatch[],
  field: string,
  context: ObjectContext,
): readonly ValueMatch[] | undefined {
  let failed = false;
  for (const [index, { type, value }] of matches.entries()) {
    const regex = type === 'Regex' ? compileLinear(value) : undefined;
    if (regex === undefined || !isRegexFault(regex)) continue;
    context.report(
      'SP2005',
      `${field}[${index}].value`,
      `Leaving out the match: pattern ${quote(value)}: ${regex.reason}`,
    );
    failed = true;
  }
  if (failed) return undefined;
  return matches
    .map(({ name, type, value }) => ({ name, type: valueTypes[type], value }))
    .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

const valueTypes = { Exact: 'exact', Regex: 'regex', Present: 'present', Absent: 'absent' } as const;

function sortKey({ name, type, value }: ValueMatch): string {
  return `${name}\n${type}\n${value}`;
}

function compileSources(
  ranges: readonly string[],
  field: string,
  context: ObjectContext,
): readonly string[] | undefined {
  const sources = ranges.map((range, index) => {
    const cidr = range.trim().toLowerCase();
    const known = !('fault' in compileRanges([cidr]));
    if (!known) {
      const message = `Leaving out the match: got ${quote(range)}, want an address or a range like 10.0.0.0/8`;
      context.report('SP2007', `${field}[${index}]`, message);
    }
    return known ? cidr : undefined;
  });
  return sources.includes(undefined)
    ? undefined
    : [...new Set(sources.filter((source) => source !== undefined))].toSorted();
}
