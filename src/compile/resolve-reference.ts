import { diagnose } from '../diagnostics/diagnostic.ts';
import type { ObjectRef } from '../diagnostics/diagnostic.ts';
import { groupOf, isKind } from '../model/kinds.ts';
import type { GrantSource, ReferenceGrant } from '../model/reference-grant.ts';
import type { ObjectKinds } from '../model/snapshot.ts';
import { dnsLabel, objectName } from '../model/text-checks.ts';
import type { ObjectContext } from './object-context.ts';

// Every reference from one object to another goes through here. Inside a namespace all are allowed; into another one only
// those that a ReferenceGrant of the target's namespace names (GEP-709). A refused reference looks nothing up, so that
// nobody learns of another namespace what is in it, and a source never fetches it.

/** Kinds that objects refer to. */
export type TargetKind = 'Service' | 'Secret' | 'ConfigMap';

/** What is referred to, and where in the object it stands. */
export interface Reference<K extends TargetKind = TargetKind> {
  readonly kind: K;
  readonly namespace: string;
  readonly name: string;
  /** Field path of the reference inside the object that refers. */
  readonly field: string;
}

export type Resolved<T> =
  | { readonly granted: true; readonly key: string; readonly object: T | undefined }
  /** Reported as SP2105. Whoever refers must fail closed. */
  | { readonly granted: false };

const MAX_NAME_LENGTH = 253;

const refused = Object.freeze({ granted: false } as const);

/** Looks up what `from` refers to. `object` is undefined while it does not exist, which is the caller's to report. */
export function resolveReference<K extends TargetKind>(
  ref: Reference<K>,
  from: ObjectContext,
): Resolved<ObjectKinds[K]> {
  if (!isGranted(ref, from)) {
    refuse(ref, from);
    return refused;
  }
  const key = `${ref.namespace}/${ref.name}`;
  return { granted: true, key, object: from.lookUp(ref.kind, key) };
}

/** `name` or `namespace/name`, as annotations and flags write references; undefined for anything else. */
export function parseNamespacedName(
  text: string,
  ownNamespace: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const parts = text.trim().split('/');
  const [name = '', namespace = ownNamespace] = parts.toReversed();
  const isName = parts.length <= 2 && objectName(name) === undefined && dnsLabel(namespace) === undefined;
  return isName ? { namespace, name } : undefined;
}

function isGranted(ref: Reference, from: ObjectContext): boolean {
  if (ref.namespace === from.object.namespace) return true;
  const source = sourceOf(from.object);
  return from.grants(ref.namespace).some((grant) => permits(grant, source, ref));
}

function permits(grant: ReferenceGrant, source: GrantSource, ref: Reference): boolean {
  const group = groupOf(ref.kind);
  return (
    grant.from.some(
      (from) =>
        from.group === source.group && from.kind === source.kind && from.namespace === source.namespace,
    ) &&
    grant.to.some(
      (to) => to.group === group && to.kind === ref.kind && (to.name === undefined || to.name === ref.name),
    )
  );
}

function sourceOf({ kind, namespace }: ObjectRef): GrantSource {
  return { group: isKind(kind) ? groupOf(kind) : '', kind, namespace };
}

function refuse(ref: Reference, from: ObjectContext): void {
  const message =
    `Refusing ${ref.kind} "${ref.namespace}/${ref.name}", want a ReferenceGrant in namespace "${ref.namespace}" ` +
    `that lets ${plural(from.object.kind)} of namespace "${from.object.namespace}" refer to it`;
  const hint = `Have the owner of namespace "${ref.namespace}" apply ${grantFor(ref, from.object)}`;
  from.diagnostics.push({ ...diagnose('SP2105', from.object, ref.field, message), hint });
}

function plural(kind: string): string {
  return kind.endsWith('s') ? `${kind}es` : `${kind}s`;
}

/** The narrowest grant that allows the reference: YAML on one line, which kubectl takes as it stands. */
function grantFor(ref: Reference, object: ObjectRef): string {
  const { group, kind, namespace } = sourceOf(object);
  // A name for each pair, so that applying one takes back no other.
  const name = `${namespace}-${kind}-to-${ref.kind}-${ref.name}`.toLowerCase().slice(0, MAX_NAME_LENGTH);
  const target = `{group: "${groupOf(ref.kind)}", kind: ${ref.kind}, name: "${ref.name}"}`;
  return (
    '{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, ' +
    `metadata: {name: "${name.replace(/[-.]+$/, '')}", namespace: "${ref.namespace}"}, ` +
    `spec: {from: [{group: "${group}", kind: ${kind}, namespace: "${namespace}"}], to: [${target}]}}`
  );
}
