import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort } from '../harness/process.ts';
import { nginxConfig, startNginx } from '../peers/nginx.ts';
import type { RunningPeer } from '../peers/peer.ts';

/** `/` answers two bytes, `/64k` 64 KiB; both take a body and drop it. */
export async function startNginxBackend(folder: string): Promise<RunningPeer> {
  const port = await freePort();
  const files = join(folder, 'files');
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, '64k'), Buffer.alloc(65_536, 'x'));
  const config = nginxConfig(
    folder,
    `
  keepalive_requests 1000000;
  client_max_body_size 10m;
  open_file_cache max=10 inactive=60s;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { return 200 "ok"; }
    location = /64k { root ${files}; }
  }`,
  );
  return startNginx(folder, port, config);
}
