import { join } from 'node:path';

import { freePort, startProcess, waitForPort } from '../harness/process.ts';
import { buildGo, cacheFolder, versionOf } from '../harness/tools.ts';
import type { Peer } from './peer.ts';

const binary = join(cacheFolder, 'go-proxy');

export const goProxy: Peer = {
  name: 'go',
  version: async () => {
    const version = await versionOf('go', ['version'], /go(\d\S*)/);
    if (version === undefined) return undefined;
    await buildGo('go-proxy');
    return version;
  },
  start: async ({ folder, backendPort, edge, upstream }) => {
    const port = await freePort();
    const env = { ...process.env, GOMAXPROCS: '1' };
    const args = [`127.0.0.1:${port}`, `127.0.0.1:${backendPort}`, upstream ?? 'http1'];
    if (edge !== undefined) args.push(edge.certificateFile, edge.keyFile, edge.http2 ? 'h2' : 'http/1.1');
    const process_ = startProcess(binary, args, join(folder, 'output.log'), env);
    await waitForPort('go-proxy', process_, port);
    return { ...process_, port };
  },
};
