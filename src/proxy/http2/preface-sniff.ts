import type { Socket } from 'node:net';

import { PREFACE } from '../../http2/frames.ts';
import type { Expiring } from '../../util/deadline-sweeper.ts';
import type { ProxyServices } from '../proxy-services.ts';

/** Shutting down: a connection may have a request on its way, so it is awaited this long. */
const LAST_REQUEST_MS = 500;

export interface PrefaceSniffOptions {
  readonly services: ProxyServices;
  /** What was read is there to be read again. `onClosed` follows at once, since this is over. */
  onKnown(isHttp2: boolean): void;
  /** Called once. */
  onClosed(sniff: PrefaceSniff): void;
}

/** A plain connection until its first bytes tell its protocol: HTTP/2 by prior knowledge begins with its preface (RFC 9113 §3.4). */
export class PrefaceSniff implements Expiring {
  deadline: number;
  sweepIndex = -1;
  readonly socket: Socket;
  readonly #options: PrefaceSniffOptions;
  #received: Buffer | undefined;
  #isOver = false;
  readonly #onData = (chunk: Buffer): void => this.#read(chunk);
  readonly #onGone = (): void => this.#close();

  constructor(socket: Socket, options: PrefaceSniffOptions) {
    const { sweeper, settings } = options.services;
    this.socket = socket;
    this.#options = options;
    this.deadline = sweeper.after(settings.clientHeaderTimeoutMs);
    sweeper.add(this);
    socket.on('data', this.#onData);
    socket.on('end', this.#onGone);
    socket.on('error', this.#onGone);
    socket.on('close', this.#onGone);
  }

  drain(): void {
    this.deadline = Math.min(this.deadline, this.#options.services.sweeper.after(LAST_REQUEST_MS));
  }

  onDeadline(): void {
    this.#close();
  }

  #read(chunk: Buffer): void {
    const received = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk]);
    this.#received = received;
    const length = Math.min(received.length, PREFACE.length);
    const isHttp2 = PREFACE.compare(received, 0, length, 0, length) === 0;
    if (isHttp2 && length < PREFACE.length) return;
    if (!isHttp2 && isNeither(received)) {
      this.#options.services.counters.error('SP_BAD_REQUEST');
      this.#close();
      return;
    }
    const { socket } = this;
    socket.pause();
    this.#leave();
    socket.unshift(received);
    this.#options.onKnown(isHttp2);
    this.#options.onClosed(this);
    socket.resume();
  }

  #close(): void {
    if (this.#isOver) return;
    this.#leave();
    this.socket.destroy();
    this.#options.onClosed(this);
  }

  #leave(): void {
    const { socket } = this;
    this.#isOver = true;
    this.deadline = 0;
    this.#received = undefined;
    this.#options.services.sweeper.remove(this);
    socket.off('data', this.#onData);
    socket.off('end', this.#onGone);
    socket.off('error', this.#onGone);
    socket.off('close', this.#onGone);
  }
}

/** A first line that no HTTP begins with: a wrong preface (RFC 9113 §3.4), whose sender cannot be told anything. */
function isNeither(received: Buffer): boolean {
  const end = received.indexOf(0x0a);
  return end > 1 && !received.subarray(0, end).includes(' HTTP/');
}
