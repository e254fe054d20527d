import { clusterChanges } from './cluster-changes.ts';
import { compileCost } from './compile.ts';
import { grpcUnary } from './grpc-unary.ts';
import { http2TlsIn } from './http2-tls-in.ts';
import { idleConnections } from './idle-connections.ts';
import { largeResponse } from './large-response.ts';
import { manyHosts } from './many-hosts.ts';
import { oneChange } from './one-change.ts';
import { postBody } from './post-body.ts';
import type { Scenario } from './scenario.ts';
import { slowBackend } from './slow-backend.ts';
import { smallGet } from './small-get.ts';
import { swapsUnderLoad } from './swaps.ts';
import { tlsHandshakes } from './tls-handshakes.ts';
import { tlsKeepAlive } from './tls-keep-alive.ts';
import { websocketEcho } from './websocket-echo.ts';

/** Every scenario, in the order of docs/benchmarks.md. */
export const scenarios: readonly Scenario[] = [
  smallGet,
  largeResponse,
  postBody,
  manyHosts,
  tlsKeepAlive,
  tlsHandshakes,
  http2TlsIn,
  grpcUnary,
  websocketEcho,
  slowBackend,
  idleConnections,
  swapsUnderLoad,
  compileCost,
  oneChange,
];

/** Those that need an API server: `make bench-cluster`. */
export const clusterScenarios: readonly Scenario[] = [clusterChanges];
