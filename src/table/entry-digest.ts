import { hash } from 'node:crypto';
import type { TablePart } from './route-table.ts';

/** 16 hex digits over the part's name and the entry's canonical JSON, `digest` left out. SHA-256, cut to 64 bits. */
export function entryDigest(part: TablePart, entry: object): string {
  return hash('sha256', `${part} ${canonicalJson(entry)}`, 'hex').slice(0, 16);
}

/** Computes the digest of an entry and freezes it throughout. */
export function sealEntry<T extends { readonly digest: string }>(
  part: TablePart,
  entry: Omit<T, 'digest'>,
): T {
  // A spread of T's other members plus `digest` is T, which TypeScript cannot see for a generic T.
  return deepFreeze({ ...entry, digest: entryDigest(part, entry) }) as unknown as T;
}

/**
 * JSON with object keys in code-unit order and undefined members left out: equal values give equal text.
 * Table entries are shallow and made here, so the recursion is bounded by their types.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  let text = '';
  for (const key of Object.keys(value).toSorted()) {
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
