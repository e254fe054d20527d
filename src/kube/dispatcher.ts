import { Pool, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';

import type { ConnectionSettings } from './cluster-access.ts';
import type { ConnectionWatch } from './connection-watch.ts';

const connectTimeoutMs = 10_000;
/** Just under the 90 s after which an API server drops a connection that nobody uses. */
const idleMs = 80_000;

/** Connections to one API server: few, each with many streams, where it speaks HTTP/2; else one a call. */
export function createDispatcher(
  server: URL,
  settings: ConnectionSettings,
  watch: ConnectionWatch,
): Dispatcher {
  const { ca, cert, key, serverName, insecure, proxy, http2 } = settings;
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: !insecure,
    timeout: connectTimeoutMs,
  };
  const options: Pool.Options = {
    allowH2: http2,
    // Deadlines are the transport's own: a watch may be silent for minutes.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: idleMs,
    factory: watch.createClient,
  };
  if (proxy === undefined) return new Pool(server.origin, { ...options, connect: tls });
  return new ProxyAgent({
    uri: proxy,
    requestTls: tls,
    factory: (origin, proxied) => new Pool(origin, { ...(proxied as Pool.Options), ...options }),
  });
}
