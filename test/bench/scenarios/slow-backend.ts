import { startNodeBackend } from '../backends/start-node-backend.ts';
import { hostName } from '../harness/manifests.ts';
import { loadColumns, measure, withPeers, withRunning } from '../harness/measure.ts';
import type { Subject } from '../harness/measure.ts';
import { ratio } from '../harness/result.ts';
import type { Row } from '../harness/result.ts';
import { wrk } from '../harness/wrk.ts';
import type { WrkLoad } from '../harness/wrk.ts';
import type { RunningPeer } from '../peers/peer.ts';
import type { Scenario } from './scenario.ts';

/** With many connections in step, each burst of answers waits for the burst before it: the second figure shows how much. */
const CONNECTIONS = [16, 64] as const;

const nameOf = (name: string, connections: number): string => `${name}, ${connections} connections`;

function addedP99(rows: readonly Row[], connections: number): number | null {
  const p99 = (name: string) =>
    rows.find((row) => row.name === nameOf(name, connections))?.values['p99Ms'] ?? null;
  const [proxied, direct] = [p99('sallyport'), p99('direct')];
  return proxied === null || direct === null ? null : proxied - direct;
}

function subjects(
  connections: number,
  load: Omit<WrkLoad, 'port' | 'connections'>,
  ports: { readonly direct: number; readonly proxies: ReadonlyMap<string, RunningPeer> },
): readonly Subject[] {
  const proxied = [...ports.proxies].map(([name, process_]) => ({
    name: nameOf(name, connections),
    process: process_,
    load: (seconds: number) => wrk({ ...load, connections, port: process_.port }, seconds),
  }));
  const direct = (seconds: number) => wrk({ ...load, connections, port: ports.direct }, seconds);
  return [{ name: nameOf('direct', connections), load: direct }, ...proxied];
}

export const slowBackend: Scenario = {
  id: 'slow-backend',
  title: 'Backend of 10 ms, proxied against direct',
  run: async (bench) => {
    const peers = bench.peers.filter(({ name }) => name === 'sallyport' || name === 'nginx');
    const load = { path: '/', host: hostName(0) };
    const rows = await withRunning(startNodeBackend('delayed-backend', bench.folder('backend')), (backend) =>
      withPeers(bench, { backendPort: backend.port, peers }, (proxies) =>
        measure(
          bench,
          CONNECTIONS.flatMap((count) => subjects(count, load, { direct: backend.port, proxies })),
        ),
      ),
    );
    const [few] = CONNECTIONS;
    return {
      how: 'GET against a backend that answers after 10 ms, keep-alive connections, with and without a proxy',
      columns: loadColumns.filter(({ key }) => key !== 'toNginx'),
      rows,
      verdicts: [
        {
          text: `requests per second over ${few} connections, proxied to direct`,
          value: ratio(rows, 'requestsPerSecond', nameOf('sallyport', few), nameOf('direct', few)),
          limit: 0.97,
          sense: 'at least',
        },
        {
          text: `p99 added over ${few} connections, ms`,
          value: addedP99(rows, few),
          limit: 2,
          sense: 'at most',
        },
      ],
    };
  },
};
