import { join } from 'node:path';

import { startNginxBackend } from '../backends/nginx-backend.ts';
import { hostName, writeHostScript } from '../harness/manifests.ts';
import { loadColumns, measure, withRunning } from '../harness/measure.ts';
import { ratio } from '../harness/result.ts';
import { sallyport } from '../peers/sallyport.ts';
import type { Scenario } from './scenario.ts';

const FEW = 10;
const MANY = 10_000;

export const manyHosts: Scenario = {
  id: 'many-hosts',
  title: '10 hosts against 10,000',
  run: async (bench) => {
    const scripts = bench.folder('scripts');
    const rows = await withRunning(startNginxBackend(bench.folder('backend')), async (backend) => {
      const start = (hosts: number) =>
        sallyport.start({ backendPort: backend.port, folder: bench.folder(`sallyport-${hosts}`), hosts });
      return withRunning(start(FEW), (few) =>
        withRunning(start(MANY), (many) =>
          measure(
            bench,
            [
              { hosts: FEW, process: few },
              { hosts: MANY, process: many },
            ].map(({ hosts, process: process_ }) => {
              const script = join(scripts, `${hosts}.lua`);
              writeHostScript(script, hosts);
              const load = {
                port: process_.port,
                path: '/',
                host: hostName(0),
                connections: 32,
                seconds: bench.seconds,
              };
              return { name: `${hosts} hosts`, process: process_, load: { ...load, script } };
            }),
          ),
        ),
      );
    });
    return {
      how: 'Small GET spread evenly over all hosts of the table, one Ingress a host',
      columns: loadColumns.filter(({ key }) => key !== 'toNginx'),
      rows,
      verdicts: [
        {
          text: 'CPU time per request, 10,000 hosts to 10',
          value: ratio(rows, 'cpuMicros', `${MANY} hosts`, `${FEW} hosts`),
          limit: 1.1,
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
