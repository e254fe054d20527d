import type { ObjectMeta } from './object-meta.ts';

/**
 * ReferenceGrant (gateway.networking.k8s.io): objects of its own namespace that objects of other namespaces may refer to.
 * Every `from` may refer to every `to` (GEP-709).
 */
export interface ReferenceGrant {
  readonly kind: 'ReferenceGrant';
  readonly meta: ObjectMeta;
  readonly from: readonly GrantSource[];
  readonly to: readonly GrantTarget[];
}

/** Objects that refer. `group` is '' for the core group. */
export interface GrantSource {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

/** Objects that are referred to; without a name, all of the kind. */
export interface GrantTarget {
  readonly group: string;
  readonly kind: string;
  readonly name: string | undefined;
}
