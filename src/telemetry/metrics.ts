import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { errorNames, gcKinds } from './counter-layout.ts';
import type { CounterName } from './counter-layout.ts';
import { renderHandshakes } from './handshake-metrics.ts';
import { renderProtocolFamilies } from './protocol-families.ts';
import {
  processMetrics,
  reportingMetrics,
  routeMetrics,
  tlsMetrics,
  watchMetrics,
} from './metric-declarations.ts';
import type { MetricDeclaration } from './metric-declaration.ts';
import type { ReportingSources } from './reporting-totals.ts';
import { renderRouteFamilies } from './route-families.ts';
import type { RowAllocator } from './row-allocator.ts';
import type { WatchTotals } from './watch-totals.ts';
import { CounterReader } from './worker-counters.ts';

// What `/metrics` shows. In: shared memory of the workers, read at scrape time, and what control reports. Out: text in
// Prometheus' format 0.0.4. prom-client holds the few series of the process; the per-route families are streamed.
// Nothing here runs while no scrape runs. Imports nothing outside telemetry.

export interface MetricsSources {
  readonly version: string;
  readonly rows: RowAllocator;
  /** Counter memory of worker 0, 1, …: a worker that replaces another has the same. */
  readonly counters: readonly SharedArrayBuffer[];
  /** Lines that the main thread's writer dropped. */
  logLinesDropped(): number;
  diagnostics(): Iterable<{ readonly code: string; readonly severity: string }>;
  /** Left out where nothing is reported to a cluster. */
  readonly reporting?: ReportingSources;
  /** Of the table that is served. */
  certificates?(): Iterable<CertificateExpiry>;
  /** Left out where no cluster is read. */
  readonly watching?: WatchTotals;
}

export interface CertificateExpiry {
  readonly namespace: string;
  readonly secret: string;
  /** Since 1970. */
  readonly seconds: number;
}

type Sample = (labels: Readonly<Record<string, string>>, value: number) => void;

