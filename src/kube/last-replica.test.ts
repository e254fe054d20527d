import { expect, test } from '@jest/globals';
import { MemoryApi, answer } from '../../test/support/memory-api.ts';
import { SimulatedTime, settlePromises } from '../../test/support/simulated-time.ts';
import { isLastReplica } from './last-replica.ts';
import type { ApiRequest, ApiResponse } from './transport.ts';

const own = { targetRef: { kind: 'Pod', name: 'pod-0' }, conditions: { ready: false, terminating: true } };
const ending = { targetRef: { kind: 'Pod', name: 'pod-1' }, conditions: { ready: false, terminating: true } };
const other = { targetRef: { kind: 'Pod', name: 'pod-2' }, conditions: { ready: true } };
const starting = { targetRef: { kind: 'Pod', name: 'pod-3' }, conditions: { ready: false } };

async function ask(
  response: ApiResponse,
): Promise<{ last: boolean | undefined; request: ApiRequest | undefined }> {
  const time = new SimulatedTime();
  let request: ApiRequest | undefined;
  let last: boolean | undefined;
  const transport = new MemoryApi(time).transport((asked) => {
    request = asked;
    return { answer: response };
  });
  void isLastReplica({ transport, service: 'sallyport/web', pod: 'pod-0' }).then((result) => {
    last = result;
  });
  await time.advance(10);
  await settlePromises();
  return { last, request };
}

test.each([
  ['nothing but this one', [{ endpoints: [own] }], true],
  ['others that are ending', [{ endpoints: [own, ending] }], true],
  ['one that serves', [{ endpoints: [own] }, { endpoints: [ending, other] }], false],
  ['one that is not ready yet', [{ endpoints: [starting] }], false],
  ['no endpoint', [{ endpoints: null }], true],
  ['an endpoint without a pod', [{ endpoints: [{}] }], false],
])('with %s', async (_, items, expected) => {
  const { last, request } = await ask(answer(200, { items }));
  expect(last).toBe(expected);
  expect(request?.path).toBe('/apis/discovery.k8s.io/v1/namespaces/sallyport/endpointslices');
  expect(request?.query?.get('labelSelector')).toBe('kubernetes.io/service-name=web');
});

test.each([403, 500])('not by all that is known after %i', async (status) => {
  expect((await ask(answer(status, {}))).last).toBe(false);
});
