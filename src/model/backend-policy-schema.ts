import { backendProtocols } from './backend-policy.ts';
import { backendTlsSchema } from './backend-tls-schema.ts';
import { maxConnectionCount } from './decode-backend-policy.ts';
import { retriesSchema, timeoutsSchema } from './exchange-schema.ts';
import { labelSchema, objectSchema, positiveDurationSchema } from './schema.ts';
import type { Schema } from './schema.ts';

function countSchema(minimum: number, description: string): Schema {
  return { type: 'integer', minimum, maximum: maxConnectionCount, description };
}

const connections: Schema = {
  type: 'object',
  description: "How connections to each endpoint are used. Left out: the controller's settings.",
  properties: {
    maxRequests: countSchema(
      1,
      'Requests at a time to one endpoint, upgraded connections counted, over all workers of a pod. An endpoint that ' +
        'has as many gets no more; while all have, requests are answered 503. Left out: no limit.',
    ),
    maxIdle: countSchema(0, 'Idle connections that each worker keeps to one endpoint; 0 keeps none.'),
    idleTimeout: positiveDurationSchema('How long an idle connection is kept.'),
    maxLifetime: positiveDurationSchema('How long a connection is used.'),
    maxRequestsPerConnection: countSchema(1, 'Requests on one connection, one after the other.'),
  },
  'x-kubernetes-validations': [
    {
      rule: '!has(self.idleTimeout) || !has(self.maxLifetime) || duration(self.idleTimeout) <= duration(self.maxLifetime)',
      message: 'idleTimeout is at most maxLifetime',
    },
  ],
};

/** The CRD schema of BackendPolicy; the decoder reads the same shape. */
export const backendPolicySchema: Schema = objectSchema('How Sallyport talks to one Service.', {
  type: 'object',
  required: ['service'],
  properties: {
    service: { ...labelSchema, description: "Name of the Service, in the policy's own namespace." },
    balance: {
      type: 'string',
      enum: ['RoundRobin', 'LeastRequest'],
      description:
        "How endpoints are chosen: in turn by weight, or the less busy of two drawn at random. Left out: the controller's default.",
    },
    protocol: {
      type: 'string',
      enum: [...backendProtocols],
      description:
        'What is spoken to endpoints. GRPC is HTTP/2 whose requests are gRPC; Auto lets endpoints choose HTTP/2 or ' +
        'HTTP/1.1 by ALPN, and needs tls. Left out: HTTP/1.1.',
    },
    tls: backendTlsSchema,
    proxyProtocol: {
      type: 'string',
      enum: ['V2'],
      description:
        "Each connection to an endpoint begins with a PROXY header of this version, with the client's address, and " +
        'serves that client only. Left out: none does.',
    },
    timeouts: timeoutsSchema,
    retries: retriesSchema,
    connections,
  },
  'x-kubernetes-validations': [
    {
      rule: "!has(self.protocol) || self.protocol != 'Auto' || has(self.tls)",
      message: 'protocol Auto needs tls: the protocol is chosen in its handshake',
    },
  ],
});
