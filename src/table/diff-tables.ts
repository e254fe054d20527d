import { emptyTable, tableParts } from './create-table.ts';
import { DigestSum } from './digest-sum.ts';
import type { EndpointSet, RouteTable } from './route-table.ts';
import type { PartDelta, TableDelta } from './table-delta.ts';

interface Entry {
  readonly id: string;
  readonly digest: string;
}

/** What turns `before` into `after`. A part that both share as one map costs nothing. */
export function tableDelta(before: RouteTable, after: RouteTable): TableDelta {
  return {
    base: before.generation,
    generation: after.generation,
    digest: after.digest,
    routes: partDelta(before.routes, after.routes),
    hosts: partDelta(before.hosts, after.hosts),
    upstreams: partDelta(before.upstreams, after.upstreams),
    endpoints: partDelta(before.endpoints, after.endpoints),
    certificates: partDelta(before.certificates, after.certificates),
    authorities: partDelta(before.authorities, after.authorities),
  };
}

/** The table as a delta from nothing: it applies on top of any generation. */
export function wholeTable(table: RouteTable): TableDelta {
  return tableDelta(emptyTable, table);
}

/** Why a delta does not fit: made for another generation, or the result is not what the sender has. */
export type DeltaMismatch = 'base' | 'digest';

/** Applies a delta; parts that it leaves alone stay the same maps. A delta from base 0 replaces the table, whatever it was. */
export function applyDelta(table: RouteTable, delta: TableDelta): RouteTable | DeltaMismatch {
  if (delta.base !== 0 && delta.base !== table.generation) return 'base';
  const from = delta.base === 0 ? emptyTable : table;
  const sum = new DigestSum(from.digest);
  const result: RouteTable = {
    generation: delta.generation,
    digest: delta.digest,
    routes: applyPart(from.routes, delta.routes, sum),
    hosts: applyPart(from.hosts, delta.hosts, sum),
    upstreams: applyPart(from.upstreams, delta.upstreams, sum),
    endpoints: applyPart(from.endpoints, delta.endpoints, sum),
    certificates: applyPart(from.certificates, delta.certificates, sum),
    authorities: applyPart(from.authorities, delta.authorities, sum),
  };
  return sum.toString() === delta.digest ? Object.freeze(result) : 'digest';
}

/** What brings these endpoints into a table that has their upstreams, and nothing else; undefined when it has them all. */
export function endpointsDelta(table: RouteTable, endpoints: readonly EndpointSet[]): TableDelta | undefined {
  const sum = new DigestSum(table.digest);
  const set: EndpointSet[] = [];
  for (const entry of endpoints) {
    const old = table.endpoints.get(entry.id);
    if (old === undefined || old.digest === entry.digest) continue;
    sum.toggle(old.digest);
    sum.toggle(entry.digest);
    set.push(entry);
  }
  if (set.length === 0) return undefined;
  const generation = table.generation + 1;
  const nothing = tableDelta(table, table);
  return { ...nothing, generation, digest: sum.toString(), endpoints: { set, removed: [] } };
}

/** Whether a delta changes nothing. */
export function isEmptyDelta(delta: TableDelta): boolean {
  return tableParts.every((part) => delta[part].set.length === 0 && delta[part].removed.length === 0);
}

function partDelta<T extends Entry>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): PartDelta<T> {
  if (before === after) return { set: [], removed: [] };
  const set: T[] = [];
  let kept = 0;
  for (const [id, entry] of after) {
    const old = before.get(id);
    if (old !== undefined) kept++;
    if (old !== entry && old?.digest !== entry.digest) set.push(entry);
  }
  if (kept === before.size) return { set, removed: [] };
  return { set, removed: [...before.keys()].filter((id) => !after.has(id)) };
}

function applyPart<T extends Entry>(
  before: ReadonlyMap<string, T>,
  { set, removed }: PartDelta<T>,
  sum: DigestSum,
): ReadonlyMap<string, T> {
  if (set.length === 0 && removed.length === 0) return before;
  const after = new Map(before);
  for (const id of removed) {
    const old = after.get(id);
    if (old !== undefined) sum.toggle(old.digest);
    after.delete(id);
  }
  for (const entry of set) {
    const old = after.get(entry.id);
    if (old !== undefined) sum.toggle(old.digest);
    sum.toggle(entry.digest);
    after.set(entry.id, entry);
  }
  return after;
}
