import { dump } from 'js-yaml';
import { backendPolicySchema } from '../../src/model/backend-policy-schema.ts';
import { fieldTable, propertiesOf } from './field-table.ts';
import { fenced, pageHead } from './markdown.ts';

/** The example of the page. A test decodes it and checks it against the schema. */
export const backendPolicyExample = {
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'BackendPolicy',
  metadata: { name: 'shop', namespace: 'team-a' },
  spec: {
    service: 'shop',
    balance: 'LeastRequest',
    protocol: 'HTTP2',
    tls: { caSecretName: 'internal-authority', clientSecretName: 'sallyport-client' },
    timeouts: { connect: '1s', read: '30s' },
    retries: { tries: 2, retryOn: ['error', 'timeout', 'http_503'] },
    connections: { maxRequests: 100, maxIdle: 32, idleTimeout: '30s', maxLifetime: '10m' },
  },
} as const;

const INTRO =
  'A BackendPolicy (`backendpolicies.sallyport.dev/v1alpha1`, short name `spbp`) says how Sallyport talks to one Service of its ' +
  'own namespace, whichever Ingress or Route leads there. What a rule of a Route or an annotation of an Ingress sets itself goes before it, ' +
  'member by member; what neither sets is left to the flags and defaults. (TLS is one member: the annotations `proxy-ssl-*` go before all of ' +
  '`tls`.) While a Secret that `tls` names is missing or cannot be used, nothing is sent to the Service and its routes answer 503. A route over several Services takes for each the policy of its own.';

/** docs/reference/backend-policy.md */
export function backendPolicyPage(): string {
  const spec = propertiesOf(backendPolicySchema).get('spec') ?? {};
  return [
    pageHead('BackendPolicy', INTRO),
    `\n${fenced('yaml', dump(backendPolicyExample, { lineWidth: -1 }))}`,
    '\n## Fields of spec\n\n',
    fieldTable(spec),
  ].join('');
}
