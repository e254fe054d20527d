import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { GROUPS, TLS12_SUITE, TLS13_SUITE } from '../harness/certificate.ts';
import type { Edge } from '../harness/certificate.ts';
import { freePort, startProcess, waitForPort } from '../harness/process.ts';
import { versionOf } from '../harness/tools.ts';
import type { Peer } from './peer.ts';

function tlsWords({ bothFile, http2 }: Edge): string {
  const suites = `ciphers ${TLS12_SUITE} ciphersuites ${TLS13_SUITE} curves ${GROUPS.join(':')}`;
  return ` ssl crt ${bothFile} ssl-min-ver TLSv1.2 alpn ${http2 ? 'h2,' : ''}http/1.1 ${suites}`;
}

export const haproxy: Peer = {
  name: 'haproxy',
  version: () => versionOf('haproxy', ['-v'], /version (\S+)/),
  start: async ({ folder, backendPort, edge, upstream }) => {
    const port = await freePort();
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(
      file,
      `
global
  nbthread 1
  tune.ssl.cachesize 0
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout client 75s
  timeout server 60s
  timeout connect 5s
  timeout tunnel 1h
frontend in
  bind 127.0.0.1:${port} backlog 4096${edge === undefined ? '' : tlsWords(edge)}
  http-request set-header X-Forwarded-Proto ${edge === undefined ? 'http' : 'https'}
  default_backend out
backend out
  server one 127.0.0.1:${backendPort} pool-max-conn 128${upstream === 'grpc' ? ' proto h2' : ''}
`,
    );
    const process_ = startProcess('haproxy', ['-db', '-f', file], join(folder, 'output.log'));
    await waitForPort('haproxy', process_, port);
    return { ...process_, port };
  },
};
