import { join } from 'node:path';

import { startNginxBackend } from '../backends/nginx-backend.ts';
import { createEdge } from '../harness/certificate.ts';
import { h2load } from '../harness/h2load.ts';
import { loadColumns, measure, withPeers, withRunning } from '../harness/measure.ts';
import { hostName } from '../harness/manifests.ts';
import { cpuVerdicts } from './plain-load.ts';
import type { Scenario } from './scenario.ts';

const CONNECTIONS = 16;
const STREAMS = 8;

export const http2TlsIn: Scenario = {
  id: 'http2-tls-in',
  title: 'HTTP/2 over TLS',
  run: async (bench) => {
    const host = hostName(0);
    const edge = createEdge(bench.folder('edge'), [host], true);
    const rows = await withRunning(startNginxBackend(bench.folder('backend')), (backend) =>
      withPeers(bench, { backendPort: backend.port, edge }, (running) => {
        const log = join(bench.folder('load'), 'requests.log');
        const load = {
          tls: true,
          host,
          path: '/',
          connections: CONNECTIONS,
          streams: STREAMS,
          answerBytes: 2,
          log,
        };
        const subjects = [...running].map(([name, process_]) => ({
          name,
          process: process_,
          load: (seconds: number) => h2load({ ...load, port: process_.port }, seconds),
        }));
        return measure(bench, subjects);
      }),
    );
    return {
      how:
        `GET with an answer of two bytes over HTTP/2 and TLS 1.3, ${CONNECTIONS} connections with ${STREAMS} streams each, ` +
        'HTTP/1.1 to the backend',
      columns: loadColumns,
      rows,
      verdicts: cpuVerdicts(rows, [
        { peer: 'nginx', atMost: 0.95 },
        { peer: 'envoy', atMost: 0.5 },
      ]),
    };
  },
};
