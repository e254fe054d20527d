import type { TableEntries, TablePart } from './route-table.ts';

/** What differs between two tables, by part. */
export type TableChanges = { readonly [P in TablePart]: PartDelta<TableEntries[P]> };

/** What turns the table of generation `base` into that of `generation`. A delta from base 0 is a whole table. */
export interface TableDelta extends TableChanges {
  readonly base: number;
  readonly generation: number;
  /** Digest of the resulting table: a receiver that ends elsewhere asks for the whole table. */
  readonly digest: string;
}

export interface PartDelta<T> {
  /** Added or replaced. */
  readonly set: readonly T[];
  /** Ids. */
  readonly removed: readonly string[];
}
