import { tableParts } from './create-table.ts';
import type { EntryRef, RouteTable } from './route-table.ts';

/** A table as plain objects, entries in order of their ids: the form that goldens pin and the admin API prints. */
export type PrintedTable = Readonly<Record<string, unknown>>;

/** Certificates, keys and authorities are left out: only their digests show. */
export function printTable(table: RouteTable): PrintedTable {
  const parts = tableParts.map((part) => {
    const entries = [...table[part].values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    return [part, part === 'certificates' || part === 'authorities' ? entries.map(redact) : entries] as const;
  });
  return { generation: table.generation, digest: table.digest, ...Object.fromEntries(parts) };
}

function redact({ id, digest }: EntryRef): object {
  return { id, digest };
}
