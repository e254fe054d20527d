import type { AnnotationSpec, FilterSpec } from './filter.ts';

/** All filters in the order of the chain, with lookups. */
export interface FilterRegistry {
  /** The order is the order in which request halves run; response halves run in reverse. */
  readonly specs: readonly FilterSpec[];
  /** Every annotation that some filter reads, in the order of the chain. */
  readonly annotations: readonly AnnotationSpec[];
  find(name: string): FilterSpec | undefined;
  /** Place in the chain, -1 for unknown names. */
  position(name: string): number;
}

/** Throws when two filters share a name or an annotation: both would be a bug in the list. */
export function createFilterRegistry(specs: readonly FilterSpec[]): FilterRegistry {
  const positions = new Map(specs.map((spec, index) => [spec.name, index]));
  if (positions.size < specs.length) throw new Error('Two filters have the same name');
  const annotations = specs.flatMap((spec) => spec.annotations?.known ?? []);
  if (new Set(annotations.map(({ name }) => name)).size < annotations.length) {
    throw new Error('Two filters read the same annotation');
  }
  return {
    specs,
    annotations,
    find: (name) => specs[positions.get(name) ?? -1],
    position: (name) => positions.get(name) ?? -1,
  };
}
