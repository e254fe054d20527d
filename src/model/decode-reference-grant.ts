import type { Field } from './field.ts';
import type { ObjectMeta } from './object-meta.ts';
import type { ReferenceGrant } from './reference-grant.ts';
import { dnsLabel, kindName, objectName } from './text-checks.ts';

/** As the CRD bounds both lists. */
const MAX_ITEMS = 16;

/** gateway.networking.k8s.io ReferenceGrant; v1 and v1beta1 have one shape. */
export function decodeReferenceGrant(root: Field, meta: ObjectMeta): ReferenceGrant {
  const spec = root.get('spec').object();
  const from = spec
    .get('from')
    .filledList(MAX_ITEMS)
    .map((item) => ({ ...readKind(item), namespace: item.get('namespace').text({ check: dnsLabel }) }));
  const to = spec
    .get('to')
    .filledList(MAX_ITEMS)
    .map((item) => ({ ...readKind(item), name: item.get('name').optionalText({ check: objectName }) }));
  return { kind: 'ReferenceGrant', meta, from, to };
}

function readKind(item: Field): { readonly group: string; readonly kind: string } {
  const group = item.object().get('group');
  // '' is the core group, which is something else than a forgotten one.
  if (group.absent) group.want('an API group, "" for the core group');
  return {
    group: group.optionalText({ check: objectName }) ?? '',
    kind: item.get('kind').text({ check: kindName }),
  };
}
