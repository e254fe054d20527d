import type { Edge } from '../harness/certificate.ts';
import type { Running } from '../harness/process.ts';

/** A proxy under measurement. Every peer runs with one worker and sends everything to one backend. */
export interface Peer {
  readonly name: string;
  /** Its version, or undefined when it is not there. May install it. */
  version(): Promise<string | undefined>;
  /** Starts it; resolves when it accepts connections. */
  start(options: PeerOptions): Promise<RunningPeer>;
}

export interface PeerOptions {
  /** Port of the backend on the loopback address. */
  readonly backendPort: number;
  /** An empty folder of its own for configuration and logs. */
  readonly folder: string;
  /** Sallyport and nginx declare so many hosts; the others take every host. */
  readonly hosts: number;
  /** The port takes TLS only; without this it takes plain HTTP/1.1. */
  readonly edge?: Edge;
  /** What the backend speaks: `grpc` is HTTP/2 without TLS. Without this it is HTTP/1.1. */
  readonly upstream?: 'grpc';
  /** WebSocket is let through, where that has to be said. */
  readonly tunnels?: boolean;
}

export interface RunningPeer extends Running {
  /** The port that is loaded, of TLS if an edge was given. */
  readonly port: number;
}
