import { DigestSum } from './digest-sum.ts';
import type { RouteTable, TableEntries, TablePart } from './route-table.ts';

/** Every part, in the order in which parts are printed and sent. */
export const tableParts = [
  'routes',
  'hosts',
  'upstreams',
  'endpoints',
  'certificates',
  'authorities',
] as const satisfies readonly TablePart[];

/** A table of sealed entries; its digest is computed from theirs. Generation 0 when left out. */
export function createTable(parts: Partial<TableParts>, generation = 0): RouteTable {
  const sum = new DigestSum();
  const table = { ...emptyParts, ...parts };
  for (const part of tableParts) {
    for (const entry of table[part].values()) sum.toggle(entry.digest);
  }
  return Object.freeze({ generation, digest: sum.toString(), ...table });
}

/** The parts of a table as maps by id. */
export type TableParts = { readonly [P in TablePart]: ReadonlyMap<string, TableEntries[P]> };

const emptyParts: TableParts = {
  routes: new Map(),
  hosts: new Map(),
  upstreams: new Map(),
  endpoints: new Map(),
  certificates: new Map(),
  authorities: new Map(),
};

/** Generation 0: what every receiver starts from. */
export const emptyTable: RouteTable = createTable({});
