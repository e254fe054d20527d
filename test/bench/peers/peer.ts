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
}

export interface RunningPeer extends Running {
  readonly port: number;
}
