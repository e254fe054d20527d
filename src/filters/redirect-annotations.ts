import type { AnnotationSpec } from './filter.ts';
import type { ParseContext } from './parse-context.ts';
import { quote } from './value-reader.ts';

// temporal-redirect and permanent-redirect, as ingress-nginx reads them: the temporal one wins, and what cannot be used is
// left out (the route then serves its backend), here with a warning.

/** Sends everyone to one URL. */
export interface FixedRedirect {
  readonly kind: 'fixed';
  readonly location: string;
  readonly statusCode: number;
}

type Get = (name: string) => string | undefined;

export const redirectAnnotations: readonly AnnotationSpec[] = [
  {
    name: 'temporal-redirect',
    type: 'string',
    default: '',
    doc: 'URL that every request is redirected to for now. Wins over `permanent-redirect`.',
  },
  {
    name: 'temporal-redirect-code',
    type: 'integer',
    default: '302',
    doc: 'Status of `temporal-redirect`, 300 to 307 without 304.',
  },
  {
    name: 'permanent-redirect',
    type: 'string',
    default: '',
    doc: 'URL that every request is redirected to for good.',
  },
  {
    name: 'permanent-redirect-code',
    type: 'integer',
    default: '301',
    doc: 'Status of `permanent-redirect`, 300 to 308 without 304.',
  },
];

/** Scheme, authority, then visible ASCII. `$` is left out: it would have been a variable. */
const URL_SHAPE = /^https?:\/\/[^/?#\\@]+(?:[/?#].*)?$/i;
const URL_CHARACTERS = /^[!-#%-~]{1,2048}$/;

export function parseRedirectAnnotations(get: Get, context: ParseContext): FixedRedirect | undefined {
  return (
    parseOne(get, context, { name: 'temporal-redirect', lastCode: 307, defaultCode: 302 }) ??
    parseOne(get, context, { name: 'permanent-redirect', lastCode: 308, defaultCode: 301 })
  );
}

interface Kind {
  readonly name: 'temporal-redirect' | 'permanent-redirect';
  readonly lastCode: number;
  readonly defaultCode: number;
}

function parseOne(get: Get, context: ParseContext, kind: Kind): FixedRedirect | undefined {
  const location = get(kind.name)?.trim() ?? '';
  if (location === '') return undefined;
  if (!URL_CHARACTERS.test(location) || !URL_SHAPE.test(location) || !URL.canParse(location)) {
    const want = 'want an absolute http or https URL of visible ASCII; variables are not expanded';
    context.warn('SP4251', kind.name, `Ignoring ${quote(location)}, ${want}`);
    return undefined;
  }
  return { kind: 'fixed', location, statusCode: parseCode(get, context, kind) };
}

/** 304 is left out: it redirects nobody and would make clients show what they have stored. */
function parseCode(get: Get, context: ParseContext, { name, lastCode, defaultCode }: Kind): number {
  const text = get(`${name}-code`)?.trim() ?? '';
  if (text === '') return defaultCode;
  const code = /^[0-9]{3}$/.test(text) ? Number(text) : 0;
  if (code >= 300 && code <= lastCode && code !== 304) return code;
  const want = `want 300 to ${lastCode} without 304; using ${defaultCode}`;
  context.warn('SP4252', `${name}-code`, `Got ${quote(text)}, ${want}`);
  return defaultCode;
}
