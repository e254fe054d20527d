import type { Socket } from 'node:net';

import type { Client } from './client.ts';
import type { ProxyServices } from './proxy-services.ts';

/** What a client's connection is made with, whatever its protocol. */
export interface ConnectionOptions {
  readonly services: ProxyServices;
  readonly client: Client;
  /** The TCP connection under TLS; without TLS, the connection's own socket. */
  readonly carrier: Socket;
  /** Called once. */
  onClosed(): void;
}
