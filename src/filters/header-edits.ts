import type { FilterHeaders } from './filter.ts';
import type { ParseContext } from './parse-context.ts';
import { fieldPath, quote, ValueReader } from './value-reader.ts';

// What the two header filters share: the shape of an edit, its schema, its checks, and how it is applied.

/** Applied in this order: remove, set, add. So a name that is removed and added is replaced. */
export interface HeaderEdits {
  /** Lower case. */
  readonly remove: readonly string[];
  readonly set: readonly HeaderField[];
  readonly add: readonly HeaderField[];
}

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

export const MAX_EDITS = 32;
export const MAX_NAME_LENGTH = 256;
export const MAX_VALUE_LENGTH = 4096;

/** RFC 9110 §5.6.2. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 §5.5: visible ASCII, obs-text, and inside them spaces and tabs. Nothing above one byte. */
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** Fields that frame a message or belong to one connection (RFC 9110 §7.6.1): the proxy alone writes them. */
const CONNECTION_FIELDS = [
  'connection',
  'content-length',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

/** Field name (lower case) → why a filter may not touch it. */
export type ProtectedFields = ReadonlyMap<string, string>;

const CONNECTION_REASON = 'belongs to the connection and is written by the proxy';
export const protectedInResponses: ProtectedFields = new Map(
  CONNECTION_FIELDS.map((name) => [name, CONNECTION_REASON]),
);
export const protectedInRequests: ProtectedFields = new Map([
  ...protectedInResponses,
  ['expect', CONNECTION_REASON],
  ['host', 'is changed by the filter rewriteHost'],
]);

/** A name of a field that may be changed. */
function nameSchema(protectedFields: ProtectedFields): Readonly<Record<string, unknown>> {
  const reasons = new Map<string, string[]>();
  for (const [name, reason] of protectedFields) reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  return {
    type: 'string',
    minLength: 1,
    maxLength: MAX_NAME_LENGTH,
    pattern: TOKEN.source,
    'x-kubernetes-validations': [...reasons].map(([reason, names]) => ({
      rule: `!(self.lowerAscii() in [${names.map((name) => `'${name}'`).join(', ')}])`,
      message: `this field cannot be changed: it ${reason}`,
    })),
  };
}

/** OpenAPI schema of a list of fields. `keyed`: a name may stand there once. */
function fieldsSchema(
  description: string,
  name: Readonly<Record<string, unknown>>,
  keyed: boolean,
): Readonly<Record<string, unknown>> {
  return {
    type: 'array',
    description,
    maxItems: MAX_EDITS,
    'x-kubernetes-list-type': keyed ? 'map' : 'atomic',
    ...(keyed ? { 'x-kubernetes-list-map-keys': ['name'] } : {}),
    items: {
      type: 'object',
      description: 'A header field.',
      required: ['name', 'value'],
      properties: {
        name: { ...name, description: 'Field name; case does not matter.' },
        value: {
          type: 'string',
          maxLength: MAX_VALUE_LENGTH,
          pattern: VALUE.source,
          description: 'Taken as it stands; there are no variables.',
        },
      },
    },
  };
}

/** OpenAPI schema of HeaderEdits. */
export function headerEditsSchema(kind: 'request' | 'response'): Readonly<Record<string, unknown>> {
  const name = nameSchema(kind === 'request' ? protectedInRequests : protectedInResponses);
  return {
    type: 'object',
    description: `Changes ${kind} header fields: first remove, then set, then add.`,
    minProperties: 1,
    properties: {
      remove: {
        type: 'array',
        description: 'Names of fields to remove.',
        maxItems: MAX_EDITS,
        'x-kubernetes-list-type': 'set',
        items: name,
      },
      set: fieldsSchema('Fields that replace those of the same name.', name, true),
      add: fieldsSchema('Fields that are added beside those of the same name.', name, false),
    },
  };
}

/** Reads the value of a header filter; undefined after reporting what is wrong with it. */
export function parseHeaderEdits(
  value: unknown,
  context: ParseContext,
  protectedFields: ProtectedFields,
): HeaderEdits | undefined {
  const reader = new ValueReader(context);
  const fields = reader.object(value, '', ['remove', 'set', 'add']);
  if (fields === undefined) return undefined;
  const edits = new EditsReader(reader, protectedFields);
  const remove = edits.names(fields['remove'], 'remove');
  const set = edits.fields(fields['set'], 'set');
  const add = edits.fields(fields['add'], 'add');
  reportRepeats(set, reader);
  if (!reader.failed && remove.length + set.length + add.length === 0) {
    reader.fault('SP4201', '', 'Got no change, want at least one of remove, set, add');
  }
  return reader.failed ? undefined : { remove, set, add };
}

/** In place. */
export function applyHeaderEdits(edits: HeaderEdits, headers: FilterHeaders): void {
  for (const name of edits.remove) headers.remove(name);
  for (const { name, value } of edits.set) headers.set(name, value);
  for (const { name, value } of edits.add) headers.append(name, value);
}

class EditsReader {
  readonly #reader: ValueReader;
  readonly #protected: ProtectedFields;

  constructor(reader: ValueReader, protectedFields: ProtectedFields) {
    this.#reader = reader;
    this.#protected = protectedFields;
  }

  /** Lower-case field names. */
  names(value: unknown, path: string): readonly string[] {
    return this.#reader.list(value, path, MAX_EDITS).flatMap((item, index) => {
      const name = this.#name(item, `${path}[${index}]`);
      return name === undefined ? [] : [name.toLowerCase()];
    });
  }

  fields(value: unknown, path: string): readonly HeaderField[] {
    return this.#reader.list(value, path, MAX_EDITS).flatMap((item, index) => {
      const field = this.#field(item, `${path}[${index}]`);
      return field === undefined ? [] : [field];
    });
  }

  #field(item: unknown, path: string): HeaderField | undefined {
    const fields = this.#reader.object(item, path, ['name', 'value']);
    if (fields === undefined) return undefined;
    const name = this.#name(fields['name'], fieldPath(path, 'name'));
    const value = this.#value(fields['value'], fieldPath(path, 'value'));
    return name === undefined || value === undefined ? undefined : { name, value };
  }

  #name(item: unknown, path: string): string | undefined {
    const name = this.#reader.string(item, path, MAX_NAME_LENGTH);
    if (name === undefined) return undefined;
    if (!TOKEN.test(name)) {
      return this.#reader.fault(
        'SP4202',
        path,
        `Got ${quote(name)}, want a header field name (RFC 9110 token)`,
      );
    }
    const reason = this.#protected.get(name.toLowerCase());
    return reason === undefined
      ? name
      : this.#reader.fault('SP4203', path, `Cannot change ${quote(name)}: it ${reason}`);
  }

  #value(item: unknown, path: string): string | undefined {
    const value = this.#reader.string(item, path, MAX_VALUE_LENGTH);
    if (value === undefined || VALUE.test(value)) return value;
    const want = 'want visible latin1 characters with spaces only between them';
    return this.#reader.fault('SP4204', path, `Got ${quote(value)}, ${want}`);
  }
}

function reportRepeats(set: readonly HeaderField[], reader: ValueReader): void {
  const seen = new Set<string>();
  for (const { name } of set) {
    const lower = name.toLowerCase();
    if (seen.has(lower)) reader.fault('SP4201', 'set', `Header ${quote(name)} is set twice, want it once`);
    seen.add(lower);
  }
}
