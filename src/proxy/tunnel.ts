import type { ResponseHead } from '../http1/message-head.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import type { TunnelEnd, TunnelListener } from '../util/tunnel-end.ts';
import type { Exchange } from './exchange.ts';
import { dropResponseFields } from './response-fields.ts';
import { FrameBoundary, clientGoingAway, serverGoingAway } from './websocket-frames.ts';

export interface TunnelStart {
  readonly exchange: Exchange;
  /** With which the endpoint agreed. */
  readonly head: ResponseHead;
  /** Protocol that both sides agreed on, lower case. */
  readonly upgrade: string;
  readonly upstream: TunnelEnd;
}

/** Tells the client of the switch and joins both ends. */
export function startTunnel({ exchange, head, upgrade, upstream }: TunnelStart): Tunnel {
  dropResponseFields(head, exchange.services.settings.passServerHeader);
  const client = exchange.downstream.openTunnel(head, upgrade);
  return new Tunnel(exchange, new Side(client, upgrade), new Side(upstream, upgrade));
}

/** One end of a tunnel, and the way of what comes in at it to the other. */
class Side implements TunnelListener {
  readonly end: TunnelEnd;
  /** Where in what was sent to this end a close frame may stand; for WebSocket. */
  readonly boundary: FrameBoundary | undefined;
  receivedBytes = 0;
  #other: Side | undefined;
  #tunnel: Tunnel | undefined;

  constructor(end: TunnelEnd, upgrade: string) {
    this.end = end;
    if (upgrade === 'websocket') this.boundary = new FrameBoundary();
  }

  join(tunnel: Tunnel, other: Side): void {
    this.#tunnel = tunnel;
    this.#other = other;
  }

  onData(bytes: Buffer): void {
    const other = this.#other;
    if (other === undefined) return;
    this.#tunnel?.touch();
    this.receivedBytes += bytes.length;
    other.boundary?.consume(bytes);
    if (!other.end.write(bytes)) this.end.pause();
  }

  onDrain(): void {
    this.#other?.end.resume();
  }

  onEnd(): void {
    this.#other?.end.end();
  }

  onClose(): void {
    this.#tunnel?.onClosed();
  }
}

/** Two ends that have switched protocols: bytes go through both ways until either side ends. Knows no sockets. */
export class Tunnel implements Expiring {
  deadline = 0;
  sweepIndex = -1;
  readonly #client: Side;
  readonly #upstream: Side;
  readonly #exchange: Exchange;
  #ended = false;

  constructor(exchange: Exchange, client: Side, upstream: Side) {
    this.#exchange = exchange;
    this.#client = client;
    this.#upstream = upstream;
    const { services } = exchange;
    services.counters.tunnelOpened();
    services.tunnels.add(this);
    services.sweeper.add(this);
    this.touch();
    client.join(this, upstream);
    upstream.join(this, client);
    upstream.end.start(upstream);
    client.end.start(client);
  }

  /** Says goodbye on both sides where the protocol has a word for it, then ends. */
  goAway(): void {
    const { end: client, boundary: toClient } = this.#client;
    const { end: upstream, boundary: toUpstream } = this.#upstream;
    if (toClient?.isAtBoundary === true) client.write(serverGoingAway);
    if (toUpstream?.isAtBoundary === true) upstream.write(clientGoingAway);
    client.end();
    upstream.end();
  }

  destroy(): void {
    this.#client.end.destroy();
    this.#upstream.end.destroy();
  }

  onDeadline(): void {
    this.goAway();
    this.destroy();
  }

  /** Something went through: the tunnel is not idle. */
  touch(): void {
    const { sweeper, settings } = this.#exchange.services;
    this.deadline = sweeper.after(settings.tunnelIdleMs);
  }

  /** One end is over: it takes the other with it. */
  onClosed(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { services } = this.#exchange;
    services.sweeper.remove(this);
    services.tunnels.delete(this);
    services.counters.tunnelClosed();
    this.#client.end.close();
    this.#upstream.end.close();
    this.#exchange.onTunnelEnded(this.#client.receivedBytes, this.#upstream.receivedBytes);
  }
}
