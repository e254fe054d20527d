import type { BackendPolicy } from './backend-policy.ts';
import type { Field } from './field.ts';
import type { ObjectMeta } from './object-meta.ts';
import { dnsLabel } from './text-checks.ts';

const algorithms = ['RoundRobin', 'LeastRequest'] as const;

/** sallyport.dev/v1alpha1 BackendPolicy. Unknown fields are faults, as in a Route. */
export function decodeBackendPolicy(root: Field, meta: ObjectMeta): BackendPolicy {
  root.only(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  const spec = root.get('spec').object().only(['service', 'balance']);
  const balance = spec.get('balance');
  return {
    kind: 'BackendPolicy',
    meta,
    service: spec.get('service').text({ check: dnsLabel }),
    balance: balance.absent ? undefined : balance.choice(algorithms),
  };
}
