import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { Server, ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** An endpoint that speaks HTTP/1.1 over TLS. */
export interface TlsUpstream {
  readonly port: number;
  readonly server: Server;
  /** Connections whose handshake was done, in order of arrival. */
  readonly connections: readonly TlsConnection[];
  stop(): void;
}

export interface TlsConnection {
  /** '' where no name was told. */
  readonly serverName: string;
  readonly isResumed: boolean;
  readonly version: string | null;
  /** Of the certificate that was shown; undefined without one. */
  readonly clientName: string | undefined;
}

export async function startTlsUpstream(
  options: ServerOptions,
  listener: RequestListener = (_, response) => response.end('secure'),
): Promise<TlsUpstream> {
  const server = createServer(options, listener);
  const connections: TlsConnection[] = [];
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => undefined);
    connections.push({
      serverName: typeof socket.servername === 'string' ? socket.servername : '',
      isResumed: socket.isSessionReused(),
      version: socket.getProtocol(),
      clientName: socket.getPeerX509Certificate()?.subject,
    });
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    connections,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
