import { join } from 'node:path';

import { startNginxBackend } from '../backends/nginx-backend.ts';
import { hostName, writeHostScript } from '../harness/manifests.ts';
import { loadColumns, measure, withRunning } from '../harness/measure.ts';
import type { Bench, Subject } from '../harness/measure.ts';
import { ratio } from '../harness/result.ts';
import { wrk } from '../harness/wrk.ts';
import { nginx } from '../peers/nginx.ts';
import type { RunningPeer } from '../peers/peer.ts';
import { sallyport } from '../peers/sallyport.ts';
import type { Scenario } from './scenario.ts';

const FEW = 10;
const MANY = 10_000;

/** Uniform load over so many hosts finds every host's memory cold, in any proxy: nginx shows how much that is here. */
const peers = [sallyport, nginx] as const;

const nameOf = (peer: string, hosts: number): string => `${peer}, ${hosts} hosts`;

/** Starts every peer with few and with many hosts and measures them together. */
async function measureAll(bench: Bench, backendPort: number) {
  const running: RunningPeer[] = [];
  const subjects: Subject[] = [];
  try {
    for (const hosts of [FEW, MANY]) {
      const script = join(bench.folder('scripts'), `${hosts}.lua`);
      writeHostScript(script, hosts);
      for (const peer of peers) {
        const folder = bench.folder(`${peer.name}-${hosts}`);
        const process_ = await peer.start({ backendPort, folder, hosts });
        running.push(process_);
        const { port } = process_;
        const load = { port, path: '/', host: hostName(0), connections: 32, script };
        subjects.push({
          name: nameOf(peer.name, hosts),
          process: process_,
          load: (seconds) => wrk(load, seconds),
        });
      }
    }
    return await measure(bench, subjects);
  } finally {
    for (const one of running) await one.stop();
  }
}

export const manyHosts: Scenario = {
  id: 'many-hosts',
  title: '10 hosts against 10,000',
  run: async (bench) => {
    const rows = await withRunning(startNginxBackend(bench.folder('backend')), ({ port }) =>
      measureAll(bench, port),
    );
    return {
      how: 'Small GET spread evenly over all hosts of the table, one Ingress (nginx: one `server`) a host',
      columns: loadColumns.filter(({ key }) => key !== 'toNginx'),
      rows,
      verdicts: [
        {
          text: 'CPU time per request, 10,000 hosts to 10',
          value: ratio(rows, 'cpuMicros', nameOf('sallyport', MANY), nameOf('sallyport', FEW)),
          limit: 1.1,
          sense: 'at most',
        },
        {
          text: 'the same ratio, to that of nginx',
          value: relative(
            ratio(rows, 'cpuMicros', nameOf('sallyport', MANY), nameOf('sallyport', FEW)),
            ratio(rows, 'cpuMicros', nameOf('nginx', MANY), nameOf('nginx', FEW)),
          ),
          limit: 1,
          sense: 'at most',
        },
        {
          text: 'errors',
          value: rows.reduce((sum, row) => sum + (row.values['errors'] ?? 0), 0),
          limit: 0,
          sense: 'at most',
        },
      ],
    };
  },
};

function relative(value: number | null, to: number | null): number | null {
  return value === null || to === null ? null : value / to;
}
