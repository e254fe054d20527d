import { join } from 'node:path';

import { freePort, startProcess, waitForPort } from '../harness/process.ts';
import { buildGo } from '../harness/tools.ts';
import type { RunningPeer } from '../peers/peer.ts';

/** Starts the unary method that answers with its message, HTTP/2 without TLS, in a process of its own. */
export async function startGrpcBackend(folder: string): Promise<RunningPeer> {
  const program = await buildGo('go-grpc');
  const port = await freePort();
  const process_ = startProcess(program, [`127.0.0.1:${port}`], join(folder, 'output.log'));
  await waitForPort('gRPC backend', process_, port);
  return { ...process_, port };
}
