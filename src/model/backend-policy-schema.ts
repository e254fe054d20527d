import { labelSchema, objectSchema } from './schema.ts';
import type { Schema } from './schema.ts';

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
  },
});
