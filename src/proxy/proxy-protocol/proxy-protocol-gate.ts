import type { Socket } from 'node:net';

import type { ProxyHeaderFailure } from '../../telemetry/protocol-cells.ts';
import type { Client } from '../client.ts';
import type { ProxyServices } from '../proxy-services.ts';
import { ProxyHeaderStage } from './proxy-header-stage.ts';

/** Refusals are counted each, and told at most so often: whoever can connect can cause them. */
const WARNING_EVERY_MS = 10_000;

export type GateServices = Pick<ProxyServices, 'counters' | 'fields' | 'sweeper' | 'warn'>;

/** Who may say where connections come from, and what becomes of connections that do not say it. One a worker. */
export class ProxyProtocolGate {
  readonly #services: GateServices;
  #untold = 0;
  #silentUntilMs = 0;

  constructor(services: GateServices) {
    this.#services = services;
  }

  /** The stage that reads the connection's header; undefined where it comes from outside and was closed. */
  enter(
    socket: Socket,
    peer: Client,
    next: {
      onRead(client: Client): void;
      onClosed(stage: ProxyHeaderStage): void;
    },
  ): ProxyHeaderStage | undefined {
    const { fields, counters } = this.#services;
    if (fields.trusted.trusts(peer.address)) {
      return new ProxyHeaderStage(socket, {
        services: this.#services,
        peer,
        onRefused: (reason) => this.#refused(reason, peer),
        onRead: (client) => next.onRead(client),
        onClosed: (stage) => next.onClosed(stage),
      });
    }
    // Who has no address any more has left already, as checks of health do that end with a reset.
    const hasLeft = peer.address === '';
    counters.proxyHeaderFailed(hasLeft ? 'closed' : 'untrusted');
    if (!hasLeft) this.#refused('untrusted', peer);
    socket.on('error', () => undefined);
    socket.destroy();
    return undefined;
  }

  #refused(reason: ProxyHeaderFailure, { address }: Client): void {
    const now = this.#services.sweeper.now();
    this.#untold++;
    if (now < this.#silentUntilMs) return;
    this.#services.warn('connections without a PROXY header closed', {
      connections: this.#untold,
      reason,
      address,
    });
    this.#untold = 0;
    this.#silentUntilMs = now + WARNING_EVERY_MS;
  }
}
