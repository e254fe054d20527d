import type { EndpointSet, TableCertificate, TableHost, TableRoute, TableUpstream } from './route-table.ts';

/** What turns the table of generation `base` into that of `generation`. A delta from base 0 is a whole table. */
export interface TableDelta {
  readonly base: number;
  readonly generation: number;
  /** Digest of the resulting table: a receiver that ends elsewhere asks for the whole table. */
  readonly digest: string;
  readonly routes: PartDelta<TableRoute>;
  readonly hosts: PartDelta<TableHost>;
  readonly upstreams: PartDelta<TableUpstream>;
  readonly endpoints: PartDelta<EndpointSet>;
  readonly certificates: PartDelta<TableCertificate>;
}

export interface PartDelta<T> {
  /** Added or replaced. */
  readonly set: readonly T[];
  /** Ids. */
  readonly removed: readonly string[];
}
