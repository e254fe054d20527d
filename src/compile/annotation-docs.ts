import type { AnnotationSpec } from '../filters/filter.ts';

/** Annotations that this folder reads itself, for the reference. Those of filters stand beside the filters. */
export const compiledAnnotations: readonly AnnotationSpec[] = [
  {
    name: 'canary',
    type: 'boolean',
    default: 'false',
    doc: 'Makes this Ingress a canary: it adds its backend to the Ingress that has the same host, path and path type.',
  },
  {
    name: 'canary-by-header',
    type: 'string',
    default: '',
    doc: 'Header that decides before cookie and weight: `always` goes to the canary, `never` does not.',
  },
  {
    name: 'canary-by-header-value',
    type: 'string',
    default: '',
    doc: 'Value of that header that goes to the canary, in place of `always` and `never`.',
  },
  {
    name: 'canary-by-header-pattern',
    type: 'string',
    default: '',
    doc: 'Regular expression (RE2) for the value of that header. Ignored beside `canary-by-header-value`.',
  },
  {
    name: 'canary-by-cookie',
    type: 'string',
    default: '',
    doc: 'Cookie that decides before the weight: `always` goes to the canary, `never` does not.',
  },
  {
    name: 'canary-weight',
    type: 'integer',
    default: '0',
    doc: 'Share of the remaining requests that goes to the canary.',
  },
  {
    name: 'canary-weight-total',
    type: 'integer',
    default: '100',
    doc: 'What `canary-weight` is a share of; at least 100.',
  },
  {
    name: 'proxy-connect-timeout',
    type: 'integer',
    default: '5',
    doc: 'Seconds for a connection to an endpoint.',
  },
  {
    name: 'proxy-send-timeout',
    type: 'integer',
    default: '60',
    doc: 'Seconds between two writes to the upstream.',
  },
  {
    name: 'proxy-read-timeout',
    type: 'integer',
    default: '60',
    doc: 'Seconds between two reads from the upstream, and for its first byte.',
  },
  {
    name: 'proxy-next-upstream',
    type: 'list',
    default: 'error timeout',
    doc:
      'What is tried again on another endpoint: `error`, `timeout`, `http_500`, `http_502`, `http_503`, `http_504`, ' +
      '`http_403`, `http_404`, `http_429`, `non_idempotent`; or `off`.',
  },
  {
    name: 'proxy-next-upstream-tries',
    type: 'integer',
    default: '3',
    doc: 'Total tries, the first included; 0 means as many as there are endpoints.',
  },
  {
    name: 'proxy-next-upstream-timeout',
    type: 'integer',
    default: '0',
    doc: 'Seconds for all tries together; 0 means no limit.',
  },
];
