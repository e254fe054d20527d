import { metricDeclarations } from '../../src/telemetry/metric-declarations.ts';
import { code, pageHead, table } from './markdown.ts';

/** docs/reference/metrics.md */
export function metricsPage(): string {
  const rows = metricDeclarations.map(({ name, type, labels, help }) => [
    code(name),
    type,
    labels.map(code).join(', '),
    help,
  ]);
  const intro =
    'What `/metrics` shows, in the text format of Prometheus, beside the `process_` and `nodejs_` families of the main ' +
    'thread. Totals go on when a worker is replaced. Every label has a bounded set of values; series of events that ' +
    'never happened are left out. Which families to look at first: [operations](../operations.md#metrics).';
  return `${pageHead('Metrics', intro)}\n${table(['Family', 'Type', 'Labels', 'Meaning'], rows)}`;
}
