import { startNginxBackend } from '../backends/nginx-backend.ts';
import { createEdge } from '../harness/certificate.ts';
import { loadColumns, measure, withPeers, withRunning } from '../harness/measure.ts';
import type { Bench } from '../harness/measure.ts';
import { hostName } from '../harness/manifests.ts';
import { ratio } from '../harness/result.ts';
import type { Result, Row, Verdict } from '../harness/result.ts';
import { wrk } from '../harness/wrk.ts';

const CONNECTIONS = 32;

/** A limit on Sallyport's CPU time per request relative to a peer's. */
export interface RatioTarget {
  readonly peer: string;
  readonly atMost: number;
}

export interface PlainLoad {
  readonly how: string;
  readonly path: string;
  /** Over TLS; the proxies have a certificate of their own for this run. */
  readonly tls?: boolean;
  readonly script?: string;
  readonly targets: readonly RatioTarget[];
}

/** Every peer before the nginx backend under the same load of 32 keep-alive connections. */
export async function plainLoad(bench: Bench, load: PlainLoad): Promise<Result> {
  const { path, tls = false } = load;
  const edge = tls ? { edge: createEdge(bench.folder('edge'), ['localhost', hostName(0)], false) } : {};
  const rows = await withRunning(startNginxBackend(bench.folder('backend')), (backend) =>
    withPeers(bench, { backendPort: backend.port, ...edge }, (running) => {
      const more = load.script === undefined ? {} : { script: load.script };
      const shared = { path, tls, host: hostName(0), connections: CONNECTIONS, ...more };
      const subjects = [...running].map(([name, process_]) => ({
        name,
        process: process_,
        load: (seconds: number) => wrk({ ...shared, port: process_.port }, seconds),
      }));
      return measure(bench, subjects);
    }),
  );
  return { how: load.how, columns: loadColumns, rows, verdicts: cpuVerdicts(rows, load.targets) };
}

/** The targets' verdicts, and that Sallyport had no errors. */
export function cpuVerdicts(rows: readonly Row[], targets: readonly RatioTarget[]): readonly Verdict[] {
  const errors = rows.find(({ name }) => name === 'sallyport')?.values['errors'] ?? null;
  return [
    ...targets.map(({ peer, atMost }) => ({
      text: `CPU time per request, sallyport to ${peer}`,
      value: ratio(rows, 'cpuMicros', 'sallyport', peer),
      limit: atMost,
      sense: 'at most' as const,
    })),
    { text: 'sallyport errors', value: errors, limit: 0, sense: 'at most' },
  ];
}
