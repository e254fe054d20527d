import { join } from 'node:path';

import { runCommand } from '../harness/process.ts';
import type { Row } from '../harness/result.ts';
import { benchFolder } from '../harness/tools.ts';
import type { Scenario } from './scenario.ts';

const COUNT = 10_000;
const QUICK_COUNT = 1000;

/** Rows of what compile-bench.ts prints: `<what> median <n> ms worst <n> ms`. */
function parse(output: string): readonly Row[] {
  const lines = output.matchAll(/^(.+?)\s+median\s+([\d.]+) ms\s+worst\s+([\d.]+) ms$/gm);
  return [...lines].map(([, name = '', middle, worst]) => ({
    name,
    values: { medianMs: Number(middle), worstMs: Number(worst) },
  }));
}

export const compileCost: Scenario = {
  id: 'compile',
  title: 'Compiling 10,000 Ingresses',
  run: async (bench) => {
    const count = bench.quick ? QUICK_COUNT : COUNT;
    const output = await runCommand(process.execPath, [join(benchFolder, 'compile-bench.ts'), String(count)]);
    const rows = parse(output);
    const value = (name: string, key: string) => rows.find((row) => row.name === name)?.values[key] ?? null;
    return {
      how: `${count} Ingresses with two paths each, their Services and EndpointSlices; time of the main thread, in process`,
      columns: [
        { key: 'medianMs', label: 'median ms', digits: 2 },
        { key: 'worstMs', label: 'worst ms', digits: 2 },
      ],
      rows,
      verdicts: [
        {
          text: 'from nothing, ms',
          value: value('from nothing', 'medianMs'),
          limit: 1000,
          sense: 'at most',
        },
        {
          text: 'one Ingress changed, worst, ms',
          value: value('one Ingress changed', 'worstMs'),
          limit: 10,
          sense: 'at most',
        },
      ],
    };
  },
};
