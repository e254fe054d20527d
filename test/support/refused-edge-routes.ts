import { route } from './crd-objects.ts';
import type { Manifest } from './cluster/manifest.ts';

// Routes that are wrong about certificates, gRPC or CORS: what is wrong, the object, and the message of the API server.

const rules = [{ backends: [{ service: 's', port: 80 }] }];
const place = 'spec.tls.clientCertificate';
const match = 'spec.rules[0].matches[0]';

const asking = (fields: Readonly<Record<string, unknown>>): Manifest =>
  route({ tls: { clientCertificate: { caSecretName: 'ca', ...fields } }, rules });
const matching = (fields: unknown): Manifest => route({ rules: [{ ...rules[0], matches: [fields] }] });

const cors = (fields: Readonly<Record<string, unknown>>): Manifest =>
  route({ rules: [{ ...rules[0], filters: [{ cors: fields }] }] });
const corsFilter = 'spec.rules[0].filters[0].cors';

export const refusedEdgeRoutes: readonly (readonly [string, Manifest, string])[] = [
  [
    'TLS without certificates of any kind',
    route({ tls: {}, rules }),
    'spec.tls: Invalid value: tls needs secretName, clientCertificate, or both',
  ],
  [
    'clients without an authority',
    route({ tls: { clientCertificate: {} }, rules }),
    `${place}.caSecretName: Required value`,
  ],
  [
    'an unknown way to ask clients',
    asking({ mode: 'Maybe' }),
    `${place}.mode: Unsupported value: "Maybe": supported values: "Required", "Optional", "OptionalNoCA"`,
  ],
  ['a chain of nobody', asking({ verifyDepth: 0 }), `${place}.verifyDepth: Invalid value: 0`],
  [
    'a common name that does not say so',
    asking({ matchCommonName: 'alice' }),
    `${place}.matchCommonName: Invalid value: "alice": a pattern for the common name begins with CN=`,
  ],
  [
    'an error page on the host itself',
    asking({ errorPage: '/sorry' }),
    `${place}.errorPage: Invalid value: "/sorry"`,
  ],
  [
    'an error page that is no URL',
    asking({ errorPage: 'https://%zz/' }),
    `${place}.errorPage: Invalid value: "https://%zz/": an error page is an absolute http or https URL`,
  ],
  ['CORS for nobody', cors({}), `${corsFilter}.allowOrigins: Required value`],
  [
    'CORS with credentials for everybody',
    cors({ allowOrigins: ['*'], allowCredentials: true }),
    `${corsFilter}: Invalid value: with credentials origins have to be named: '*' does not count for browsers`,
  ],
  [
    'a gRPC match of nothing',
    matching({ grpc: {} }),
    `${match}.grpc: Invalid value: 0: ${match}.grpc in body should have at least 1 properties`,
  ],
  [
    'a gRPC service beside a path',
    matching({ grpc: { service: 'a.B' }, path: { value: '/' } }),
    `${match}: Invalid value: grpc stands for a path and for the method POST: neither is given beside it`,
  ],
  [
    'a gRPC service with a slash',
    matching({ grpc: { service: 'a/b' } }),
    `${match}.grpc.service: Invalid value: "a/b"`,
  ],
  [
    'a gRPC method with a dot',
    matching({ grpc: { method: 'a.b' } }),
    `${match}.grpc.method: Invalid value: "a.b"`,
  ],
];
