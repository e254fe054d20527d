import type { ObjectRef } from '../diagnostics/diagnostic.ts';
import { ClaimIndex } from './claim-index.ts';
import type { RouteDraft } from './fragment.ts';
import { withoutTier } from './rank.ts';

/** An object that has routes on a host. */
export interface HostHolder {
  readonly object: ObjectRef;
  readonly rank: string;
}

/**
 * Who was first on each host pattern: of the objects that have routes on exactly that pattern, the oldest holds it, whatever
 * its paths. Canaries hold nothing, because their mains do, and neither does what answers where nobody else does.
 */
export class HostHolders {
  readonly #holders = new ClaimIndex<HostHolder>();

  replace(before: readonly RouteDraft[], after: readonly RouteDraft[]): void {
    const [left, entered] = [hostsOf(before), hostsOf(after)];
    const isAsOld = before[0]?.rank === after[0]?.rank;
    for (const [host, { object }] of left) {
      if (isAsOld && entered.has(host)) continue;
      const holder = this.#holders.get(host).find((one) => isSame(one.object, object));
      if (holder !== undefined) this.#holders.remove(host, holder);
    }
    for (const [host, { object, rank }] of entered) {
      if (!isAsOld || !left.has(host)) this.#holders.add(host, { object, rank: withoutTier(rank) });
    }
  }

  /** Undefined where nobody has a route. */
  of(host: string): HostHolder | undefined {
    return this.#holders.get(host)[0];
  }

  /** Hosts that objects have come to or left since the last call. */
  takeTouched(): ReadonlySet<string> {
    return this.#holders.takeTouched();
  }
}

/** Each host with a draft that has it. */
function hostsOf(drafts: readonly RouteDraft[]): ReadonlyMap<string, RouteDraft> {
  const hosts = new Map<string, RouteDraft>();
  for (const draft of drafts) {
    if (draft.canary !== undefined || draft.tier === 'last') continue;
    for (const host of draft.hosts) hosts.set(host, draft);
  }
  return hosts;
}

function isSame(a: ObjectRef, b: ObjectRef): boolean {
  return a.name === b.name && a.namespace === b.namespace && a.kind === b.kind;
}
