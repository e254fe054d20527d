import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { GROUPS, HTTP2_REQUESTS, TLS12_SUITE, TLS13_SUITE } from '../harness/certificate.ts';
import type { Edge } from '../harness/certificate.ts';
import { hostName } from '../harness/manifests.ts';
import { freePort, startProcess, waitForPort } from '../harness/process.ts';
import { versionOf } from '../harness/tools.ts';
import type { Peer, PeerOptions } from './peer.ts';

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

/** What is sent upstream is what Sallyport sends. */
function location(tunnels: boolean, upstream: PeerOptions['upstream']): string {
  const pass = upstream === 'grpc' ? 'grpc' : 'proxy';
  const fields = [
    'Host $host',
    'X-Request-ID $request_id',
    'X-Real-IP $remote_addr',
    'X-Forwarded-For $remote_addr',
    'X-Forwarded-Host $http_host',
    'X-Forwarded-Port $server_port',
    'X-Forwarded-Proto $scheme',
    'X-Scheme $scheme',
  ];
  const http1 = ['proxy_http_version 1.1;'];
  if (tunnels) http1.push('proxy_set_header Upgrade $http_upgrade;');
  http1.push(`proxy_set_header Connection ${tunnels ? '$connection_upgrade' : '""'};`);
  return [
    pass === 'grpc' ? 'grpc_pass grpc://backend;' : 'proxy_pass http://backend;',
    ...(pass === 'grpc' ? [] : http1),
    ...fields.map((field) => `${pass}_set_header ${field};`),
  ].join('\n      ');
}

/** Tickets and no cache, as Sallyport has it. */
function tlsDirectives({ certificateFile, keyFile }: Edge): string {
  return `
  ssl_certificate ${certificateFile};
  ssl_certificate_key ${keyFile};
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_ciphers ${TLS12_SUITE};
  ssl_conf_command Ciphersuites ${TLS13_SUITE};
  ssl_ecdh_curve ${GROUPS.join(':')};
  ssl_session_cache off;
  ssl_session_timeout 10m;`;
}

function httpSection(
  port: number,
  { backendPort, hosts, edge, upstream, tunnels = false }: PeerOptions,
): string {
  const listen = `listen 127.0.0.1:${port}${edge === undefined ? '' : edge.http2 ? ' ssl http2' : ' ssl'}`;
  const inner = location(tunnels, upstream);
  const servers = Array.from(
    { length: hosts },
    (_, index) => `
  server {
    ${listen};
    server_name ${hostName(index)};
    location / {
      ${inner}
    }
  }`,
  );
  const map = tunnels ? "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }" : '';
  return `
  server_names_hash_max_size 65536;
  server_names_hash_bucket_size 128;
  keepalive_requests ${edge?.http2 === true ? HTTP2_REQUESTS : 1000};
  ${map}
  ${edge === undefined ? '' : tlsDirectives(edge)}
  upstream backend {
    server 127.0.0.1:${backendPort};
    keepalive 128;
    keepalive_requests 100000;
  }
  server {
    ${listen} default_server backlog=4096;
    return 404;
  }${servers.join('')}`;
}

/** One `server` a host, as Ingress controllers write it. */
export const nginx: Peer = {
  name: 'nginx',
  version: () => versionOf('nginx', ['-v'], /nginx\/(\S+)/),
  start: async (options) => {
    const port = await freePort();
    return startNginx(options.folder, port, nginxConfig(options.folder, httpSection(port, options)));
  },
};
