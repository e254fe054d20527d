import type { Conditions, ValueMatch } from '../../table/route-table.ts';
import { compileRanges } from '../../util/address-ranges.ts';
import { compileLinear, isRegexFault } from '../../util/linear-regex.ts';
import type { MatchRequest } from '../linked-table.ts';
import { anyCookie } from './cookies.ts';
import { anyQueryValue } from './query-values.ts';

/** Which member of `Conditions` a check came from; `index` counts within that member. */
export interface ConditionRef {
  readonly kind: 'method' | 'header' | 'query' | 'cookie' | 'source';
  readonly index: number;
}

/** One condition of a route, ready to run. */
export interface ConditionCheck extends ConditionRef {
  holds(request: MatchRequest): boolean;
}

/** Tests one value of a field that may occur several times. */
type ValueTest = (value: string) => boolean;

/** In the order in which they are cheap: method, headers, query, cookies, sources. Throws an Error for what cannot be compiled. */
export function compileConditions(conditions: Conditions): readonly ConditionCheck[] {
  const { methods, headers = [], query = [], cookies = [], sources } = conditions;
  return [
    ...(methods === undefined ? [] : [methodCheck(methods)]),
    ...headers.map((match, index) => valueCheck('header', index, match)),
    ...query.map((match, index) => valueCheck('query', index, match)),
    ...cookies.map((match, index) => valueCheck('cookie', index, match)),
    ...(sources === undefined ? [] : [sourceCheck(sources)]),
  ];
}

/** Index of the first check that does not hold, or -1. */
export function firstFailing(checks: readonly ConditionCheck[], request: MatchRequest): number {
  for (let index = 0; index < checks.length; index++) {
    if (checks[index]?.holds(request) === false) return index;
  }
  return -1;
}

function methodCheck(methods: readonly string[]): ConditionCheck {
  return { kind: 'method', index: 0, holds: (request) => methods.includes(request.method) };
}

function sourceCheck(cidrs: readonly string[]): ConditionCheck {
  const ranges = compileRanges(cidrs);
  if ('fault' in ranges) throw new Error(`source ${JSON.stringify(ranges.fault)} is not an address or CIDR`);
  return { kind: 'source', index: 0, holds: (request) => ranges.has(request.clientAddress) };
}

const finders = { header: anyHeader, query: anyQuery, cookie: anyRequestCookie } as const;

function valueCheck(kind: 'header' | 'query' | 'cookie', index: number, match: ValueMatch): ConditionCheck {
  const { name } = match;
  const find = finders[kind];
  const accepts = valueTest(match);
  const wanted = match.type !== 'absent';
  return { kind, index, holds: (request) => find(request, name, accepts) === wanted };
}

function valueTest({ type, value }: ValueMatch): ValueTest {
  if (type === 'exact') return (text) => text === value;
  if (type !== 'regex') return () => true;
  const regex = compileLinear(value);
  if (isRegexFault(regex)) throw new Error(`pattern ${JSON.stringify(value)}: ${regex.reason}`);
  return (text) => regex.matches(text);
}

function anyHeader({ headers }: MatchRequest, name: string, accepts: ValueTest): boolean {
  for (let index = headers.indexOf(name); index >= 0; index = headers.indexOf(name, index + 1)) {
    if (accepts(headers.values[index] ?? '')) return true;
  }
  return false;
}

function anyQuery({ query }: MatchRequest, name: string, accepts: ValueTest): boolean {
  return anyQueryValue(query, name, accepts);
}

function anyRequestCookie({ headers }: MatchRequest, name: string, accepts: ValueTest): boolean {
  return anyCookie(headers, name, accepts);
}
