import type { Socket } from 'node:net';

import type { ProxyHeaderFailure } from '../../telemetry/protocol-cells.ts';
import type { Expiring } from '../../util/deadline-sweeper.ts';
import type { ProxyHeader } from '../../util/proxy-protocol/proxy-header.ts';
import { readProxyHeader } from '../../util/proxy-protocol/read-proxy-header.ts';
import type { Client } from '../client.ts';
import type { ProxyServices } from '../proxy-services.ts';

// The first stage of a connection where --use-proxy-protocol is on. In: an accepted socket. Out: the client that its header
// names, and the socket, on which nothing but the header was read. The header must come, whole, in time and from a trusted
// network: else the connection is closed without a word, because nobody can tell who is at its other end. Knows neither
// TLS nor HTTP.

/** Time for the whole header, from the accepted connection. Its sender has it ready: it comes with the handshake of TCP. */
const HEADER_TIMEOUT_MS = 5_000;
/** Shutting down: a request may be on its way behind the header. */
const LAST_HEADER_MS = 2_000;

/** Where clients expect TLS. */
const HTTPS_PORT = 443;

export interface ProxyHeaderOptions {
  readonly services: Pick<ProxyServices, 'counters' | 'sweeper'>;
  /** Who is at the other end of the TCP connection. */
  readonly peer: Client;
  /** A header was refused, or there was none. Not told of those who leave without a byte. */
  onRefused(reason: ProxyHeaderFailure): void;
  /** The next stage takes the socket within the call; `onClosed` follows at once, since this one is over. */
  onRead(client: Client): void;
  /** Called once. */
  onClosed(stage: ProxyHeaderStage): void;
}

/** An accepted connection until its header was read. Peers that are not trusted do not get here. */
export class ProxyHeaderStage implements Expiring {
  deadline: number;
  sweepIndex = -1;
  readonly socket: Socket;
  readonly #options: ProxyHeaderOptions;
  #received: Buffer | undefined;
  #isOver = false;
  readonly #onData = (chunk: Buffer): void => this.#read(chunk);
  readonly #onGone = (): void => this.#fail('closed');

  constructor(socket: Socket, options: ProxyHeaderOptions) {
    this.socket = socket;
    this.#options = options;
    const { sweeper } = options.services;
    this.deadline = sweeper.after(HEADER_TIMEOUT_MS);
    sweeper.add(this);
    socket.on('data', this.#onData);
    socket.on('end', this.#onGone);
    socket.on('error', this.#onGone);
    socket.on('close', this.#onGone);
  }

  onDeadline(): void {
    this.#fail('timeout');
  }

  drain(): void {
    this.deadline = Math.min(this.deadline, this.#options.services.sweeper.after(LAST_HEADER_MS));
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return;
    const received = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk]);
    const result = readProxyHeader(received);
    if (result === 'more') this.#received = received;
    else if (typeof result === 'string') this.#fail(result);
    else this.#finish(result.header, received.subarray(result.bytes));
  }

  #finish(header: ProxyHeader, rest: Buffer): void {
    const { services, peer } = this.#options;
    services.counters.proxyHeader(header.version === 1 ? 'v1' : 'v2');
    this.#leave();
    // Held back until the next stage listens: it gets what came behind the header first, then all that follows.
    this.socket.pause();
    if (rest.length > 0) this.socket.unshift(rest);
    this.#options.onRead(clientOf(header, peer));
    this.socket.resume();
    this.#options.onClosed(this);
  }

  #fail(reason: ProxyHeaderFailure): void {
    if (this.#isOver) return;
    this.#options.services.counters.proxyHeaderFailed(reason);
    if (reason !== 'closed' || this.#received !== undefined) this.#options.onRefused(reason);
    this.#leave();
    // What it may still send must not end in an error that nobody hears.
    this.socket.on('error', () => undefined);
    this.socket.destroy();
    this.#options.onClosed(this);
  }

  #leave(): void {
    this.#isOver = true;
    this.#received = undefined;
    this.deadline = 0;
    this.#options.services.sweeper.remove(this);
    this.socket.off('data', this.#onData);
    this.socket.off('end', this.#onGone);
    this.socket.off('error', this.#onGone);
    this.socket.off('close', this.#onGone);
  }
}

function clientOf({ connection }: ProxyHeader, peer: Client): Client {
  if (connection === undefined) return peer;
  return {
    ...peer,
    address: connection.sourceAddress,
    port: connection.sourcePort,
    localAddress: connection.destinationAddress,
    localPort: connection.destinationPort,
    scheme: connection.destinationPort === HTTPS_PORT ? 'https' : peer.scheme,
  };
}
