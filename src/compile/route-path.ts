import type { PathMatch } from '../table/route-table.ts';
import { compileLinear, isRegexFault } from '../util/linear-regex.ts';
import { isPathFault, normalizeRulePath } from '../util/url-path.ts';

/** Why a path cannot be used; reads on from the quoted path. */
export interface RulePathFault {
  readonly reason: string;
}

/** A rule's path as it is matched. Prefixes lose their trailing slash. */
export function compilePath(type: PathMatch['type'], value: string): PathMatch | RulePathFault {
  if (type === 'regex') {
    const regex = compileLinear(value);
    return isRegexFault(regex) ? regex : { type, value };
  }
  // Encoded slashes stay: whether requests may bring them is the data plane's setting, and refusing is its default.
  const path = normalizeRulePath(value, { allowEncodedSlashes: true });
  if (isPathFault(path)) return path;
  const trimmed = type === 'prefix' && path.endsWith('/') && path !== '/' ? path.slice(0, -1) : path;
  return { type, value: trimmed };
}

export function isRulePathFault(path: PathMatch | RulePathFault): path is RulePathFault {
  return 'reason' in path;
}
