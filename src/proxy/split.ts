import type { Forward, Split, SplitOverride } from '../table/route-table.ts';
import { compileLinear, isRegexFault } from '../util/linear-regex.ts';
import { hashString, mixHash } from '../util/string-hash.ts';
import type { LinkedBackend, LinkedRoute, MatchRequest, Splitter } from './linked-table.ts';
import { anyCookie, firstCookie } from './match/cookies.ts';

/**
 * The backend that serves a request of this route: the first override that holds, else by weight, at random or always
 * alike for one client; then that backend's fallback while it has no endpoints. undefined when nothing may serve it.
 * Allocates nothing for routes with one backend and for random splits.
 */
export function chooseBackend(
  route: LinkedRoute,
  request: MatchRequest,
  random: () => number,
): LinkedBackend | undefined {
  return route.splitter === undefined ? route.backends[0] : route.splitter.choose(request, random);
}

/** undefined where the only backend serves everything. Throws an Error for a pattern that cannot be compiled. */
export function createSplitter(forward: Forward, backends: readonly LinkedBackend[]): Splitter | undefined {
  const [only] = backends;
  if (backends.length === 1 && only !== undefined && only.weight > 0) return undefined;
  return new WeightedSplitter(forward, backends);
}

/** How a request's backend is chosen. */
export interface SplitDecision {
  readonly by: 'override' | 'sticky' | 'random';
  /** Index of the override that decides, or -1. */
  readonly override: number;
  /** Chance of each backend to serve this request, fallbacks followed. All 0 when nothing may serve it. */
  readonly shares: readonly number[];
}

interface Override {
  readonly backend: number;
  holds(request: MatchRequest): boolean;
}

/** Overrides, then weights. */
export class WeightedSplitter implements Splitter {
  readonly #backends: readonly LinkedBackend[];
  readonly #overrides: readonly Override[];
  readonly #split: Split;
  readonly #total: number;
  /** One per backend, for the sticky choice. Derived from its upstream, so that moving in the list changes nothing. */
  readonly #seeds: readonly number[];

  constructor({ overrides, split }: Forward, backends: readonly LinkedBackend[]) {
    this.#backends = backends;
    this.#overrides = overrides.map(compileOverride);
    this.#split = split;
    this.#total = backends.reduce((total, { weight }) => total + weight, 0);
    const ids = backends.map(({ upstream }) => upstream.id);
    this.#seeds = ids.map((id, index) => hashString(`${id} ${ids.indexOf(id) === index ? 0 : index}`));
  }

  choose(request: MatchRequest, random: () => number): LinkedBackend | undefined {
    const override = this.#overrideFor(request);
    if (override !== undefined) return this.#serving(override.backend);
    if (this.#total <= 0) return undefined;
    const sticky = this.#stickyFor(request);
    return this.#serving(sticky < 0 ? this.#atRandom(random()) : sticky);
  }

  /** What `choose` would do, for explanations. */
  inspect(request: MatchRequest): SplitDecision {
    const backends = this.#backends;
    const override = this.#overrideFor(request);
    const sticky = override === undefined && this.#total > 0 ? this.#stickyFor(request) : -1;
    const fixed = override?.backend ?? sticky;
    const shares = backends.map(() => 0);
    backends.forEach(({ weight }, index) => {
      const share = fixed < 0 ? weight / (this.#total || 1) : Number(index === fixed);
      const serving = share > 0 ? this.#serving(index) : undefined;
      const place = serving === undefined ? -1 : backends.indexOf(serving);
      if (place >= 0) shares[place] = (shares[place] ?? 0) + share;
    });
    if (override !== undefined)
      return { by: 'override', override: this.#overrides.indexOf(override), shares };
    return { by: sticky < 0 ? 'random' : 'sticky', override: -1, shares };
  }

  #overrideFor(request: MatchRequest): Override | undefined {
    for (let index = 0; index < this.#overrides.length; index++) {
      const override = this.#overrides[index];
      if (override?.holds(request) === true) return override;
    }
    return undefined;
  }

  /** The backend that always serves this client, or -1 when the choice is random. */
  #stickyFor(request: MatchRequest): number {
    const key = this.#split.by === 'random' ? '' : stickyKey(this.#split, request);
    return key === '' ? -1 : this.#sticky(hashString(key));
  }

  #atRandom(fraction: number): number {
    let rest = fraction * this.#total;
    let chosen = 0;
    for (let index = 0; index < this.#backends.length; index++) {
      const weight = this.#backends[index]?.weight ?? 0;
      if (weight <= 0) continue;
      chosen = index;
      rest -= weight;
      if (rest < 0) break;
    }
    return chosen;
  }

  /**
   * Weighted rendezvous hashing (Schindelhauer and Schomaker, 2005): each backend draws an exponential variate of its rate
   * from the key's hash, the least wins. A change of weights moves only the keys that it must.
   */
  #sticky(hash: number): number {
    let best = Infinity;
    let chosen = 0;
    for (let index = 0; index < this.#backends.length; index++) {
      const weight = this.#backends[index]?.weight ?? 0;
      if (weight <= 0) continue;
      const uniform = (mixHash(hash ^ (this.#seeds[index] ?? 0)) + 0.5) / 2 ** 32;
      const draw = -Math.log(uniform) / weight;
      if (draw < best) {
        best = draw;
        chosen = index;
      }
    }
    return chosen;
  }

  /** Follows fallbacks past backends that have no endpoints, or whose required backend has none. */
  #serving(index: number): LinkedBackend | undefined {
    let backend = this.#backends[index];
    for (let steps = this.#backends.length; steps > 0; steps--) {
      if (backend?.fallback === undefined || this.#isServing(backend)) return backend;
      backend = this.#backends[backend.fallback];
    }
    return backend;
  }

  #isServing({ upstream, requires }: LinkedBackend): boolean {
    if (upstream.endpointCount === 0) return false;
    return requires === undefined || (this.#backends[requires]?.upstream.endpointCount ?? 0) > 0;
  }
}

/** What a sticky split goes by; '' when the request lacks it, and the split is random. */
function stickyKey(split: Split, request: MatchRequest): string {
  if (split.by === 'address') return request.clientAddress;
  if (split.by === 'header') return request.headers.get(split.name) ?? '';
  return split.by === 'cookie' ? (firstCookie(request.headers, split.name) ?? '') : '';
}

function compileOverride({ source, name, type, value, backend }: SplitOverride): Override {
  const accepts = type === 'exact' ? (text: string) => text === value : occurrence(value);
  return {
    backend,
    holds:
      source === 'cookie'
        ? ({ headers }) => anyCookie(headers, name, accepts)
        : ({ headers }) => headers.getAll(name).some(accepts),
  };
}

/** Overrides look for their pattern anywhere in the value, as ingress-nginx's canary-by-header-pattern does. */
function occurrence(pattern: string): (text: string) => boolean {
  const regex = compileLinear(pattern);
  if (isRegexFault(regex)) throw new Error(`pattern ${JSON.stringify(pattern)}: ${regex.reason}`);
  return (text) => regex.occursIn(text);
}
