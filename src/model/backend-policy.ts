import type { ObjectMeta } from './object-meta.ts';

/** sallyport.dev/v1alpha1 BackendPolicy, attached to one Service of its own namespace. */
export interface BackendPolicy {
  readonly kind: 'BackendPolicy';
  readonly meta: ObjectMeta;
  readonly service: string;
  readonly balance: 'RoundRobin' | 'LeastRequest' | undefined;
}
