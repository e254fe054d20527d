import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { startNginxBackend } from '../backends/nginx-backend.ts';
import { hostName } from '../harness/manifests.ts';
import { withPeers, withRunning } from '../harness/measure.ts';
import { processTree, residentBytes } from '../harness/process.ts';
import type { Row } from '../harness/result.ts';
import { benchFolder } from '../harness/tools.ts';
import type { RunningPeer } from '../peers/peer.ts';
import type { Scenario } from './scenario.ts';

/** Time for buffers of finished requests to be collected and the heap to settle. */
const SETTLE_MS = 3000;

interface Holder {
  readonly held: number;
  stop(): Promise<void>;
}

async function hold(port: number, count: number): Promise<Holder> {
  const script = join(benchFolder, 'clients/idle-client.ts');
  const child = spawn(process.execPath, [script, String(port), String(count), hostName(0)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const held = await new Promise<number>((resolve) => {
    child.stdout.once('data', (chunk: Buffer) =>
      resolve(Number(/held (\d+)/.exec(chunk.toString())?.[1] ?? 0)),
    );
    child.once('exit', () => resolve(0));
  });
  return {
    held,
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

async function measurePeer(name: string, peer: RunningPeer, count: number): Promise<Row> {
  // A first, smaller wave grows pools and compiles code, so that the second one counts connections only.
  await withRunning(hold(peer.port, Math.ceil(count / 10)), () => delay(500));
  await delay(SETTLE_MS);
  const before = residentBytes(processTree(peer.pid));
  const [held, after] = await withRunning(hold(peer.port, count), async (holder) => {
    await delay(SETTLE_MS);
    return [holder.held, residentBytes(processTree(peer.pid))];
  });
  const kibibytes = held === 0 ? null : (after - before) / held / 1024;
  return { name, values: { held, kibibytes, residentMebibytes: after / 1024 / 1024 } };
}

export const idleConnections: Scenario = {
  id: 'idle-connections',
  title: 'Idle keep-alive connections',
  run: async (bench) => {
    const count = bench.quick ? 1000 : 9000;
    const rows: Row[] = [];
    await withRunning(startNginxBackend(bench.folder('backend')), (backend) =>
      withPeers(bench, { backendPort: backend.port }, async (running) => {
        for (const [name, peer] of running) {
          rows.push(await measurePeer(name, peer, count));
          bench.log(`  ${name}: ${rows.at(-1)?.values['kibibytes']?.toFixed(1) ?? '-'} KiB a connection`);
        }
      }),
    );
    const own = rows.find(({ name }) => name === 'sallyport')?.values;
    return {
      how: `${count} connections that have each had one request answered and then stay open; resident memory before and after`,
      columns: [
        { key: 'held', label: 'connections held', digits: 0 },
        { key: 'kibibytes', label: 'KiB/connection', digits: 1 },
        { key: 'residentMebibytes', label: 'resident MiB', digits: 0 },
      ],
      rows,
      verdicts: [
        { text: 'KiB per idle connection', value: own?.['kibibytes'] ?? null, limit: 12, sense: 'at most' },
        { text: 'connections held', value: own?.['held'] ?? null, limit: count, sense: 'at least' },
      ],
    };
  },
};
