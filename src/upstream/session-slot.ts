import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import type { DeadlineSweeper } from '../util/deadline-sweeper.ts';

/** A session is resumed for so long after the handshake that verified its endpoint, and no longer than its certificate holds. */
const MAX_AGE_MS = 3_600_000;

/** The newest session of TLS of one endpoint. A resumed one lives on the verification of the handshake that it comes from. */
export class SessionSlot {
  readonly #sweeper: DeadlineSweeper;
  #session: Buffer | undefined;
  #expiresMs = 0;

  constructor(sweeper: DeadlineSweeper) {
    this.#sweeper = sweeper;
  }

  get(): Buffer | undefined {
    if (this.#session !== undefined && this.#sweeper.sweptAt >= this.#expiresMs) this.#session = undefined;
    return this.#session;
  }

  /** Of a connection whose endpoint has been judged. Undefined: a handshake failed, and the next one starts from nothing. */
  set(session: Buffer | undefined): void {
    this.#session = session;
  }

  /** A connection is up, and its endpoint has been judged. */
  note(socket: Socket): { readonly isResumed: boolean } {
    if (!(socket instanceof TLSSocket)) return { isResumed: false };
    if (socket.isSessionReused()) return { isResumed: true };
    const validMs = (socket.getPeerX509Certificate()?.validToDate.getTime() ?? Infinity) - Date.now();
    this.#expiresMs = this.#sweeper.sweptAt + Math.min(MAX_AGE_MS, validMs);
    return { isResumed: false };
  }
}
