import { RE2JS } from 're2js';
import type { CelRule, Schema } from '../../src/model/schema.ts';

// What the API server asks of a CRD's schema (KEP-1693 and the CEL cost rules), and the validation that it does with it
// apart from CEL. Small on purpose: the keywords that our schemas use, and a complaint about any other.

const KEYWORDS = new Set([
  'type',
  'description',
  'default',
  'enum',
  'format',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'required',
  'properties',
  'items',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
]);

interface Node {
  readonly path: string;
  readonly schema: Schema;
}

/** Every fault of a schema against the structural rules; empty when the API server would take it. */
export function structuralFaults(root: Schema): readonly string[] {
  return nodesOf(root).flatMap(({ path, schema }) => nodeFaults(schema).map((fault) => `${path}: ${fault}`));
}

/** The schema and all below it, with paths such as `spec.rules[].name`. */
export function nodesOf(root: Schema): readonly Node[] {
  const done: Node[] = [];
  const open: Node[] = [{ path: '', schema: root }];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    done.push(node);
    for (const [name, schema] of propertiesOf(node.schema))
      open.push({ path: `${node.path}.${name}`, schema });
    const items = node.schema['items'] as Schema | undefined;
    if (items !== undefined) open.push({ path: `${node.path}[]`, schema: items });
  }
  return done;
}

export function celRulesOf(schema: Schema): readonly CelRule[] {
  return (schema['x-kubernetes-validations'] ?? []) as readonly CelRule[];
}

function nodeFaults(schema: Schema): readonly string[] {
  return [
    ...Object.keys(schema).flatMap((key) => (KEYWORDS.has(key) ? [] : [`keyword ${key}`])),
    ...typeFaults(schema),
    ...boundFaults(schema),
    ...listFaults(schema),
    ...celFaults(schema),
  ];
}

function typeFaults(schema: Schema): readonly string[] {
  const type = schema['type'];
  if (schema['x-kubernetes-int-or-string'] === true)
    return type === undefined ? [] : ['int-or-string with a type'];
  const faults = ['object', 'array', 'string', 'integer', 'boolean'].includes(String(type))
    ? []
    : ['no type'];
  const names = new Set(propertiesOf(schema).keys());
  const unknown = ((schema['required'] ?? []) as readonly string[]).filter((name) => !names.has(name));
  return [...faults, ...unknown.map((name) => `requires ${name}, which it does not have`)];
}

/** Without bounds the API server reckons CEL rules as if every string and list were as long as a request may be. */
function boundFaults(schema: Schema): readonly string[] {
  const faults: string[] = [];
  if (schema['type'] === 'array' && schema['maxItems'] === undefined) faults.push('list without maxItems');
  const bounded = ['maxLength', 'enum', 'format'].some((key) => schema[key] !== undefined);
  const isTypeMeta = schema['description'] === TYPE_META || Object.keys(schema).join() === 'type';
  if (schema['type'] === 'string' && !bounded && !isTypeMeta) faults.push('string without a bound');
  if (schema['pattern'] !== undefined) RE2JS.compile(schema['pattern'] as string);
  return faults;
}

const TYPE_META = 'sallyport.dev/v1alpha1';

function listFaults(schema: Schema): readonly string[] {
  if (schema['type'] !== 'array') return [];
  const items = schema['items'] as Schema | undefined;
  if (items === undefined) return ['list without items'];
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
  switch (schema['x-kubernetes-list-type']) {
    case 'atomic':
      return [];
    case 'set':
      return items['type'] === 'string' ? [] : ['set of something else than strings'];
    case 'map': {
      const required = (items['required'] ?? []) as readonly string[];
      return keys.length > 0 && keys.every((key) => required.includes(key))
        ? []
        : ['map without required keys'];
    }
    default:
      return ['list without a list type'];
  }
}

/** Not a CEL parser: whether each rule has a message and speaks only of fields that are there. */
function celFaults(schema: Schema): readonly string[] {
  const names = propertiesOf(schema);
  return celRulesOf(schema).flatMap(({ rule, message }) => {
    const fields = [...rule.matchAll(/\bself\.([A-Za-z]+)\b(?!\()/g)].map((match) => match[1] ?? '');
    const unknown = fields
      .filter((field) => !names.has(field))
      .map((field) => `rule about ${field}, which is not there`);
    return message === '' || message.endsWith('.')
      ? [...unknown, `message ${JSON.stringify(message)}`]
      : unknown;
  });
}

/** Faults of a value against a structural schema, as the API server finds them with strict field validation; no CEL. */
export function valueFaults(value: unknown, root: Schema): readonly string[] {
  const faults: string[] = [];
  const open: { readonly path: string; readonly value: unknown; readonly schema: Schema }[] = [
    { path: '', value, schema: root },
  ];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { path, schema } = place;
    faults.push(...scalarFaults(place.value, schema).map((fault) => `${path}: ${fault}`));
    if (Array.isArray(place.value)) {
      const items = schema['items'] as Schema;
      for (const [index, item] of place.value.entries())
        open.push({ path: `${path}[${index}]`, value: item, schema: items });
    } else if (typeof place.value === 'object' && place.value !== null) {
      open.push(...members(place.value as Readonly<Record<string, unknown>>, schema, path, faults));
    }
  }
  return faults;
}

function members(
  value: Readonly<Record<string, unknown>>,
  schema: Schema,
  path: string,
  faults: string[],
): { readonly path: string; readonly value: unknown; readonly schema: Schema }[] {
  const properties = propertiesOf(schema);
  // `metadata` is open: the API server checks it by itself.
  if (properties.size === 0) return [];
  for (const name of (schema['required'] ?? []) as readonly string[]) {
    if (!Object.hasOwn(value, name)) faults.push(`${path}: lacks ${name}`);
  }
  return Object.entries(value).flatMap(([name, member]) => {
    const child = properties.get(name);
    if (child === undefined) faults.push(`${path}: unknown field ${name}`);
    return child === undefined ? [] : [{ path: `${path}.${name}`, value: member, schema: child }];
  });
}

function scalarFaults(value: unknown, schema: Schema): readonly string[] {
  const faults: string[] = [];
  if (!hasType(value, schema)) faults.push(`is no ${String(schema['type'])}`);
  const allowed = schema['enum'] as readonly unknown[] | undefined;
  if (allowed !== undefined && !allowed.includes(value)) faults.push(`${String(value)} is not in the enum`);
  if (typeof value === 'string' && !within(value.length, schema['minLength'], schema['maxLength']))
    faults.push('length');
  if (typeof value === 'number' && !within(value, schema['minimum'], schema['maximum'])) faults.push('range');
  if (Array.isArray(value) && !within(value.length, schema['minItems'], schema['maxItems']))
    faults.push('items');
  const pattern = schema['pattern'] as string | undefined;
  if (typeof value === 'string' && pattern !== undefined && !RE2JS.compile(pattern).test(value))
    faults.push('pattern');
  return faults;
}

function hasType(value: unknown, schema: Schema): boolean {
  if (schema['x-kubernetes-int-or-string'] === true)
    return typeof value === 'string' || Number.isInteger(value);
  switch (schema['type']) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === schema['type'];
  }
}

function within(size: number, min: unknown, max: unknown): boolean {
  return (
    size >= ((min as number | undefined) ?? -Infinity) && size <= ((max as number | undefined) ?? Infinity)
  );
}

function propertiesOf(schema: Schema): ReadonlyMap<string, Schema> {
  return new Map(Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>));
}
