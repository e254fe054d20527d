import { durationSchema, positiveDurationSchema } from './schema.ts';
import type { Schema } from './schema.ts';

/** `timeouts` of a Route's rule and of a BackendPolicy. */
export const timeoutsSchema: Schema = {
  type: 'object',
  description: "Time limits towards the upstream. Left out: the controller's defaults.",
  properties: {
    connect: positiveDurationSchema('For a connection to an endpoint.'),
    send: positiveDurationSchema('Between two writes to the upstream.'),
    read: positiveDurationSchema('Between two reads from the upstream, and for its first byte.'),
    request: durationSchema('For the whole exchange; 0s means no cap.'),
  },
};

/** `retries` of both. */
export const retriesSchema: Schema = {
  type: 'object',
  description: "What is tried again on another endpoint, and how often. Left out: the controller's defaults.",
  properties: {
    tries: { type: 'integer', minimum: 1, maximum: 100, description: 'Total tries, the first included.' },
    retryOn: {
      type: 'array',
      description: "What is tried again, in the words of nginx's proxy_next_upstream.",
      maxItems: 16,
      'x-kubernetes-list-type': 'set',
      items: {
        type: 'string',
        enum: [
          'error',
          'timeout',
          'http_500',
          'http_502',
          'http_503',
          'http_504',
          'http_403',
          'http_404',
          'http_429',
          'non_idempotent',
        ],
      },
    },
    timeout: durationSchema('For all tries together; 0s means no cap.'),
  },
};
