import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort, startProcess, waitForPort } from '../harness/process.ts';
import { versionOf } from '../harness/tools.ts';
import type { Peer } from './peer.ts';

export const haproxy: Peer = {
  name: 'haproxy',
  version: () => versionOf('haproxy', ['-v'], /version (\S+)/),
  start: async ({ folder, backendPort }) => {
    const port = await freePort();
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(
      file,
      `
global
  nbthread 1
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout client 75s
  timeout server 60s
  timeout connect 5s
frontend in
  bind 127.0.0.1:${port} backlog 4096
  http-request set-header X-Forwarded-Proto http
  default_backend out
backend out
  server one 127.0.0.1:${backendPort} pool-max-conn 128
`,
    );
    const process_ = startProcess('haproxy', ['-db', '-f', file], join(folder, 'output.log'));
    await waitForPort('haproxy', process_, port);
    return { ...process_, port };
  },
};
