import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { hostName } from '../harness/manifests.ts';
import { freePort, startProcess, waitForPort } from '../harness/process.ts';
import { versionOf } from '../harness/tools.ts';
import type { Peer } from './peer.ts';

/** What both nginx configurations share: one worker in the foreground, nothing written, everything below one folder. */
export function nginxConfig(folder: string, http: string): string {
  // As root, nginx would hand its worker to another user, who may not read a temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `
${user}
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 16384; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 75s;
  client_body_buffer_size 64k;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
${http}
}
`;
}

/** Starts nginx on a configuration and waits for its port. */
export async function startNginx(folder: string, port: number, config: string) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config);
  const process_ = startProcess('nginx', ['-p', folder, '-c', file], join(folder, 'output.log'));
  await waitForPort('nginx', process_, port);
  return { ...process_, port };
}

function server(port: number, host: string): string {
  return `
  server {
    listen 127.0.0.1:${port};
    server_name ${host};
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Request-ID $request_id;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Scheme $scheme;
    }
  }`;
}

/** One `server` a host, as Ingress controllers write it. */
export const nginx: Peer = {
  name: 'nginx',
  version: () => versionOf('nginx', ['-v'], /nginx\/(\S+)/),
  start: async ({ folder, backendPort, hosts }) => {
    const port = await freePort();
    const servers = Array.from({ length: hosts }, (_, index) => server(port, hostName(index)));
    const config = nginxConfig(
      folder,
      `
  server_names_hash_max_size 65536;
  server_names_hash_bucket_size 128;
  upstream backend {
    server 127.0.0.1:${backendPort};
    keepalive 128;
    keepalive_requests 100000;
  }
  server {
    listen 127.0.0.1:${port} default_server backlog=4096;
    return 404;
  }${servers.join('')}`,
    );
    return startNginx(folder, port, config);
  },
};
