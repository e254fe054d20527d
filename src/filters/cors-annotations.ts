import { annotationFault, trimmed, TRUE_SPELLINGS, WHITE_SPACE } from './annotation-grammar.ts';
import type { AnnotationGrammar } from './annotation-grammar.ts';
import type { Cors } from './cors.ts';
import { LOOSE_ORIGIN_SOURCE } from './cors-origins.ts';
import type { AnnotationSpec } from './filter.ts';
import type { ParseContext } from './parse-context.ts';
import { readAnnotation } from './read-annotation.ts';
import { quote } from './value-reader.ts';

// enable-cors and cors-*, as ingress-nginx reads them, but for origins: where a list of them holds nothing that can be used,
// none is allowed, instead of all.

type Get = (name: string) => string | undefined;

const LONGEST = 8192;
/** `null` looks like a host. */
const ORIGIN = String.raw`(?:\*|${LOOSE_ORIGIN_SOURCE})`;
const BLANKS = `[${WHITE_SPACE}]*`;
const wantedOrigin = "an origin such as https://app.example:8443, 'null' or '*'";
const oneOrigin = new RegExp(`^${ORIGIN}$`);

const enable: AnnotationSpec = {
  name: 'enable-cors',
  grammar: { kind: 'boolean' },
  default: 'false',
  doc: 'Answers preflight requests, and tells browsers which pages of other origins may use this one (CORS).',
};

const allowOrigin: AnnotationSpec = {
  name: 'cors-allow-origin',
  grammar: {
    kind: 'pattern',
    // Every text matches in one way only: the white space of an empty place belongs to the comma behind it.
    re2: `${ORIGIN}?(?:${BLANKS},(?:${BLANKS}${ORIGIN})?)*`,
    maxLength: LONGEST,
    want: `origins with commas between: each ${wantedOrigin}`,
  },
  default: '*',
  doc: 'Origins that are allowed, with commas between. `*.` before a host stands for one label; an origin without a scheme for every scheme and for all hosts below it.',
};

const allowMethods: AnnotationSpec = {
  name: 'cors-allow-methods',
  grammar: list('[A-Za-z]+', 'methods'),
  default: 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
  doc: 'Methods that other origins may use.',
};

const allowHeaders: AnnotationSpec = {
  name: 'cors-allow-headers',
  grammar: list('[0-9A-Za-z_-]+', 'names of header fields'),
  default:
    'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
  doc: 'Request header fields that other origins may send.',
};

const allowCredentials: AnnotationSpec = {
  name: 'cors-allow-credentials',
  grammar: { kind: 'boolean' },
  default: 'true',
  doc: 'Whether requests of other origins may carry cookies and other credentials. Browsers ask for a named origin then, not `*`.',
};

const exposeHeaders: AnnotationSpec = {
  name: 'cors-expose-headers',
  grammar: list(String.raw`(?:\*|[0-9A-Za-z_-]+)`, "names of header fields or '*'"),
  default: '',
  doc: 'Response header fields that other origins may read.',
};

const maxAge: AnnotationSpec = {
  name: 'cors-max-age',
  grammar: { kind: 'integer', min: -1, max: 2 ** 31 - 1 },
  default: '1728000',
  doc: 'Seconds for which a browser remembers the answer to a preflight request; -1 for not at all.',
};

export const corsAnnotations: readonly AnnotationSpec[] = [
  enable,
  allowOrigin,
  allowMethods,
  allowHeaders,
  allowCredentials,
  exposeHeaders,
  maxAge,
];

export function parseCorsAnnotations(get: Get, context: ParseContext): Cors | undefined {
  const read = (spec: AnnotationSpec) => readAnnotation(spec, get, context) || spec.default;
  const config: Cors = {
    allowOrigins: readOrigins(get, context),
    allowMethods: read(allowMethods),
    allowHeaders: read(allowHeaders),
    allowCredentials: isTrue(read(allowCredentials)),
    exposeHeaders: read(exposeHeaders),
    maxAgeSeconds: Number(read(maxAge)),
  };
  if (isTrue(read(enable))) return config;
  const unused = corsAnnotations.find((spec) => get(spec.name) !== undefined);
  // Switched off in so many words is meant.
  if (unused !== undefined && get(enable.name) === undefined)
    context.warn('SP4004', unused.name, `Ignoring ${unused.name}: want enable-cors: "true" beside it`);
  return undefined;
}

function isTrue(text: string): boolean {
  return TRUE_SPELLINGS.includes(text);
}

function list(item: string, wanted: string): AnnotationGrammar {
  return {
    kind: 'pattern',
    re2: `${item}(?:[, ]+${item})*[, ]*`,
    maxLength: LONGEST,
    want: `${wanted} with commas between`,
  };
}

/** Origins that cannot be used are left out one by one: what is left was meant. */
function readOrigins(get: Get, context: ParseContext): readonly string[] {
  const text = get(allowOrigin.name) ?? '';
  const want = annotationFault(allowOrigin.grammar, text);
  if (text.length > LONGEST) {
    context.warn(
      'SP4251',
      allowOrigin.name,
      `Allowing no origin: got ${text.length} characters, want ${want}`,
    );
    return [];
  }
  if (trimmed(text) === '') return [allowOrigin.default];
  const entries = text
    .split(',')
    .map(trimmed)
    .filter((entry) => entry !== '');
  for (const entry of entries) {
    if (oneOrigin.test(entry)) continue;
    context.warn('SP4251', allowOrigin.name, `Leaving out ${quote(entry)}, want ${wantedOrigin}`);
  }
  const usable = entries.filter((entry) => oneOrigin.test(entry)).map((entry) => entry.toLowerCase());
  return usable.includes('*') ? ['*'] : [...new Set(usable)];
}
