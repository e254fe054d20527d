import type { Socket } from 'node:net';

import type { TunnelEnd, TunnelListener } from '../util/tunnel-end.ts';

/** Once a tunnel is over, its ends have so long to take something of what waits for them. */
const CLOSE_MS = 10_000;

/** A connection of HTTP/1.1 that has switched protocols. Whoever reads the socket hands on what comes, with `receive`. */
export class SocketTunnelEnd implements TunnelEnd {
  readonly #socket: Socket;
  readonly #closeMs: number;
  /** What came before `start`. */
  #early: Buffer | undefined;
  #listener: TunnelListener | undefined;

  /** `rest` came behind the message that agreed to the tunnel, and is the tunnel's. */
  constructor(socket: Socket, rest: Buffer | undefined, closeMs = CLOSE_MS) {
    this.#socket = socket;
    this.#closeMs = closeMs;
    this.#early = rest;
  }

  start(listener: TunnelListener): void {
    const socket = this.#socket;
    const early = this.#early;
    this.#early = undefined;
    this.#listener = listener;
    socket.setTimeout(0);
    if (early !== undefined && early.length > 0) listener.onData(early);
    socket.on('drain', () => listener.onDrain());
    socket.on('end', () => listener.onEnd());
    socket.on('close', () => listener.onClose());
  }

  /** Bytes that may be kept. */
  receive(bytes: Buffer): void {
    if (this.#listener !== undefined) this.#listener.onData(bytes);
    else this.#early = this.#early === undefined ? bytes : Buffer.concat([this.#early, bytes]);
  }

  write(bytes: Buffer): boolean {
    if (!this.#socket.writable) return true;
    return this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    const socket = this.#socket;
    if (socket.writableLength > 0) socket.setTimeout(this.#closeMs, () => socket.destroy());
    socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
