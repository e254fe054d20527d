import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { WebSocketServer } from 'ws';
import type { ServerOptions, WebSocket } from 'ws';

/** A WebSocket server that sends back what it gets: text as text, binary as binary. */
export interface WebSocketEcho {
  readonly port: number;
  readonly server: WebSocketServer;
  /** Its ends of connections, in order of arrival. */
  readonly sockets: readonly WebSocket[];
  readonly requests: readonly IncomingMessage[];
  stop(): Promise<void>;
}

export async function startWebSocketEcho(options: ServerOptions = {}): Promise<WebSocketEcho> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true, ...options });
  await once(server, 'listening');
  const sockets: WebSocket[] = [];
  const requests: IncomingMessage[] = [];
  server.on('connection', (socket, request) => {
    sockets.push(socket);
    requests.push(request);
    socket.on('error', () => undefined);
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
  });
  return {
    port: (server.address() as AddressInfo).port,
    server,
    sockets,
    requests,
    stop: async () => {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
