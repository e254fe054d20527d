import type { ClusterUpdate } from '../../../src/kube/cluster-source.ts';
import { ClusterSource } from '../../../src/kube/cluster-source.ts';
import type { SnapshotFile } from '../../../src/kube/snapshot-file.ts';
import { createTransport } from '../../../src/kube/api-transport.ts';
import { accessFromKubeconfig } from '../../../src/kube/kube-credentials.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { watchPlan } from '../../../src/kube/watch-plan.ts';
import type { WatchSettings } from '../../../src/kube/watch-plan.ts';
import type { Source } from '../../../src/control/source.ts';
import { createLog } from '../../../src/telemetry/log.ts';

export interface SourceRigOptions {
  readonly kubeconfig: string;
  readonly watch?: Partial<WatchSettings>;
  readonly snapshotFile?: SnapshotFile;
  readonly snapshotWaitMs?: number;
}

/** What is not there, or not allowed, is asked for again soon: tests change that. */
const impatient = { absentRetryMs: 200, forbiddenMinMs: 100, forbiddenMaxMs: 200 };

export const watchEverything: WatchSettings = {
  watchNamespaces: undefined,
  namespaceSelector: false,
  ingressClassByName: false,
  defaultBackendService: undefined,
  defaultCertificate: undefined,
};

/** A cluster source over a real API server, and a way to wait for what it hands out. */
export class SourceRig {
  readonly updates: ClusterUpdate[] = [];
  readonly lines: string[] = [];
  readonly source: ClusterSource;
  readonly #transport: Transport;
  readonly #waiting = new Set<() => void>();

  private constructor(transport: Transport, { watch, ...options }: SourceRigOptions) {
    this.#transport = transport;
    this.source = new ClusterSource({
      ...options,
      plan: watchPlan({ ...watchEverything, ...watch }),
      createReflector: (scope, sink) => new Reflector({ transport, scope, sink, tuning: impatient }),
      onChange: (update) => {
        this.updates.push(update);
        this.#wake();
      },
      log: createLog(
        {
          write: (line) => {
            this.lines.push(line);
            this.#wake();
          },
        },
        'info',
      ),
    });
  }

  static async start(options: SourceRigOptions): Promise<SourceRig> {
    const access = await accessFromKubeconfig({ file: options.kubeconfig });
    const rig = new SourceRig(createTransport(access), options);
    const source: Source = rig.source;
    await source.start();
    return rig;
  }

  /** The first update, of those to come and the last, of which this is true. */
  async until(fits: (update: ClusterUpdate) => boolean): Promise<ClusterUpdate> {
    for (;;) {
      const last = this.updates.at(-1);
      if (last !== undefined && fits(last)) return last;
      // oxlint-disable-next-line no-await-in-loop -- one update after the other
      await this.#news();
    }
  }

  /** A line of the log that holds the text. */
  async logged(text: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.includes(text));
      if (found !== undefined) return found;
      // oxlint-disable-next-line no-await-in-loop -- one line after the other
      await this.#news();
    }
  }

  async stop(): Promise<void> {
    await this.source.stop();
    await this.#transport.close();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
