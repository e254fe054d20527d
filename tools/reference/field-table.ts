import type { Schema } from '../../src/model/schema.ts';
import { code, table } from './markdown.ts';

/** A table of every field below an object schema; what lies below `closed` is left out. */
export function fieldTable(root: Schema, closed = ''): string {
  const places = walk(root).filter(({ path }) => closed === '' || !path.startsWith(`${closed}[]`));
  const rows = places.map(({ path, schema: field, required }) => [
    code(path),
    typeOf(field),
    required
      ? 'required'
      : code(field['default'] === undefined ? '' : String(field['default'] as string | number)),
    String((field['description'] as string | undefined) ?? ''),
  ]);
  return table(['Field', 'Type', 'Default', 'Meaning'], rows);
}

/** A field with its path, `[]` for items. */
interface Place {
  readonly path: string;
  readonly schema: Schema;
  readonly required: boolean;
}

/** Every field below an object schema, depth first, in the order declared. */
export function walk(root: Schema): readonly Place[] {
  const places: Place[] = [];
  const open: Place[] = childrenOf({ path: '', schema: root, required: true }).toReversed();
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    places.push(place);
    open.push(...childrenOf(place).toReversed());
  }
  return places;
}

function childrenOf({ path, schema }: Place): Place[] {
  const items = schema['items'] as Schema | undefined;
  const holder = items ?? schema;
  const prefix = path === '' ? '' : `${path}${items === undefined ? '' : '[]'}.`;
  const required = (holder['required'] ?? []) as readonly string[];
  return [...propertiesOf(holder)].map(([name, child]) => ({
    path: `${prefix}${name}`,
    schema: child,
    required: required.includes(name),
  }));
}

export function propertiesOf(schema: Schema): ReadonlyMap<string, Schema> {
  return new Map(Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>));
}

function typeOf(schema: Schema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'integer or string';
  const values = schema['enum'] as readonly (string | number)[] | undefined;
  if (values !== undefined) return values.map((value) => code(String(value))).join(', ');
  const items = schema['items'] as Schema | undefined;
  return items === undefined ? String(schema['type']) : `list of ${typeOf(items)}`;
}
