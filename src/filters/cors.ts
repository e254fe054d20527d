import { corsAnnotations, parseCorsAnnotations } from './cors-annotations.ts';
import { ORIGIN_SOURCE, originPolicy } from './cors-origins.ts';
import type { FilterHeaders, FilterSpec, LocalAnswer } from './filter.ts';
import { MAX_NAME_LENGTH, TOKEN } from './header-edits.ts';
import type { ParseContext } from './parse-context.ts';
import { quote, ValueReader } from './value-reader.ts';

/** Values of fields as they are sent; '' leaves a field out. */
export interface Cors {
  /** Lower case (cors-origins.ts). */
  readonly allowOrigins: readonly string[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly allowCredentials: boolean;
  readonly exposeHeaders: string;
  readonly maxAgeSeconds: number;
}

const MAX_ITEMS = 64;
const MAX_ORIGIN_LENGTH = 320;
const DEFAULT_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
const DEFAULT_MAX_AGE_SECONDS = 5;
const ORIGIN = new RegExp(String.raw`^(?:\*|null|${ORIGIN_SOURCE})$`);
const tokenSchema = { type: 'string', minLength: 1, maxLength: MAX_NAME_LENGTH, pattern: TOKEN.source };
const FIELDS = [
  'allowOrigins',
  'allowMethods',
  'allowHeaders',
  'allowCredentials',
  'exposeHeaders',
  'maxAgeSeconds',
];

/** Whatever is asked for, the answer to a preflight request is in its header fields. */
const preflight: LocalAnswer = {
  status: 204,
  headers: [['Content-Type', 'text/plain; charset=utf-8']],
  body: '',
};

export const cors: FilterSpec<Cors> = {
  name: 'cors',
  doc: 'Answers OPTIONS of origins that are allowed, and tells browsers with every answer what pages of those may do (CORS).',
  route: {
    schema: corsSchema(),
    example: {
      allowOrigins: ['https://app.example.com', 'https://*.app.example.com'],
      allowHeaders: ['Authorization', 'Content-Type'],
      allowCredentials: true,
      maxAgeSeconds: 600,
    },
    parse: parseCors,
  },
  annotations: { known: corsAnnotations, parse: parseCorsAnnotations },
  create(config) {
    const allow = originPolicy(config.allowOrigins);
    const echoes = !config.allowOrigins.includes('*');
    const fields = fixedFields(config);
    return {
      onRequest: ({ method, origin }) =>
        method === 'OPTIONS' && allow(origin) !== '' ? preflight : undefined,
      onResponse({ headers }, { origin }) {
        if (echoes) varyByOrigin(headers);
        const allowed = allow(origin);
        if (allowed === '') return;
        headers.set('Access-Control-Allow-Origin', allowed);
        for (const [name, value] of fields) headers.set(name, value);
      },
    };
  },
};

/** What every answer to an allowed origin says. */
function fixedFields(config: Cors): readonly (readonly [name: string, value: string])[] {
  const fields: (readonly [string, string])[] = [
    ['Access-Control-Allow-Credentials', config.allowCredentials ? 'true' : ''],
    ['Access-Control-Allow-Methods', config.allowMethods],
    ['Access-Control-Allow-Headers', config.allowHeaders],
    ['Access-Control-Expose-Headers', config.exposeHeaders],
    ['Access-Control-Max-Age', String(config.maxAgeSeconds)],
  ];
  return fields.filter(([, value]) => value !== '');
}

/** A cache must not give to one origin what was said to another, nor to any what was said to none. */
function varyByOrigin(headers: FilterHeaders): void {
  const names = headers.getAll('vary').flatMap((value) => value.toLowerCase().split(','));
  if (!names.some((name) => name.trim() === 'origin' || name.trim() === '*'))
    headers.append('Vary', 'Origin');
}

function parseCors(value: unknown, context: ParseContext): Cors | undefined {
  const reader = new ValueReader(context);
  const fields = reader.object(value, '', FIELDS);
  if (fields === undefined) return undefined;
  const allowOrigins = readOrigins(fields['allowOrigins'], reader);
  const allowMethods = readNames(fields['allowMethods'], 'allowMethods', reader);
  const allowHeaders = readNames(fields['allowHeaders'], 'allowHeaders', reader);
  const exposeHeaders = readNames(fields['exposeHeaders'], 'exposeHeaders', reader);
  const allowCredentials = reader.optionalBoolean(fields['allowCredentials'], 'allowCredentials') ?? false;
  const maxAgeSeconds =
    reader.optionalInteger(fields['maxAgeSeconds'], 'maxAgeSeconds', [-1, 2 ** 31 - 1]) ??
    DEFAULT_MAX_AGE_SECONDS;
  if (allowCredentials && allowOrigins.includes('*')) {
    reader.fault('SP4201', 'allowCredentials', "Got true beside the origin '*', want origins by name");
  }
  if (reader.failed) return undefined;
  return {
    allowOrigins,
    allowMethods: (allowMethods.length === 0 ? DEFAULT_METHODS : allowMethods).join(', '),
    allowHeaders: allowHeaders.join(', '),
    allowCredentials,
    exposeHeaders: exposeHeaders.join(', '),
    maxAgeSeconds,
  };
}

function readOrigins(value: unknown, reader: ValueReader): readonly string[] {
  const origins = readStrings(value, 'allowOrigins', MAX_ORIGIN_LENGTH, reader);
  for (const [index, origin] of origins.entries()) {
    if (ORIGIN.test(origin)) continue;
    const want = `want an origin such as https://app.example or https://*.app.example, 'null' or '*'`;
    reader.fault('SP4201', `allowOrigins[${index}]`, `Got ${quote(origin)}, ${want}`);
  }
  if (origins.length === 0 && !reader.failed) {
    reader.fault('SP4201', 'allowOrigins', 'Got no origin, want at least one');
  }
  return [...new Set(origins.map((origin) => origin.toLowerCase()))];
}

/** Methods and field names are tokens, and so is `*`. */
function readNames(value: unknown, path: string, reader: ValueReader): readonly string[] {
  const names = readStrings(value, path, MAX_NAME_LENGTH, reader);
  for (const [index, name] of names.entries()) {
    if (TOKEN.test(name)) continue;
    reader.fault('SP4201', `${path}[${index}]`, `Got ${quote(name)}, want a token (RFC 9110)`);
  }
  return names;
}

// oxlint-disable-next-line max-params -- a place and what is wanted there
function readStrings(
  value: unknown,
  path: string,
  maxLength: number,
  reader: ValueReader,
): readonly string[] {
  return reader
    .list(value, path, MAX_ITEMS)
    .map((item, index) => reader.string(item, `${path}[${index}]`, maxLength))
    .filter((item) => item !== undefined);
}

function corsSchema(): Readonly<Record<string, unknown>> {
  return {
    type: 'object',
    description: 'Lets pages of other origins use this one (CORS), and answers their preflight requests.',
    required: ['allowOrigins'],
    properties: {
      allowOrigins: {
        ...listSchema(
          'Origins that are allowed: scheme, host and port, `*.` before a host for one label, `null`, or `*` for all.',
          { type: 'string', minLength: 1, maxLength: MAX_ORIGIN_LENGTH, pattern: ORIGIN.source },
        ),
        minItems: 1,
      },
      allowMethods: listSchema(
        `Methods that they may use; ${DEFAULT_METHODS.join(', ')} unless given.`,
        tokenSchema,
      ),
      allowHeaders: listSchema('Request header fields that they may send.', tokenSchema),
      allowCredentials: {
        type: 'boolean',
        default: false,
        description: 'Whether their requests may carry cookies and other credentials.',
      },
      exposeHeaders: listSchema('Response header fields that they may read.', tokenSchema),
      maxAgeSeconds: {
        type: 'integer',
        minimum: -1,
        maximum: 2 ** 31 - 1,
        default: DEFAULT_MAX_AGE_SECONDS,
        description: 'How long a browser remembers the answer to a preflight request; -1 for not at all.',
      },
    },
    'x-kubernetes-validations': [
      {
        rule: "!(has(self.allowCredentials) && self.allowCredentials && '*' in self.allowOrigins)",
        message: "with credentials origins have to be named: '*' does not count for browsers",
      },
    ],
  };
}

function listSchema(
  description: string,
  items: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return { type: 'array', description, maxItems: MAX_ITEMS, 'x-kubernetes-list-type': 'set', items };
}
