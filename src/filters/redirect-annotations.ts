import { AUTHORITY_SOURCE } from './authority.ts';
import type { AnnotationGrammar } from './annotation-grammar.ts';
import type { AnnotationSpec } from './filter.ts';
import type { ParseContext } from './parse-context.ts';
import { readAnnotation } from './read-annotation.ts';

// temporal-redirect and permanent-redirect, as ingress-nginx reads them: the temporal one wins, and what cannot be used is
// left out (the route then serves its backend), here with a warning.

/** Sends everyone to one URL. */
export interface FixedRedirect {
  readonly kind: 'fixed';
  readonly location: string;
  readonly statusCode: number;
}

type Get = (name: string) => string | undefined;

/** An absolute URL that clients may be sent to. */
export const absoluteUrl: AnnotationGrammar = {
  kind: 'pattern',
  // Scheme, authority, then visible ASCII. `$` is left out: it would have been a variable.
  re2: `[Hh][Tt][Tt][Pp][Ss]?://${AUTHORITY_SOURCE}(?:[/?#][!-#%-~]*)?`,
  maxLength: 2048,
  want: 'an absolute http or https URL of visible ASCII; variables are not expanded',
};

/** 304 is left out: it redirects nobody and would make clients show what they have stored. */
const TEMPORAL_CODES = ['300', '301', '302', '303', '305', '306', '307'];

const temporalUrl: AnnotationSpec = {
  name: 'temporal-redirect',
  grammar: absoluteUrl,
  default: '',
  doc: 'URL that every request is redirected to for now. Wins over `permanent-redirect`.',
};

const temporalCode: AnnotationSpec = {
  name: 'temporal-redirect-code',
  grammar: { kind: 'choice', choices: TEMPORAL_CODES },
  default: '302',
  doc: 'Status of `temporal-redirect`.',
};

const permanentUrl: AnnotationSpec = {
  name: 'permanent-redirect',
  grammar: absoluteUrl,
  default: '',
  doc: 'URL that every request is redirected to for good.',
};

const permanentCode: AnnotationSpec = {
  name: 'permanent-redirect-code',
  grammar: { kind: 'choice', choices: [...TEMPORAL_CODES, '308'] },
  default: '301',
  doc: 'Status of `permanent-redirect`.',
};

export const redirectAnnotations: readonly AnnotationSpec[] = [
  temporalUrl,
  temporalCode,
  permanentUrl,
  permanentCode,
];

export function parseRedirectAnnotations(get: Get, context: ParseContext): FixedRedirect | undefined {
  const read = (spec: AnnotationSpec) => readAnnotation(spec, get, context);
  const temporal = fixed(read(temporalUrl), read(temporalCode) || temporalCode.default);
  const permanent = fixed(read(permanentUrl), read(permanentCode) || permanentCode.default);
  return temporal ?? permanent;
}

function fixed(location: string, code: string): FixedRedirect | undefined {
  return location === '' ? undefined : { kind: 'fixed', location, statusCode: Number(code) };
}
