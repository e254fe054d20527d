import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An honest upstream on a free port. */
export interface HttpUpstream {
  readonly port: number;
  readonly server: Server;
  stop(): void;
}

/** `host`: the address to listen on, loopback unless given. */
export async function startHttpUpstream(
  listener: RequestListener,
  host = '127.0.0.1',
): Promise<HttpUpstream> {
  const server = createServer(listener);
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
