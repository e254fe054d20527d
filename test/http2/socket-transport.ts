import type { Duplex } from 'node:stream';

import { Http2Connection } from '../../src/http2/http2-connection.ts';
import type { Http2Events, Http2Options } from '../../src/http2/http2-events.ts';

/** What a test wants to hear of a connection; `wake` is the transport's own. */
export type TransportEvents = Omit<Http2Events, 'wake'>;

/**
 * A connection of the codec on a socket, as a server or a client would have it: output leaves once per turn of the event
 * loop, and only when the socket has room; input stops while the output is full.
 */
export class SocketTransport {
  readonly connection: Http2Connection;
  readonly socket: Duplex;
  readonly #longestPiece: number;
  #isFlushDue = false;
  #isBlocked = false;
  #hasFailed = false;

  /** `longestPiece`: input is handed on in pieces of at most so many bytes. */
  // oxlint-disable-next-line max-params -- a connection and where it lives
  constructor(socket: Duplex, options: Http2Options, events: TransportEvents, longestPiece = Infinity) {
    this.socket = socket;
    this.#longestPiece = longestPiece;
    this.connection = new Http2Connection(options, {
      ...events,
      wake: () => this.#schedule(),
      request: (...request) => events.request(...request),
      failed: (code, reason) => {
        this.#hasFailed = true;
        events.failed(code, reason);
      },
    });
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('drain', () => {
      this.#isBlocked = false;
      this.#flush();
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => this.connection.close());
    this.connection.start();
  }

  #receive(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += this.#longestPiece) {
      this.connection.receive(bytes, at, Math.min(bytes.length, at + this.#longestPiece));
    }
    if (!this.connection.wantsInput) this.socket.pause();
  }

  #schedule(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushDue = false;
    if (this.#isBlocked || this.socket.destroyed) return;
    const bytes = this.connection.take();
    if (bytes !== undefined) this.#isBlocked = !this.socket.write(bytes);
    if (this.connection.wantsInput && this.socket.isPaused()) this.socket.resume();
    if (this.#hasFailed) this.socket.end();
  }
}
