import { defaultCompileOptions } from '../../../src/compile/compile-options.ts';
import { createCompiler } from '../../../src/compile/compiler.ts';
import { ControlLoop } from '../../../src/control/loop.ts';
import { ObjectReports } from '../../../src/control/object-reports.ts';
import { createTransport } from '../../../src/kube/api-transport.ts';
import { ClusterReporting } from '../../../src/kube/cluster-reporting.ts';
import type { ReportingSettings } from '../../../src/kube/cluster-reporting.ts';
import { ClusterSource } from '../../../src/kube/cluster-source.ts';
import { accessFromKubeconfig } from '../../../src/kube/kube-credentials.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { TransportError } from '../../../src/kube/transport.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { watchPlan } from '../../../src/kube/watch-plan.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { ReportingTotals } from '../../../src/telemetry/reporting-totals.ts';
import { watchEverything } from './source-rig.ts';

export interface ReportingRigOptions {
  readonly kubeconfig: string;
  readonly pod: string;
  readonly settings?: Partial<ReportingSettings>;
}

const defaults: ReportingSettings = {
  publishService: '',
  publishStatusAddress: '',
  updateStatusOnShutdown: true,
  electionId: 'sallyport-leader',
  electionTtlMs: 3000,
  disableLeaderElection: false,
  controllerClass: defaultCompileOptions.controllerClass,
};

/** A replica without a data plane: it reads a real cluster, compiles, and reports as if its workers served everything. */
export class ReportingRig {
  readonly reports: ObjectReports;
  readonly reporting: ClusterReporting;
  readonly totals = new ReportingTotals();
  readonly lines: string[] = [];
  readonly #source: ClusterSource;
  readonly #transport: Transport;
  readonly #loop: ControlLoop;
  #cut = false;

  private constructor(transport: Transport, { pod, settings }: ReportingRigOptions) {
    this.#transport = transport;
    const log = createLog({ write: (line) => this.lines.push(line) }, 'info');
    this.#source = new ClusterSource({
      plan: watchPlan(watchEverything),
      createReflector: (scope, sink) => new Reflector({ transport, scope, sink }),
      onChange: ({ snapshot, changed, diagnostics }) => {
        this.reports.source(diagnostics);
        this.#loop.update(snapshot, changed);
      },
      log,
    });
    this.reports = new ObjectReports({ identify: (kind, key) => this.#source.refused(kind, key) });
    this.#loop = new ControlLoop({
      compiler: createCompiler(defaultCompileOptions),
      publisher: {
        publish: ({ generation }) =>
          Promise.resolve({ kind: 'live', generation, linkMs: 0, stallMs: 0, closed: [] }),
      },
      observer: {
        compiled: (compilation) => this.reports.compiled(compilation),
        compileFailed: (error) => {
          throw error;
        },
        published: (table, outcome) => this.reports.published(table, outcome),
        settled: (snapshot) => this.reports.settled(snapshot),
      },
      fetch: (references) => this.#source.fetch(references),
    });
    this.reporting = new ClusterReporting({
      transport: this.#severable(),
      settings: { ...defaults, ...settings },
      identity: { name: pod, namespace: 'sallyport' },
      feed: this.reports,
      observed: this.#source,
      metrics: this.totals,
      log,
    });
  }

  static async start(options: ReportingRigOptions): Promise<ReportingRig> {
    const access = await accessFromKubeconfig({ file: options.kubeconfig });
    const rig = new ReportingRig(createTransport(access), options);
    await rig.#source.start();
    rig.reporting.start();
    return rig;
  }

  /** Status writes that were accepted. */
  get writes(): number {
    let count = 0;
    for (const one of this.totals.statusWrites()) if (one.result === 'written') count += one.count;
    return count;
  }

  /** From now on nothing that it writes arrives. */
  cut(): void {
    this.#cut = true;
  }

  async stop(): Promise<void> {
    await this.reporting.stop();
    this.#loop.stop();
    this.reports.stop();
    await this.#source.stop();
    await this.#transport.close();
  }

  #severable(): Transport {
    const gone = () => Promise.reject(new TransportError('UNREACHABLE', 'cut off'));
    return {
      request: (request) => (this.#cut ? gone() : this.#transport.request(request)),
      stream: (request) => (this.#cut ? gone() : this.#transport.stream(request)),
      close: () => Promise.resolve(),
    };
  }
}
