import type { Socket } from 'node:net';

import { plainAddress } from './client-address.ts';
import type { ClientIdentity } from './tls/client-identity.ts';

/** Who is at the other end of a client's connection, and how it came. Made once a connection. */
export interface Client {
  /** Address of the client, canonical text: of its TCP connection, or what a trusted PROXY header says. */
  readonly address: string;
  readonly port: number;
  /** Where it connected to. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly transport: 'http' | 'https';
  /**
   * What the client speaks: `transport`, or `https` where a trusted PROXY header says that it connected to port 443, so that
   * TLS has ended on the way (as ingress-nginx reads it). A trusted X-Forwarded-Proto overrules it.
   */
  readonly scheme: 'http' | 'https';
  /** What it proved in the handshake; undefined where no certificate was asked for. */
  readonly identity: ClientIdentity | undefined;
}

/** The client of a TCP connection that says nothing else about itself. */
export function tcpClient(socket: Socket, transport: 'http' | 'https'): Client {
  return {
    address: plainAddress(socket.remoteAddress ?? ''),
    port: socket.remotePort ?? 0,
    localAddress: plainAddress(socket.localAddress ?? ''),
    localPort: socket.localPort ?? 0,
    transport,
    scheme: transport,
    identity: undefined,
  };
}
