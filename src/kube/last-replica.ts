import { isRecord } from './project-object.ts';
import { resourcePath, resources } from './resources.ts';
import type { Transport } from './transport.ts';

export interface LastReplicaOptions {
  readonly transport: Transport;
  /** `namespace/name` of the Service that leads to all replicas (`--publish-service`). */
  readonly service: string;
  /** Of this process. */
  readonly pod: string;
  readonly timeoutMs?: number;
}

/**
 * Whether no replica but this one is at work: no other endpoint of the Service that all of them stand behind, but for
 * those that are ending as well. Endpoints are read anyway, pods are not, so this asks for no further right. When it cannot
 * be known the answer is false: an address that stays too long does less harm than one that is gone too soon.
 */
export async function isLastReplica(options: LastReplicaOptions): Promise<boolean> {
  const { transport, service, pod, timeoutMs = 3000 } = options;
  const [namespace = '', name = ''] = service.split('/');
  const { group, version, plural } = resources.EndpointSlice;
  try {
    const { status, body } = await transport.request({
      method: 'GET',
      path: resourcePath({ group, version, plural }, { namespace }),
      query: new Map([['labelSelector', `kubernetes.io/service-name=${name}`]]),
      timeoutMs,
    });
    const slices = isRecord(body) ? body['items'] : undefined;
    if (status !== 200 || !Array.isArray(slices)) return false;
    return !slices
      .filter(isRecord)
      .flatMap(endpointsOf)
      .some((endpoint) => isAnother(endpoint, pod));
  } catch {
    return false;
  }
}

function endpointsOf({ endpoints }: Record<string, unknown>): readonly Record<string, unknown>[] {
  return Array.isArray(endpoints) ? endpoints.filter(isRecord) : [];
}

function isAnother({ targetRef, conditions }: Record<string, unknown>, pod: string): boolean {
  if (isRecord(targetRef) && targetRef['name'] === pod) return false;
  return !(isRecord(conditions) && conditions['terminating'] === true);
}
