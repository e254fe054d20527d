import { expect, test } from '@jest/globals';

import { ControllerRig, installedWith } from '../support/cluster/controller-rig.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import { slice } from '../support/cluster/objects.ts';
import type { Replica } from '../support/cluster/replica.ts';
import { eventually } from '../support/eventually.ts';
import { Load, failuresIn } from '../support/load.ts';
import { ServiceProxy } from '../support/service-proxy.ts';

const host = 'shop.example';
/** Longer than the service takes to notice that a replica is not ready: a period and the lag. */
const flags = ['--drain-delay', '2s', '--grace-period', '20s', '--publish-status-address', '192.0.2.1'];

describeWithCluster(
  'two replicas behind a Service',
  (cluster) => {
    test('are restarted one after the other, and no request is lost', async () => {
      const rig = new ControllerRig(cluster());
      const service = await ServiceProxy.start();
      try {
        const [first, second] = [await rig.upstream('first'), await rig.upstream('second')];
        await rig.serve('rolling', host, first);

        const join = async (pod: string): Promise<Replica> => {
          const replica = await rig.replica(pod, ...flags);
          service.add(replica);
          await replica.live();
          await chosen(replica, true);
          return replica;
        };
        const chosen = (replica: Replica, wanted: boolean): Promise<unknown> =>
          eventually(
            () => Promise.resolve(service.chosen.includes(replica)),
            (is) => is === wanted,
          );

        let replicas = [await join('pod-a'), await join('pod-b')];
        const head = `GET / HTTP/1.1\r\nHost: ${host}`;
        const steady = await Load.start(service.port, 4, head, { pauseMs: 2, reconnect: true });
        const fresh = await Load.start(service.port, 2, `${head}\r\nConnection: close`, {
          pauseMs: 2,
          reconnect: true,
        });
        for (const old of [...replicas]) {
          const exit = old.terminate();
          await chosen(old, false);
          await steady.more(50);
          expect(await exit).toBe(0);
          service.remove(old);
          replicas = [...replicas.filter((one) => one !== old), await join(`${old.pod}-next`)];
          await steady.more(200);
          await fresh.more(50);
        }
        // Both new ones read the cluster as the old ones did.
        await rig.apply(slice('rolling/web', second.address, second.port));
        for (const replica of replicas) await replica.until(host, ({ body }) => body === 'second');
        expect(failuresIn([...(await steady.stop()), ...(await fresh.stop())])).toEqual([]);
      } finally {
        service.stop();
        await rig.stop();
      }
    });
  },
  installedWith('manifests/rbac.yaml'),
);
