import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { startNginxBackend } from '../backends/nginx-backend.ts';
import { ingress, saveManifest } from '../harness/manifests.ts';
import { withRunning } from '../harness/measure.ts';
import { median } from '../harness/result.ts';
import { sallyport } from '../peers/sallyport.ts';
import type { Scenario } from './scenario.ts';

const HOSTS = 10_000;
/** A change that is not live by then fails the scenario. */
const LIVE_LIMIT_MS = 10_000;

/** What the log says of one table that went live. */
interface LiveTable {
  readonly generation: number;
  readonly changeMs: number;
  readonly linkMs: number;
  readonly stallMs: number;
}

function liveTables(log: string): readonly LiveTable[] {
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"msg":"table live"'))
    .map((line) => JSON.parse(line) as LiveTable);
}

async function nextTable(log: string, after: number): Promise<LiveTable> {
  for (let waited = 0; waited < LIVE_LIMIT_MS; waited += 10) {
    const table = liveTables(log).at(-1);
    if (table !== undefined && table.generation > after) return table;
    await delay(10);
  }
  throw new Error(`generation ${after + 1} was not live after ${LIVE_LIMIT_MS} ms`);
}

async function change(log: string, manifests: string, count: number): Promise<readonly LiveTable[]> {
  const tables: LiveTable[] = [];
  let generation = (await nextTable(log, 0)).generation;
  for (let number = 0; number < count; number++) {
    saveManifest(manifests, 'probe.yaml', [ingress('probe', 'probe.bench.example', `/probe-${number}`)]);
    const table = await nextTable(log, generation);
    tables.push(table);
    generation = table.generation;
  }
  return tables;
}

const row = (name: string, values: readonly number[]) => ({
  name,
  values: { medianMs: median(values), worstMs: Math.max(...values) },
});

export const oneChange: Scenario = {
  id: 'one-change',
  title: 'One change among 10,000 Ingresses',
  run: async (bench) => {
    const folder = bench.folder('sallyport');
    const count = bench.quick ? 20 : 200;
    const tables = await withRunning(startNginxBackend(bench.folder('backend')), (backend) =>
      withRunning(sallyport.start({ backendPort: backend.port, folder, hosts: HOSTS }), () =>
        change(join(folder, 'output.log'), join(folder, 'manifests'), count),
      ),
    );
    const stalls = tables.map(({ stallMs }) => stallMs);
    return {
      how: `${count} saves of one Ingress, one after the other, in a running process; as its log gives them`,
      columns: [
        { key: 'medianMs', label: 'median ms', digits: 2 },
        { key: 'worstMs', label: 'worst ms', digits: 2 },
      ],
      rows: [
        row(
          'change seen → live in every worker',
          tables.map(({ changeMs }) => changeMs),
        ),
        row(
          'link in a worker',
          tables.map(({ linkMs }) => linkMs),
        ),
        row('longest time a worker was held', stalls),
      ],
      verdicts: [
        { text: 'a worker held, worst, ms', value: Math.max(...stalls), limit: 5, sense: 'at most' },
      ],
    };
  },
};
