import type { TableRoute, ValueMatch } from '../table/route-table.ts';
import type { MatchRequest } from './linked-table.ts';
import type { ConditionRef } from './match/conditions.ts';
import { anyCookie } from './match/cookies.ts';
import { anyQueryValue } from './match/query-values.ts';

/** A condition that a request does not meet, in words. */
export interface FailedCondition {
  /** `method`, `header x-role`, `query parameter v`, `cookie user`, `client address`. */
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

const members = { header: 'headers', query: 'query', cookie: 'cookies' } as const;
const nouns = { header: 'header', query: 'query parameter', cookie: 'cookie' } as const;

export function describeCheck(
  { conditions = {} }: TableRoute,
  check: ConditionRef | undefined,
  request: MatchRequest,
): FailedCondition {
  if (check === undefined || check.kind === 'method') {
    return { what: 'method', expected: (conditions.methods ?? []).join(' or '), got: request.method };
  }
  if (check.kind === 'source') {
    const expected = (conditions.sources ?? []).join(' or ');
    return { what: 'client address', expected, got: request.clientAddress };
  }
  const match = conditions[members[check.kind]]?.[check.index];
  const name = match?.name ?? '';
  const values = collect(check.kind, name, request);
  return {
    what: `${nouns[check.kind]} ${name}`,
    expected: match === undefined ? '' : describeWanted(match),
    got: values.length === 0 ? 'none' : values.map((value) => JSON.stringify(value)).join(' and '),
  };
}

function describeWanted({ type, value }: ValueMatch): string {
  if (type === 'present') return 'any value';
  if (type === 'absent') return 'none';
  return type === 'exact' ? JSON.stringify(value) : `a whole match of ${value}`;
}

/** All values that the matcher looked at, gathered with its own readers. */
function collect(
  kind: 'header' | 'query' | 'cookie',
  name: string,
  request: MatchRequest,
): readonly string[] {
  if (kind === 'header') return request.headers.getAll(name);
  const values: string[] = [];
  const gather = (value: string) => {
    values.push(value);
    return false;
  };
  if (kind === 'query') anyQueryValue(request.query, name, gather);
  else anyCookie(request.headers, name, gather);
  return values;
}
