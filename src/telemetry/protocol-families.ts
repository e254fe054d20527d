import type { CounterName } from './counter-layout.ts';
import type { MetricDeclaration } from './metric-declaration.ts';
import { cellFamilies, seriesOf } from './protocol-cells.ts';
import type { CellFamily, CellFamilyName } from './protocol-cells.ts';
import { protocolMetrics } from './protocol-declarations.ts';
import type { CounterReader } from './worker-counters.ts';

/** A family with a series a worker and value of its second label. */
interface WorkerFamily {
  readonly declaration: MetricDeclaration;
  readonly cells: readonly (readonly [value: string, cell: CounterName])[];
}

const workerFamilies: readonly WorkerFamily[] = [
  {
    declaration: protocolMetrics.sessionsActive,
    cells: [
      ['client', 'http2ClientSessions'],
      ['upstream', 'http2UpstreamSessions'],
    ],
  },
  {
    declaration: protocolMetrics.sessions,
    cells: [
      ['client', 'http2ClientSessionsTotal'],
      ['upstream', 'http2UpstreamSessionsTotal'],
    ],
  },
  {
    declaration: protocolMetrics.streamsActive,
    cells: [
      ['client', 'http2ClientStreams'],
      ['upstream', 'http2UpstreamStreams'],
    ],
  },
  {
    declaration: protocolMetrics.streams,
    cells: [
      ['client', 'http2ClientStreamsTotal'],
      ['upstream', 'http2UpstreamStreamsTotal'],
    ],
  },
  {
    declaration: protocolMetrics.tunnelsActive,
    cells: [
      ['upgrade', 'tunnelsActive'],
      ['connect', 'connectTunnelsActive'],
    ],
  },
  {
    declaration: protocolMetrics.tunnels,
    cells: [
      ['upgrade', 'tunnelsTotal'],
      ['connect', 'connectTunnelsTotal'],
    ],
  },
];

/**
 * What connections say to each other, in Prometheus' text format: gauges and totals a worker, then totals that are summed
 * over the workers, of which those that are 0 are left out.
 */
export function renderProtocolFamilies(workers: readonly CounterReader[]): string {
  const names = Object.keys(cellFamilies) as readonly CellFamilyName[];
  return [
    ...workerFamilies.map((family) => renderWorkers(family, workers)),
    ...names.map((name) => renderSums(name, workers)),
  ].join('');
}

function renderWorkers({ declaration, cells }: WorkerFamily, workers: readonly CounterReader[]): string {
  const lines = workers.flatMap((reader, worker) =>
    cells.map(([value, cell]) =>
      sample(declaration, { values: [String(worker), value], count: reader.read(cell) }),
    ),
  );
  return head(declaration) + lines.join('');
}

function renderSums(name: CellFamilyName, workers: readonly CounterReader[]): string {
  const family: CellFamily = cellFamilies[name];
  const lines = seriesOf(family).map((values, place) => {
    const count = workers.reduce((sum, worker) => sum + worker.family(name, place), 0);
    return count === 0 ? '' : sample(family.declaration, { values, count });
  });
  return head(family.declaration) + lines.join('');
}

function sample(
  { name, labels }: MetricDeclaration,
  { values, count }: { readonly values: readonly string[]; readonly count: number },
): string {
  const pairs = labels.map((label, place) => `${label}="${values[place]}"`);
  return `${name}{${pairs.join(',')}} ${count}\n`;
}

function head({ name, help, type }: MetricDeclaration): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}
