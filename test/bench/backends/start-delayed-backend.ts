import { join } from 'node:path';

import { freePort, startProcess, waitForPort } from '../harness/process.ts';
import type { RunningPeer } from '../peers/peer.ts';

/** Starts the backend that answers after 10 ms in a process of its own. */
export async function startDelayedBackend(folder: string): Promise<RunningPeer> {
  const port = await freePort();
  const script = join(import.meta.dirname, 'delayed-backend.ts');
  const process_ = startProcess(process.execPath, [script, String(port)], join(folder, 'delayed.log'));
  await waitForPort('delayed backend', process_, port);
  return { ...process_, port };
}
