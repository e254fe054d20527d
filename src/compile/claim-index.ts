/** Something that several objects may ask for and only one can have. The least rank wins. */
interface Ranked {
  readonly rank: string;
}

/** Claims by what they are on, in order of rank. Remembers which keys were touched since they were last asked for. */
export class ClaimIndex<C extends Ranked> {
  readonly #groups = new Map<string, C[]>();
  #touched = new Set<string>();

  add(key: string, claim: C): void {
    this.#touched.add(key);
    const group = this.#groups.get(key);
    if (group === undefined) {
      this.#groups.set(key, [claim]);
      return;
    }
    group.splice(placeOf(group, claim.rank), 0, claim);
  }

  remove(key: string, claim: C): void {
    this.#touched.add(key);
    const rest = (this.#groups.get(key) ?? []).filter((other) => other !== claim);
    if (rest.length > 0) this.#groups.set(key, rest);
    else this.#groups.delete(key);
  }

  /** The claims on a key, the winner first. */
  get(key: string): readonly C[] {
    return this.#groups.get(key) ?? [];
  }

  takeTouched(): ReadonlySet<string> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }
}

/** Where a rank belongs, by bisection: one host and path may be asked for by thousands. */
function placeOf(group: readonly Ranked[], rank: string): number {
  let low = 0;
  let high = group.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((group[middle]?.rank ?? '') <= rank) low = middle + 1;
    else high = middle;
  }
  return low;
}
