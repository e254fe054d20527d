import type { TableRoute } from '../../table/route-table.ts';
import type { LinearRegex } from '../../util/linear-regex.ts';
import { compileLinear, isRegexFault } from '../../util/linear-regex.ts';
import { compileConditions } from './conditions.ts';
import type { ConditionCheck } from './conditions.ts';

/** A route as the matcher needs it. */
export interface Candidate {
  readonly route: TableRoute;
  /** undefined when the route asks for nothing beyond host and path. */
  readonly checks: readonly ConditionCheck[] | undefined;
  /** Set for paths of type `regex`. */
  readonly pathRegex: LinearRegex | undefined;
}

/** Compiles what a route asks for. Throws an Error that quotes what cannot be compiled. */
export function compileCandidate(route: TableRoute): Candidate {
  const { conditions, path } = route;
  const checks = conditions === undefined ? [] : compileConditions(conditions);
  return {
    route,
    checks: checks.length === 0 ? undefined : checks,
    pathRegex: path.type === 'regex' ? compilePath(path.value) : undefined,
  };
}

function compilePath(pattern: string): LinearRegex {
  const regex = compileLinear(pattern);
  if (isRegexFault(regex)) throw new Error(`path pattern ${JSON.stringify(pattern)}: ${regex.reason}`);
  return regex;
}
