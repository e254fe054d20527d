import type { Socket } from 'node:net';

import { responseHeadText } from '../http1/message-writer.ts';
import type { ResponseHead } from '../http1/message-head.ts';
import type { UpstreamConnection } from '../upstream/upstream-connection.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import type { Exchange } from './exchange.ts';
import { dropResponseFields } from './response-fields.ts';
import { FrameBoundary, clientGoingAway, serverGoingAway } from './websocket-frames.ts';

export interface TunnelStart {
  readonly exchange: Exchange;
  readonly connection: UpstreamConnection;
  readonly head: ResponseHead;
  /** Protocol that both sides agreed on, lower case. */
  readonly upgrade: string;
  /** What the upstream sent behind its head. */
  readonly rest: Buffer;
}

/** Tells the client of the switch and joins both connections. */
export function startTunnel(start: TunnelStart): Tunnel {
  const { exchange, head, upgrade } = start;
  const { socket, rest } = exchange.downstream.detach();
  dropResponseFields(head, exchange.services.settings.passServerHeader);
  const fields = `Connection: upgrade\r\nUpgrade: ${upgrade}\r\n`;
  socket.write(responseHeadText(101, head.reason, head.headers, fields), 'latin1');
  return new Tunnel(socket, rest, start);
}

/** Two connections that have switched protocols: bytes go through both ways until either side ends. */
export class Tunnel implements Expiring {
  deadline = 0;
  sweepIndex = -1;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #exchange: Exchange;
  readonly #toClient: FrameBoundary | undefined;
  readonly #toUpstream: FrameBoundary | undefined;
  #sentBytes = 0;
  #receivedBytes = 0;
  #ended = false;

  constructor(client: Socket, clientRest: Buffer, start: TunnelStart) {
    this.#client = client;
    this.#upstream = start.connection.socket;
    this.#exchange = start.exchange;
    if (start.upgrade === 'websocket') {
      this.#toClient = new FrameBoundary();
      this.#toUpstream = new FrameBoundary();
    }
    const { services } = this.#exchange;
    services.counters.tunnelOpened();
    services.tunnels.add(this);
    services.sweeper.add(this);
    this.#touch();
    if (start.rest.length > 0) this.#send(start.rest);
    if (clientRest.length > 0) this.#receive(clientRest);
    client.setTimeout(0);
    client.on('data', (chunk: Buffer) => this.#receive(chunk));
    start.connection.onTunnelData = (bytes) => this.#send(bytes);
    client.on('drain', () => this.#upstream.resume());
    this.#upstream.on('drain', () => client.resume());
    client.on('end', () => this.#upstream.end());
    this.#upstream.on('end', () => client.end());
    client.on('close', () => this.#end());
    this.#upstream.on('close', () => this.#end());
  }

  /** Says goodbye on both sides where the protocol has a word for it, then ends. */
  goAway(): void {
    if (this.#toClient?.isAtBoundary === true) this.#client.write(serverGoingAway);
    if (this.#toUpstream?.isAtBoundary === true) this.#upstream.write(clientGoingAway);
    this.#client.end();
    this.#upstream.end();
  }

  destroy(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  onDeadline(): void {
    this.goAway();
    this.destroy();
  }

  /** Upstream → client. */
  #send(chunk: Buffer): void {
    this.#touch();
    this.#receivedBytes += chunk.length;
    this.#toClient?.consume(chunk);
    if (!this.#client.write(chunk)) this.#upstream.pause();
  }

  /** Client → upstream. */
  #receive(chunk: Buffer): void {
    this.#touch();
    this.#sentBytes += chunk.length;
    this.#toUpstream?.consume(chunk);
    if (!this.#upstream.write(chunk)) this.#client.pause();
  }

  #touch(): void {
    const { sweeper, settings } = this.#exchange.services;
    this.deadline = sweeper.after(settings.tunnelIdleMs);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { services } = this.#exchange;
    services.sweeper.remove(this);
    services.tunnels.delete(this);
    services.counters.tunnelClosed();
    // A side that closed without a FIN of its own takes the other with it.
    this.#client.destroySoon();
    this.#upstream.destroySoon();
    this.#exchange.onTunnelEnded(this.#sentBytes, this.#receivedBytes);
  }
}