export class Metrics {
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #registry = new Registry();
  readonly #sources: MetricsSources;
  readonly #workers: readonly CounterReader[];
  readonly #compile: Histogram;
  readonly #link: Histogram;
  readonly #changeToLive: Histogram;
  #workersRestarted = 0;
  #linkFailures = 0;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    this.#workers = sources.counters.map((memory) => new CounterReader(memory));
    this.#compile = this.#histogram(processMetrics.compileSeconds);
    this.#link = this.#histogram(processMetrics.linkSeconds);
    this.#changeToLive = this.#histogram(processMetrics.changeToLiveSeconds);
    this.#declareWorkerMetrics();
    this.#declareProcessMetrics();
    if (sources.reporting !== undefined) this.#declareReportingMetrics(sources.reporting);
    if (sources.watching !== undefined) this.#declareWatchMetrics(sources.watching);
    collectDefaultMetrics({ register: this.#registry });
  }

  compiled(ms: number): void {
    this.#compile.observe(ms / 1000);
  }

  /** One worker linked one publication. */
  linked(ms: number): void {
    this.#link.observe(ms / 1000);
  }

  /** One worker could not link one publication. */
  linkFailed(): void {
    this.#linkFailures++;
  }

  changeLive(ms: number): void {
    this.#changeToLive.observe(ms / 1000);
  }

  /** Open client connections of one worker. */
  connections(worker: number): number {
    return this.#workers[worker]?.read('connectionsActive') ?? 0;
  }

  workerRestarted(): void {
    this.#workersRestarted++;
  }

  /** The exposition in pieces of about 64 KiB; other work of the thread runs between them. */
  async *text(): AsyncGenerator<string> {
    const { rows } = this.#sources;
    const end = rows.beginScrape();
    yield await this.#registry.metrics();
    yield renderHandshakes(this.#workers);
    yield renderProtocolFamilies(this.#workers);
    yield* renderRouteFamilies(rows);
    end();
  }

  #declareWorkerMetrics(): void {
    const declare = (declaration: MetricDeclaration, cell: CounterName): void => {
      this.#sampled(declaration, (sample) =>
        this.#eachWorker((worker, reader) => sample({ worker }, reader.read(cell))),
      );
    };
    declare(processMetrics.connectionsActive, 'connectionsActive');
    declare(processMetrics.connections, 'connectionsTotal');
    declare(processMetrics.requestsActive, 'requestsActive');
    declare(processMetrics.upstreamActive, 'upstreamActive');
    declare(processMetrics.upstreamOpened, 'upstreamOpened');
    declare(processMetrics.upstreamReused, 'upstreamReused');
    declare(processMetrics.tableGeneration, 'generation');
    declare(processMetrics.eventLoopUtilization, 'loopUtilizationRatio');
    declare(processMetrics.heapUsed, 'heapUsedBytes');
    this.#sampled(processMetrics.eventLoopDelay, (sample) =>
      this.#eachWorker((worker, reader) => {
        sample({ worker, quantile: '0.5' }, reader.read('loopDelayP50Seconds'));
        sample({ worker, quantile: '0.99' }, reader.read('loopDelayP99Seconds'));
        sample({ worker, quantile: '1' }, reader.read('loopDelayMaxSeconds'));
      }),
    );
    this.#sampled(processMetrics.gcSeconds, (sample) =>
      this.#eachWorker((worker, reader) => {
        for (const kind of gcKinds) sample({ worker, kind }, reader.gcSeconds(kind));
      }),
    );
    this.#sampled(processMetrics.gcCollections, (sample) =>
      this.#eachWorker((worker, reader) => {
        for (const kind of gcKinds) sample({ worker, kind }, reader.gcCount(kind));
      }),
    );
  }

  #declareProcessMetrics(): void {
    const { version, rows } = this.#sources;
    this.#sampled(processMetrics.buildInfo, (sample) => sample({ version, node: process.version }, 1));
    this.#sampled(processMetrics.errors, (sample) => {
      for (const code of errorNames) {
        const total = this.#sum((reader) => reader.errors(code));
        if (total > 0) sample({ code }, total);
      }
    });
    this.#sampled(processMetrics.diagnostics, (sample) => this.#countDiagnostics(sample));
    this.#sampled(tlsMetrics.expiry, (sample) => {
      for (const { namespace, secret, seconds } of this.#sources.certificates?.() ?? [])
        sample({ namespace, secret }, seconds);
    });
    this.#sampled(processMetrics.logLinesDropped, (sample) => {
      sample({}, this.#sources.logLinesDropped() + this.#sum((reader) => reader.read('logLinesDropped')));
    });
    this.#sampled(processMetrics.linkFailures, (sample) => sample({}, this.#linkFailures));
    this.#sampled(processMetrics.workersRestarted, (sample) => sample({}, this.#workersRestarted));
    this.#sampled(processMetrics.droppedSeries, (sample) => {
      for (const { name } of Object.values(routeMetrics)) sample({ family: name }, rows.droppedRows);
    });
  }

  #declareReportingMetrics({ isLeader, totals, conditions }: ReportingSources): void {
    this.#sampled(reportingMetrics.leader, (sample) => sample({}, isLeader() ? 1 : 0));
    this.#sampled(reportingMetrics.statusWrites, (sample) => {
      for (const { kind, result, count } of totals.statusWrites()) sample({ kind, result }, count);
    });
    this.#sampled(reportingMetrics.events, (sample) => {
      for (const { result, count } of totals.events()) sample({ result }, count);
    });
    this.#sampled(reportingMetrics.conditions, (sample) => {
      for (const { kind, condition, status, objects } of conditions())
        sample({ kind, condition, status }, objects);
    });
  }

  #declareWatchMetrics(totals: WatchTotals): void {
    const byKind = (declaration: MetricDeclaration, counts: ReadonlyMap<string, number>): void => {
      this.#sampled(declaration, (sample) => {
        for (const [kind, count] of counts) sample({ kind }, count);
      });
    };
    byKind(watchMetrics.objects, totals.known);
    byKind(watchMetrics.relists, totals.relists);
    byKind(watchMetrics.garbage, totals.garbageSeen);
    this.#sampled(watchMetrics.watchRestarts, (sample) => {
      for (const { kind, reason, count } of totals.restarts()) sample({ kind, reason }, count);
    });
    this.#sampled(watchMetrics.lastEventAge, (sample) => {
      for (const [kind, seconds] of totals.agesSeconds()) sample({ kind }, seconds);
    });
  }

  #countDiagnostics(sample: Sample): void {
    const counts = new Map<string, { readonly labels: { code: string; severity: string }; count: number }>();
    for (const { code, severity } of this.#sources.diagnostics()) {
      const known = counts.get(`${code} ${severity}`);
      if (known === undefined) counts.set(`${code} ${severity}`, { labels: { code, severity }, count: 1 });
      else known.count++;
    }
    for (const { labels, count } of counts.values()) sample(labels, count);
  }

  #eachWorker(visit: (worker: string, reader: CounterReader) => void): void {
    this.#workers.forEach((reader, worker) => visit(String(worker), reader));
  }

  #sum(read: (reader: CounterReader) => number): number {
    return this.#workers.reduce((sum, reader) => sum + read(reader), 0);
  }

  /** A family whose values are read when a scrape asks for them. */
  #sampled(declaration: MetricDeclaration, collect: (sample: Sample) => void): void {
    const { name, help, labels: labelNames } = declaration;
    const options = { name, help, labelNames, registers: [this.#registry] };
    if (declaration.type === 'counter') {
      const counter: Counter = new Counter({
        ...options,
        collect: () => {
          counter.reset();
          collect((labels, value) => counter.inc(labels, value));
        },
      });
    } else {
      const gauge: Gauge = new Gauge({
        ...options,
        collect: () => {
          gauge.reset();
          collect((labels, value) => gauge.set(labels, value));
        },
      });
    }
  }

  #histogram(declaration: MetricDeclaration): Histogram {
    const { name, help, buckets = [] } = declaration;
    return new Histogram({ name, help, buckets: [...buckets], registers: [this.#registry] });
  }
}
