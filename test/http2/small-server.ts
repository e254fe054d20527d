import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { defaultLimits } from '../../src/http2/limits.ts';
import type { StreamHandler } from '../../src/http2/http2-stream.ts';
import { HeaderList } from '../../src/util/header-list.ts';
import { SocketTransport } from './socket-transport.ts';

const body = Buffer.from('A small body.\n');

/** Answers every request with 200 and a small body, as soon as the request is complete. Plain HTTP/2 by prior knowledge. */
export class SmallServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      serve(socket);
    });
  }

  static async start(): Promise<SmallServer> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SmallServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function serve(socket: Socket): void {
  const options = { role: 'server', limits: defaultLimits, now: () => performance.now() } as const;
  const transport = new SocketTransport(socket, options, {
    request(stream): StreamHandler {
      return {
        response: () => {},
        data: (_buffer, start, end) => stream.consume(end - start),
        end() {
          const headers = new HeaderList();
          headers.append('content-length', String(body.length));
          stream.respond(200, headers, false);
          stream.write(body, 0, body.length);
          stream.end();
        },
        reset: () => {},
        writable: () => {},
      };
    },
    refused: (stream, fault) => stream.respond(fault.status, new HeaderList(), true),
    streamFault: () => {},
    goaway: () => {},
    pong: () => {},
    failed: () => {},
  });
  void transport;
}
