import type { ResponseHead } from '../http1/message-head.ts';
import type { TunnelEndReason, TunnelKind } from '../telemetry/protocol-cells.ts';
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
  const kind = exchange.downstream.wantsTunnel ? 'connect' : 'upgrade';
  const client = exchange.downstream.openTunnel(head, upgrade);
  return new Tunnel(exchange, kind, [
    new Side(client, upgrade, 'client'),
    new Side(upstream, upgrade, 'upstream'),
  ]);
}

/** One end of a tunnel, and the way of what comes in at it to the other. */
class Side implements TunnelListener {
  readonly end: TunnelEnd;
  /** Where in what was sent to this end a close frame may stand; for WebSocket. */
  readonly boundary: FrameBoundary | undefined;
  receivedBytes = 0;
  readonly #name: 'client' | 'upstream';
  #other: Side | undefined;
  #tunnel: Tunnel | undefined;

  constructor(end: TunnelEnd, upgrade: string, name: 'client' | 'upstream') {
    this.end = end;
    this.#name = name;
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
    this.#tunnel?.endedBy(this.#name);
    this.#other?.end.end();
  }

  onClose(): void {
    this.#tunnel?.endedBy(this.#name);
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
  readonly #kind: TunnelKind;
  #ended = false;
  #reason: TunnelEndReason | undefined;

  constructor(exchange: Exchange, kind: TunnelKind, [client, upstream]: readonly [Side, Side]) {
    this.#exchange = exchange;
    this.#kind = kind;
    this.#client = client;
    this.#upstream = upstream;
    const { services } = exchange;
    services.counters.tunnelOpened(kind);
    services.tunnels.add(this);
    services.sweeper.add(this);
    this.touch();
    client.join(this, upstream);
    upstream.join(this, client);
    upstream.end.start(upstream);
    client.end.start(client);
  }

  /** Says goodbye on both sides where the protocol has a word for it, then ends. */
  goAway(reason: TunnelEndReason): void {
    this.endedBy(reason);
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
    this.goAway('idle');
    this.destroy();
  }

  /** Whoever or whatever was first counts. */
  endedBy(reason: TunnelEndReason): void {
    this.#reason ??= reason;
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
    services.counters.tunnelClosed(this.#kind, this.#reason ?? 'other');
    this.#client.end.close();
    this.#upstream.end.close();
    this.#exchange.onTunnelEnded(this.#client.receivedBytes, this.#upstream.receivedBytes);
  }
}
