import { sealEntry } from '../table/entry-digest.ts';
import type { EntryRef, TableCertificate } from '../table/route-table.ts';
import { authorityId, readAuthority, validityFault } from './authority.ts';
import type { ObjectContext } from './object-context.ts';
import { resolveReference } from './resolve-reference.ts';
import { readTlsSecret } from './tls.ts';
import type { TlsPair } from './tls.ts';

// References from settings to certificates and authorities. Each names the entry and what it holds, so that a setting
// changes with them. Undefined after a report: whoever asks must fail closed.

interface CredentialRef {
  readonly namespace: string;
  readonly name: string;
  /** Field path of the reference inside the object that refers. */
  readonly field: string;
}

/** `consequence` is what follows when it cannot be had, as the end of a message. */
export function resolveAuthority(
  { kind, ...ref }: CredentialRef & { readonly kind: 'Secret' | 'ConfigMap' },
  consequence: string,
  context: ObjectContext,
): EntryRef | undefined {
  const found = resolveReference({ kind, ...ref }, context);
  if (!found.granted) return undefined;
  const shown = `${kind} "${found.key}"`;
  if (found.object === undefined) {
    context.report('SP2205', ref.field, `${shown} does not exist; ${consequence}`);
    return undefined;
  }
  const authority = readAuthority(found.object);
  if (typeof authority === 'string') {
    context.report('SP2206', ref.field, `${shown} ${authority}; ${consequence}`);
    return undefined;
  }
  const nowMs = context.options.now?.();
  const fault = nowMs === undefined ? undefined : validityFault(authority, nowMs);
  if (fault !== undefined) {
    context.report(
      'SP2209',
      ref.field,
      `The authority of ${shown} ${fault}; certificates that it signed are refused`,
    );
  }
  return { id: authorityId(kind, found.key), digest: authority.digest };
}

/** As `resolveAuthority`, of the certificate that a Secret holds with its key. */
export function resolvePair(
  ref: CredentialRef,
  consequence: string,
  context: ObjectContext,
): EntryRef | undefined {
  const found = resolveReference({ kind: 'Secret', ...ref }, context);
  if (!found.granted) return undefined;
  const { key, object: secret } = found;
  if (secret === undefined) {
    context.report('SP2205', ref.field, `Secret "${key}" does not exist; ${consequence}`);
    return undefined;
  }
  const pair = readTlsSecret(secret);
  if (typeof pair !== 'string') return { id: key, digest: certificateEntry(key, pair).digest };
  context.report('SP2206', ref.field, `Secret "${key}" ${pair}; ${consequence}`);
  return undefined;
}

const sealed = new WeakMap<TlsPair, TableCertificate>();

/** The table's entry for the pair of a Secret. */
export function certificateEntry(id: string, pair: TlsPair): TableCertificate {
  const before = sealed.get(pair);
  if (before !== undefined) return before;
  const { certificate, key } = pair;
  const entry = sealEntry<TableCertificate>('certificates', { id, certificate, key });
  sealed.set(pair, entry);
  return entry;
}
