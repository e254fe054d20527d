import type { ObjectRef } from '../diagnostics/diagnostic.ts';
import type { ObjectMeta } from '../model/object-meta.ts';
import type { RouteTier } from './fragment.ts';

/** Wide enough for any time of creation in milliseconds. */
const AGE_DIGITS = 15;
const POSITION_DIGITS = 4;
const tiers = { explicit: 0, default: 1, last: 2 } as const satisfies Record<RouteTier, number>;

/**
 * Precedence among equally specific claims, the lesser string first: explicit paths before default backends, older
 * objects before younger ones, then namespace, name and kind. A space sorts below every character that names may hold,
 * so that the strings compare field by field.
 */
export function objectRank(
  object: ObjectRef,
  meta: Pick<ObjectMeta, 'createdAtMs'>,
  tier: RouteTier = 'explicit',
): string {
  const age = String(meta.createdAtMs).padStart(AGE_DIGITS, '0');
  return `${tiers[tier]} ${age} ${object.namespace} ${object.name} ${object.kind}`;
}

/** The place of a route inside its object. */
export function routeRank(rank: string, ...position: readonly number[]): string {
  return `${rank} ${position.map((index) => String(index).padStart(POSITION_DIGITS, '0')).join('.')}`;
}

/** For comparing objects by age alone: as if all that they ask for were explicit. */
export function withoutTier(rank: string): string {
  return `${tiers.explicit}${rank.slice(1)}`;
}

/** Why one of two claims goes first, as the end of a sentence about the winner. */
export function whyFirst(winner: string, loser: string): string {
  return ageOf(winner) === ageOf(loser) ? 'is of equal age and first by namespace and name' : 'is older';
}

function ageOf(rank: string): string | undefined {
  return rank.split(' ', 2)[1];
}
