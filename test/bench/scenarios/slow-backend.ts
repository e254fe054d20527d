import { startDelayedBackend } from '../backends/start-delayed-backend.ts';
import { hostName } from '../harness/manifests.ts';
import { loadColumns, measure, withPeers, withRunning } from '../harness/measure.ts';
import { ratio } from '../harness/result.ts';
import type { Row } from '../harness/result.ts';
import type { RunningPeer } from '../peers/peer.ts';
import type { Scenario } from './scenario.ts';

const CONNECTIONS = 64;

function addedP99(rows: readonly Row[]): number | null {
  const p99 = (name: string) => rows.find((row) => row.name === name)?.values['p99Ms'] ?? null;
  const [proxied, direct] = [p99('sallyport'), p99('direct')];
  return proxied === null || direct === null ? null : proxied - direct;
}

export const slowBackend: Scenario = {
  id: 'slow-backend',
  title: 'Backend of 10 ms, proxied against direct',
  run: async (bench) => {
    const peers = bench.peers.filter(({ name }) => name === 'sallyport' || name === 'nginx');
    const rows = await withRunning(startDelayedBackend(bench.folder('backend')), (backend) =>
      withPeers(bench, { backendPort: backend.port, peers }, (running) => {
        const load = { path: '/', host: hostName(0), connections: CONNECTIONS, seconds: bench.seconds };
        const proxied = [...running].map(([name, process_]: [string, RunningPeer]) => ({
          name,
          process: process_,
          load: { ...load, port: process_.port },
        }));
        return measure(bench, [{ name: 'direct', load: { ...load, port: backend.port } }, ...proxied]);
      }),
    );
    return {
      how: 'GET against a backend that answers after 10 ms, 64 keep-alive connections, with and without a proxy',
      columns: loadColumns,
      rows,
      verdicts: [
        {
          text: 'requests per second, proxied to direct',
          value: ratio(rows, 'requestsPerSecond', 'sallyport', 'direct'),
          limit: 0.97,
          sense: 'at least',
        },
        { text: 'p99 added, ms', value: addedP99(rows), limit: 2, sense: 'at most' },
      ],
    };
  },
};
