import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { benchFolder } from '../harness/tools.ts';
import type { SteadyCount } from './steady-count.ts';

/** A running client that counts as steady-client.ts does. */
export interface SteadyLoad {
  /** What came since the last time. */
  count(): Promise<SteadyCount>;
  stop(): Promise<void>;
}

export interface SteadyTarget {
  readonly port: number;
  /** Each asks at the pace of the client. */
  readonly connections: number;
  readonly host: string;
  /** Its file in this folder; steady-client.ts if left out. */
  readonly client?: 'echo-client.ts';
  /** Load before the counting begins, so that code is compiled and pools are filled. */
  readonly warmUpMs: number;
}

export async function startSteadyLoad(target: SteadyTarget): Promise<SteadyLoad> {
  const { port, connections, host, warmUpMs } = target;
  const script = join(benchFolder, 'clients', target.client ?? 'steady-client.ts');
  const child = spawn(process.execPath, [script, String(port), String(connections), host], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout });
  const count = async (): Promise<SteadyCount> => {
    const line = new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      child.once('exit', () => reject(new Error('the load ended early')));
    });
    child.stdin.write('count\n');
    return JSON.parse(await line) as SteadyCount;
  };
  await delay(warmUpMs);
  await count();
  return {
    count,
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
