import type { TrafficAgent } from './traffic-agent.ts';

/** What the steps work with. */
export interface Scene {
  readonly kubectl: string;
  readonly helm: string;
  readonly chart: string;
  /** Arguments of Helm that name the image. */
  readonly imageValues: readonly string[];
  /** Has Node 26 as `node`. */
  readonly image: string;
  readonly examples: string;
  readonly agent: TrafficAgent;
}

export interface Step {
  readonly title: string;
  /** Rejects when something is not as it should be. */
  readonly act: (scene: Scene) => Promise<void>;
  /** Without it the steps after it make no sense. */
  readonly isVital?: boolean;
}
