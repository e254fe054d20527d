import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** What becomes of bytes of the client: the pieces that are passed on, each in a write of its own. `flight` counts from 0. */
export type Cut = (bytes: Buffer, flight: number) => readonly Buffer[];

/** Passes connections on to a port; what clients send goes through `cut` first. */
export class CuttingRelay {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(to: number, cut: Cut): Promise<CuttingRelay> {
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (near) => {
      const far = connect({ port: to, host: '127.0.0.1', noDelay: true });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => other.destroy());
      }
      far.pipe(near);
      let flight = 0;
      near.on('data', (bytes: Buffer) => {
        for (const piece of cut(bytes, flight)) far.write(piece);
        flight++;
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CuttingRelay(server, sockets);
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
