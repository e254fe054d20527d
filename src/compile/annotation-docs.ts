import type { AnnotationGrammar } from '../filters/annotation-grammar.ts';
import type { AnnotationSpec } from '../filters/filter.ts';
import { retryCauses } from '../model/decode-exchange.ts';
import { clientAuthAnnotations } from './client-auth-annotation-docs.ts';
import { dialectAnnotations } from './dialect-annotation-docs.ts';

const boolean: AnnotationGrammar = { kind: 'boolean' };
const text: AnnotationGrammar = { kind: 'any' };
const share: AnnotationGrammar = { kind: 'integer', min: 0, max: 1_000_000_000 };

/** RFC 9110 §5.6.2. */
const fieldName: AnnotationGrammar = {
  kind: 'pattern',
  re2: "[!#$%&'*+.^_`|~0-9A-Za-z-]+",
  maxLength: 256,
  want: 'the name of a header or cookie',
};

/** Longest delay that a timer takes. */
const MAX_SECONDS = Math.floor((2 ** 31 - 1) / 1_000);
/** Stands for nginx's 0, which means as many tries as there are servers. */
export const MOST_TRIES = 32;

const delay: AnnotationGrammar = { kind: 'integer', min: 1, max: MAX_SECONDS };

/** What may be tried again; `off` beats all others. */
export const RETRY_WORDS = [...retryCauses, 'off'] as const;

/** Annotations that this folder reads itself, for the reference. Those of filters stand beside the filters. */
export const compiledAnnotations: readonly AnnotationSpec[] = [
  {
    name: 'canary',
    grammar: boolean,
    default: 'false',
    doc: 'Makes this Ingress a canary: it adds its backend to the Ingress that has the same host, path and path type.',
  },
  {
    name: 'canary-by-header',
    grammar: fieldName,
    default: '',
    doc: 'Header that decides before cookie and weight: `always` goes to the canary, `never` does not.',
  },
  {
    name: 'canary-by-header-value',
    grammar: text,
    default: '',
    doc: 'Value of that header that goes to the canary, in place of `always` and `never`.',
  },
  {
    name: 'canary-by-header-pattern',
    grammar: { kind: 'regex' },
    default: '',
    doc: 'Regular expression (RE2) for the value of that header. Ignored beside `canary-by-header-value`.',
  },
  {
    name: 'canary-by-cookie',
    grammar: fieldName,
    default: '',
    doc: 'Cookie that decides before the weight: `always` goes to the canary, `never` does not.',
  },
  {
    name: 'canary-weight',
    grammar: share,
    default: '0',
    doc: 'Share of the remaining requests that goes to the canary.',
  },
  {
    name: 'canary-weight-total',
    grammar: share,
    default: '100',
    doc: 'What `canary-weight` is a share of; at least 100.',
  },
  {
    name: 'ssl-redirect',
    grammar: boolean,
    default: 'true',
    doc: 'Redirects plain HTTP to HTTPS (308) on hosts that are listed under `tls`. The default is that of `--ssl-redirect`.',
  },
  {
    name: 'force-ssl-redirect',
    grammar: boolean,
    default: 'false',
    doc: 'Redirects plain HTTP to HTTPS (308) on every host of the Ingress, where TLS ends before Sallyport too.',
  },
  {
    name: 'preserve-trailing-slash',
    grammar: boolean,
    default: 'false',
    doc: 'Keeps a slash at the end of the path in that redirect.',
  },
  {
    name: 'proxy-connect-timeout',
    grammar: delay,
    default: '5',
    doc: 'Seconds for a connection to an endpoint.',
  },
  {
    name: 'proxy-send-timeout',
    grammar: delay,
    default: '60',
    doc: 'Seconds between two writes to the upstream.',
  },
  {
    name: 'proxy-read-timeout',
    grammar: delay,
    default: '60',
    doc: 'Seconds between two reads from the upstream, and for its first byte.',
  },
  {
    name: 'proxy-next-upstream',
    grammar: { kind: 'words', words: RETRY_WORDS },
    default: 'error timeout',
    doc: 'What is tried again on another endpoint; `off` beats all others.',
  },
  {
    name: 'proxy-next-upstream-tries',
    grammar: { kind: 'integer', min: 0, max: MOST_TRIES },
    default: '3',
    doc: 'Total tries, the first included; 0 means as many as there are endpoints.',
  },
  {
    name: 'proxy-next-upstream-timeout',
    grammar: { kind: 'integer', min: 0, max: MAX_SECONDS },
    default: '0',
    doc: 'Seconds for all tries together; 0 means no limit.',
  },
  ...clientAuthAnnotations,
  ...dialectAnnotations,
];
