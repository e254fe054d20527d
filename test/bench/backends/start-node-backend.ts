import { join } from 'node:path';

import { freePort, startProcess, waitForPort } from '../harness/process.ts';
import type { RunningPeer } from '../peers/peer.ts';

/** Starts a backend of this folder, which takes its port as argument, in a process of its own. */
export async function startNodeBackend(
  name: 'delayed-backend' | 'echo-backend',
  folder: string,
): Promise<RunningPeer> {
  const port = await freePort();
  const script = join(import.meta.dirname, `${name}.ts`);
  const process_ = startProcess(process.execPath, [script, String(port)], join(folder, `${name}.log`));
  await waitForPort(name, process_, port);
  return { ...process_, port };
}
