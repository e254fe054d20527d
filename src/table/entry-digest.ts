import { hash } from 'node:crypto';
import type { TablePart } from './route-table.ts';

/**
 * 16 hex digits over the part's name and the entry's JSON, `digest` left out: SHA-256, cut to 64 bits. Entries are built
 * with their members in one order, which is far faster than sorting them here; what comes from elsewhere (a filter's
 * configuration) is brought into one by `canonicalise` before.
 */
export function entryDigest(part: TablePart, entry: object): string {
  return hash('sha256', `${part} ${JSON.stringify(entry)}`, 'hex').slice(0, 16);
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
 * A plain value with object keys in code-unit order and undefined members left out: equal values give equal JSON.
 * For small values that were made here: it recurses.
 */
export function canonicalise(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(canonicalise);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const sorted = members.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, member]) => [key, canonicalise(member)]));
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
