import type { Socket } from 'node:net';

/** Who made a client's connection. */
export interface ConnectionOwner {
  /** The TCP connection under TLS; without TLS, the connection's own socket. */
  readonly carrier: Socket;
  /** Called once. */
  onClosed(): void;
}
