import { handshakeBuckets, handshakeFailures, handshakeKinds } from './handshake-cells.ts';
import { tlsMetrics } from './metric-declarations.ts';
import type { MetricDeclaration } from './metric-declaration.ts';
import type { CounterReader } from './worker-counters.ts';

/** TLS handshakes of all workers, in Prometheus' text format. Kinds and reasons that never occurred are left out. */
export function renderHandshakes(workers: readonly CounterReader[]): string {
  const sum = (read: (worker: CounterReader) => number): number =>
    workers.reduce((total, worker) => total + read(worker), 0);
  const lines = [...head(tlsMetrics.handshakes)];
  for (const kind of handshakeKinds) {
    const count = sum((worker) => worker.handshakes(kind));
    const { version, cipher, resumed } = kind;
    if (count > 0)
      lines.push(
        `${tlsMetrics.handshakes.name}{version="${version}",cipher="${cipher}",resumed="${resumed}"} ${count}`,
      );
  }
  lines.push(...head(tlsMetrics.failures));
  for (const reason of handshakeFailures) {
    const count = sum((worker) => worker.handshakeFailures(reason));
    if (count > 0) lines.push(`${tlsMetrics.failures.name}{reason="${reason}"} ${count}`);
  }
  lines.push(...head(tlsMetrics.seconds), ...histogram(workers, sum));
  return `${lines.join('\n')}\n`;
}

function histogram(
  workers: readonly CounterReader[],
  sum: (read: (worker: CounterReader) => number) => number,
): readonly string[] {
  const { name } = tlsMetrics.seconds;
  const buckets = workers.map((worker) => worker.handshakeBuckets());
  let below = 0;
  const lines = [...handshakeBuckets, '+Inf'].map((bound, place) => {
    below += buckets.reduce((total, worker) => total + (worker[place] ?? 0), 0);
    return `${name}_bucket{le="${bound}"} ${below}`;
  });
  return [...lines, `${name}_sum ${sum((worker) => worker.handshakeSeconds())}`, `${name}_count ${below}`];
}

function head({ name, help, type }: MetricDeclaration): readonly [string, string] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
