import type { Condition } from '../diagnostics/condition.ts';
import type { PublishedAddress } from './publish-address.ts';
import { isRecord } from './project-object.ts';
import type { ObjectReport } from './status-feed.ts';

/** What `.status` of an object should say, as far as it is ours to say. */
export type DesiredStatus =
  | { readonly kind: 'addresses'; readonly addresses: readonly PublishedAddress[] }
  | {
      readonly kind: 'conditions';
      readonly conditions: readonly Condition[];
      readonly observedGeneration: number;
    };

/** undefined: leave it as it is. `addresses` undefined: they are not known, or nobody wants them in the status. */
export function desiredStatus(
  report: ObjectReport,
  addresses: readonly PublishedAddress[] | undefined,
): DesiredStatus | undefined {
  if (!report.owned) return undefined;
  if (report.kind === 'Ingress') return addresses && { kind: 'addresses', addresses };
  const { conditions, observedGeneration } = report;
  return { kind: 'conditions', conditions, observedGeneration };
}

/** The `.status` to apply, or undefined when `observed` says the same. A condition that stays as it was keeps its time. */
export function statusToApply(desired: DesiredStatus, observed: unknown, wallMs: number): object | undefined {
  if (desired.kind === 'addresses') {
    if (sameAddresses(desired.addresses, addressesIn(observed))) return undefined;
    return desired.addresses.length === 0 ? {} : { loadBalancer: { ingress: desired.addresses } };
  }
  const now = new Date(wallMs).toISOString().replace(/\.\d+Z$/, 'Z');
  const { observedGeneration } = desired;
  const known = conditionsIn(observed);
  let differs = false;
  const conditions = desired.conditions.map((condition) => {
    const before = known.get(condition.type);
    differs ||= !sameCondition({ ...condition, observedGeneration }, before);
    const since = before?.['lastTransitionTime'];
    const kept = before?.['status'] === condition.status && typeof since === 'string' && since !== '';
    return { ...condition, observedGeneration, lastTransitionTime: kept ? since : now };
  });
  return differs ? { conditions } : undefined;
}

/** Addresses in the status of an Ingress, without what load balancers add to them. */
export function addressesIn(status: unknown): readonly PublishedAddress[] {
  const balancer = isRecord(status) ? status['loadBalancer'] : undefined;
  const list = isRecord(balancer) ? balancer['ingress'] : undefined;
  if (!Array.isArray(list)) return [];
  return list.filter(isRecord).flatMap(({ ip, hostname }): readonly PublishedAddress[] => {
    if (typeof ip === 'string' && ip !== '') return [{ ip }];
    return typeof hostname === 'string' && hostname !== '' ? [{ hostname }] : [];
  });
}

/** Their order means nothing. */
export function sameAddresses(a: readonly PublishedAddress[], b: readonly PublishedAddress[]): boolean {
  const textOf = (list: readonly PublishedAddress[]): string => list.map(addressText).toSorted().join(' ');
  return a.length === b.length && textOf(a) === textOf(b);
}

function addressText({ ip, hostname }: PublishedAddress): string {
  return ip ?? hostname ?? '';
}

type ObservedCondition = Readonly<Record<string, unknown>>;

function conditionsIn(status: unknown): ReadonlyMap<unknown, ObservedCondition> {
  const list = isRecord(status) ? status['conditions'] : undefined;
  return new Map((Array.isArray(list) ? list : []).filter(isRecord).map((one) => [one['type'], one]));
}

function sameCondition(
  { status, reason, message, observedGeneration }: Condition & { readonly observedGeneration: number },
  observed: ObservedCondition | undefined,
): boolean {
  return (
    observed !== undefined &&
    observed['status'] === status &&
    observed['reason'] === reason &&
    observed['message'] === message &&
    observed['observedGeneration'] === observedGeneration &&
    typeof observed['lastTransitionTime'] === 'string'
  );
}
