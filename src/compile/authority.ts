import { X509Certificate } from 'node:crypto';

import type { ConfigMap, Secret } from '../model/core-objects.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { TableAuthority } from '../table/route-table.ts';
import { isRevocationList } from './revocation-list.ts';

// Who is believed about certificates: `ca.crt` and maybe `ca.crl` of a Secret or a ConfigMap. What cannot be read is never
// replaced by what was there before: an authority is often changed because the old one must not be believed any more.

/** What holds the PEM texts. */
export type AuthorityHolder = Secret | ConfigMap;

const CERTIFICATES = 'ca.crt';
const REVOKED = 'ca.crl';
const UNREADABLE = `holds something under ${CERTIFICATES} that is no readable PEM certificate`;
const certificateBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const revocationBlock = /-----BEGIN X509 CRL-----([\s\S]*?)-----END X509 CRL-----/g;

/** Reading certificates is slow, and one bundle often serves many objects. */
const known = new WeakMap<AuthorityHolder, TableAuthority | string>();

/** When the certificates of an authority are valid. */
const validity = new WeakMap<TableAuthority, readonly Validity[]>();

interface Validity {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Id of the table entry of a Secret or ConfigMap. */
export function authorityId(kind: AuthorityHolder['kind'], key: string): string {
  return kind === 'Secret' ? key : `${kind}/${key}`;
}

/** The authority that a Secret or ConfigMap holds, or why it cannot be used. Never quotes what it holds. */
export function readAuthority(holder: AuthorityHolder): TableAuthority | string {
  const before = known.get(holder);
  if (before !== undefined) return before;
  const result = read(holder);
  known.set(holder, result);
  return result;
}

function read(holder: AuthorityHolder): TableAuthority | string {
  const certificates = textOf(holder, CERTIFICATES);
  if (certificates.trim() === '') return `lacks ${CERTIFICATES}`;
  const blocks = readCertificates(certificates);
  if (blocks === undefined) return UNREADABLE;
  const revoked = textOf(holder, REVOKED);
  const crl = revoked.trim() === '' ? '' : readRevocationLists(revoked);
  if (crl === undefined) return `holds something under ${REVOKED} that is no readable PEM list`;
  const { namespace, name } = holder.meta;
  const authority = sealEntry<TableAuthority>('authorities', {
    id: authorityId(holder.kind, `${namespace}/${name}`),
    ca: joined(blocks.map(({ block }) => block)),
    ...(crl === '' ? {} : { crl }),
  });
  validity.set(
    authority,
    blocks.map(({ fromMs, toMs }) => ({ fromMs, toMs })),
  );
  return authority;
}

/**
 * Why nothing that an authority has signed is taken at a moment; undefined while one of its certificates is valid. An old
 * one beside it is no fault: that is how authorities are replaced.
 */
export function validityFault(authority: TableAuthority, nowMs: number): string | undefined {
  const spans = validity.get(authority) ?? [];
  if (spans.some(({ fromMs, toMs }) => fromMs <= nowMs && nowMs <= toMs)) return undefined;
  const next = Math.min(...spans.map(({ fromMs }) => fromMs).filter((fromMs) => fromMs > nowMs));
  if (next < Infinity) return `is not valid before ${new Date(next).toISOString()}`;
  return `has expired at ${new Date(Math.max(...spans.map(({ toMs }) => toMs))).toISOString()}`;
}

/** Only the blocks: what is written between them changes nothing. Undefined when one of them cannot be read. */
function readCertificates(text: string): readonly (Validity & { readonly block: string })[] | undefined {
  const blocks = text.match(certificateBlock) ?? [];
  if (blocks.length === 0 || text.replaceAll(certificateBlock, '').includes('-----BEGIN')) return undefined;
  try {
    return blocks.map((block) => {
      const { validFromDate, validToDate } = new X509Certificate(block);
      return { block, fromMs: validFromDate.getTime(), toMs: validToDate.getTime() };
    });
  } catch {
    return undefined;
  }
}

function readRevocationLists(text: string): string | undefined {
  const blocks = [...text.matchAll(revocationBlock)];
  if (blocks.length === 0 || text.replaceAll(revocationBlock, '').includes('-----BEGIN')) return undefined;
  const readable = blocks.every(([, base64 = '']) => isRevocationList(Buffer.from(base64, 'base64')));
  return readable ? joined(blocks.map(([block]) => block)) : undefined;
}

function joined(blocks: readonly string[]): string {
  return `${blocks.join('\n')}\n`;
}

function textOf(holder: AuthorityHolder, key: string): string {
  return holder.kind === 'Secret'
    ? (holder.data.get(key)?.toString('latin1') ?? '')
    : (holder.data.get(key) ?? '');
}
