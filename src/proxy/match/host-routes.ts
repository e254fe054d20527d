import type { MatchRequest } from '../linked-table.ts';
import type { Candidate } from './candidate.ts';
import { firstFailing } from './conditions.ts';
import { childAt, editPath, emptyTree } from './path-tree.ts';
import type { PathNode } from './path-tree.ts';
import { compareRegexRoutes, compareRoutes } from './precedence.ts';

/** Told about every route that was looked at and did not hold. `check` is the index of the condition that failed. */
export interface MatchTrace<C extends Candidate> {
  failed(candidate: C, check: number): void;
}

/** Memory for one descent, reused: the first `count` nodes have prefixes that hold, shortest first. */
export interface Trail<C extends Candidate> {
  readonly nodes: PathNode<C>[];
  count: number;
}

const SLASH = 0x2f;

/** The routes of one host pattern. Immutable: an edit gives another one that shares what stays. */
export class HostRoutes<C extends Candidate> {
  readonly #root: PathNode<C>;
  readonly #regexes: readonly C[];
  /** The route that serves every request, where one does: most hosts have just the prefix `/`. */
  readonly #always: C | undefined;
  readonly size: number;

  constructor(root: PathNode<C> = emptyTree, regexes: readonly C[] = [], size = 0) {
    this.#root = root;
    this.#regexes = regexes;
    this.#always = size === 1 ? soleRoute(root) : undefined;
    this.size = size;
  }

  with(candidate: C): HostRoutes<C> {
    const { type, value } = candidate.route.path;
    if (type === 'regex') {
      return new HostRoutes(
        this.#root,
        inserted(this.#regexes, candidate, compareRegexRoutes),
        this.size + 1,
      );
    }
    const root = editPath(this.#root, value, type, (routes) => inserted(routes, candidate, compareRoutes));
    return new HostRoutes(root, this.#regexes, this.size + 1);
  }

  /** Without this very object; the same routes when it is not there. */
  without(candidate: C): HostRoutes<C> {
    const { type, value } = candidate.route.path;
    let removed = 0;
    const drop = (routes: readonly C[]): readonly C[] => {
      const kept = routes.filter((route) => route !== candidate);
      removed = routes.length - kept.length;
      return kept;
    };
    if (type === 'regex') return new HostRoutes(this.#root, drop(this.#regexes), this.size - removed);
    const root = editPath(this.#root, value, type, drop);
    return removed === 0 ? this : new HostRoutes(root, this.#regexes, this.size - removed);
  }

  /** The route for this path: exact, then regex, then prefixes from the longest, each tried in the order of precedence. */
  find(request: MatchRequest, trail: Trail<C>, trace: MatchTrace<C> | undefined): C | undefined {
    if (this.#always !== undefined) return this.#always;
    const end = this.#descend(request.path, trail);
    const exact = end === undefined ? undefined : firstHolding(end.exact, request, trace);
    if (exact !== undefined) return exact;
    const regex = this.#regexes.length === 0 ? undefined : this.#firstRegex(request, trace);
    if (regex !== undefined) return regex;
    for (let index = trail.count - 1; index >= 0; index--) {
      const found = firstHolding(trail.nodes[index]?.prefix ?? [], request, trace);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Every route, in no order. */
  *all(): Generator<C> {
    yield* this.#regexes;
    const open = [this.#root];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      yield* node.exact;
      yield* node.prefix;
      open.push(...node.children);
    }
  }

  /** Notes the prefixes on the way into the trail. Returns the node at which the path ends, if there is one. */
  #descend(path: string, trail: Trail<C>): PathNode<C> | undefined {
    let node: PathNode<C> | undefined = this.#root;
    let at = 0;
    trail.count = 0;
    for (;;) {
      // At 1 stands the prefix `/`, of which every path is an element.
      if (node.prefix.length > 0 && (at === path.length || at === 1 || path.charCodeAt(at) === SLASH)) {
        trail.nodes[trail.count++] = node;
      }
      if (at === path.length) return node;
      node = childAt(node, path.charCodeAt(at));
      if (node === undefined || !path.startsWith(node.label, at)) return undefined;
      at += node.label.length;
    }
  }

  #firstRegex(request: MatchRequest, trace: MatchTrace<C> | undefined): C | undefined {
    for (const candidate of this.#regexes) {
      if (candidate.pathRegex?.matches(request.path) === true && holds(candidate, request, trace))
        return candidate;
    }
    return undefined;
  }
}

/** The only route of a tree, when it has the prefix `/` and no conditions. */
function soleRoute<C extends Candidate>({ children: [child] }: PathNode<C>): C | undefined {
  const route = child?.label === '/' ? child.prefix[0] : undefined;
  return route?.checks === undefined ? route : undefined;
}

function firstHolding<C extends Candidate>(
  candidates: readonly C[],
  request: MatchRequest,
  trace: MatchTrace<C> | undefined,
): C | undefined {
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index];
    if (candidate !== undefined && holds(candidate, request, trace)) return candidate;
  }
  return undefined;
}

function holds<C extends Candidate>(
  candidate: C,
  request: MatchRequest,
  trace: MatchTrace<C> | undefined,
): boolean {
  if (candidate.checks === undefined) return true;
  const failing = firstFailing(candidate.checks, request);
  if (failing < 0) return true;
  trace?.failed(candidate, failing);
  return false;
}

function inserted<C extends Candidate>(
  routes: readonly C[],
  candidate: C,
  compare: (a: C['route'], b: C['route']) => number,
): readonly C[] {
  const found = routes.findIndex(({ route }) => compare(candidate.route, route) < 0);
  return routes.toSpliced(found < 0 ? routes.length : found, 0, candidate);
}
