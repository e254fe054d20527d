import { AdminServer } from '../admin/admin-server.ts';
import type { ExplainRequest } from '../admin/admin-state.ts';
import { EndpointBoard } from '../balance/endpoint-board.ts';
import { createCompiler } from '../compile/compiler.ts';
import { DiagnosticReport } from '../control/diagnostic-report.ts';
import { ObjectReports } from '../control/object-reports.ts';
import { ControlLoop } from '../control/loop.ts';
import type { LoopObserver } from '../control/loop.ts';
import { explain, explainableTable } from '../proxy/explain.ts';
import { LogWriter } from '../telemetry/log-writer.ts';
import { createLog } from '../telemetry/log.ts';
import type { Log } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { RowAllocator } from '../telemetry/row-allocator.ts';
import { createCounterMemory } from '../telemetry/worker-counters.ts';
import { ListeningSockets } from '../workers/listening-sockets.ts';
import { WorkerPool } from '../workers/pool.ts';
import { openSource } from './app-source.ts';
import type { AppSource } from './app-source.ts';
import { compileOptions } from './compile-settings.ts';
import { defaultMaxConnections, maxConnections, perWorker } from './connection-limit.ts';
import { defaultWorkers } from './cpu-limit.ts';
import { proxySettings } from './proxy-settings.ts';
import { Readiness } from './readiness.ts';
import type { Settings } from './settings.ts';
import type { ShutdownSteps } from './shutdown.ts';

/** Endpoints with shared state; those beyond are balanced without. 256 KiB a worker, taken from the system as it is used. */
const boardSlots = 65_536;
const flushLimitMs = 1000;

/** A running Sallyport. */
export interface App extends ShutdownSteps {
  readonly log: Log;
}

/** Starts every part. Rejects with an Error whose message is for the operator, and then leaves nothing running. */
export async function startApp(settings: Settings, version: string): Promise<App> {
  const writer = new LogWriter();
  const log = createLog(writer, settings.logLevel);
  const sockets = ListeningSockets.reserve(settings.address, settings.httpPort);
  const parts = await assemble(settings, { version, writer, log, sockets });
  const { pool, loop, source, admin, readiness } = parts;
  const stop = async (): Promise<void> => {
    loop.stop();
    await Promise.all([source.farewell(), pool.stop(), admin.stop()]);
    await source.stop();
    await writer.flush(flushLimitMs);
  };
  try {
    const adminPort = await startAdmin(admin, settings);
    pool.start();
    await source.start();
    log.info('started', {
      version,
      port: sockets.port,
      adminPort,
      workers: pool.status.length,
      ...source.description,
    });
    log.info('nothing listens for HTTPS yet', { httpsPort: settings.httpsPort });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    log,
    unready: () => readiness.drain(),
    drain: (tunnelWindowMs) => pool.drain(tunnelWindowMs),
    stop,
  };
}

interface Base {
  readonly version: string;
  readonly writer: LogWriter;
  readonly log: Log;
  readonly sockets: ListeningSockets;
}

async function assemble(settings: Settings, { version, writer, log, sockets }: Base) {
  const workers = countWorkers(settings, sockets, log);
  const memory = EndpointBoard.allocate(boardSlots, workers);
  const rows = new RowAllocator({ workers, maxRoutes: settings.metricsMaxRoutes });
  const counters = Array.from({ length: workers }, createCounterMemory);
  const source = await openSource(settings, {
    version,
    log,
    metrics: () => metrics,
    reports: () => reports,
    onChange: ({ snapshot, changed, diagnostics }) => {
      findings.source(diagnostics);
      reports.source(diagnostics);
      loop.update(snapshot, changed);
    },
  });
  const reports = new ObjectReports();
  const findings = new DiagnosticReport({ log, locate: (ref, path) => source.locate(ref, path) });
  const metrics = new Metrics({
    version,
    rows,
    counters,
    logLinesDropped: () => writer.droppedLines,
    diagnostics: () => findings.list(),
  });
  const pool = new WorkerPool({
    workers,
    settings: proxySettings(settings),
    sockets,
    heapBytes: settings.workerHeap,
    maxConnections: connectionsPerWorker(settings, workers, log),
    board: { memory, view: new EndpointBoard(memory) },
    rows,
    counters,
    log,
    metrics,
    writeLines: (text) => writer.write(text),
  });
  const readiness = new Readiness();
  const loop = new ControlLoop({
    compiler: createCompiler(compileOptions(settings)),
    publisher: pool,
    observer: observe({ log, metrics, findings, reports, readiness, source }),
    ...(source.fetch === undefined ? {} : { fetch: (references) => source.fetch?.(references) }),
  });
  const admin = createAdmin(settings, { log, metrics, findings, readiness, source, pool, loop });
  return { pool, loop, source, admin, readiness };
}

interface AdminParts extends Omit<Observed, 'reports'> {
  readonly pool: WorkerPool;
  readonly loop: ControlLoop;
}

function createAdmin(settings: Settings, parts: AdminParts): AdminServer {
  const { log, metrics, findings, readiness, source, pool, loop } = parts;
  return new AdminServer(
    {
      ready: () => readinessWith(readiness, source),
      table: () => loop.table,
      workers: () =>
        pool.status.map((status) => ({ ...status, connections: metrics.connections(status.worker) })),
      diagnostics: () => [...findings.list()],
      explain: (request) => explainRequest(loop, settings, request),
      metrics: () => ({ contentType: metrics.contentType, text: metrics.text() }),
    },
    {
      port: settings.adminPort,
      address: settings.adminAddress === '' ? undefined : settings.adminAddress,
      failed: (path, error) => log.warn('admin answer failed', { path, err: error }),
    },
  );
}

function explainRequest(loop: ControlLoop, settings: Settings, { url, method, headers }: ExplainRequest) {
  return explain(explainableTable(loop.table), {
    url: url.href,
    method,
    headers,
    clientAddress: '127.0.0.1',
    allowEncodedSlashes: settings.encodedSlashes,
  });
}

interface Observed {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly findings: DiagnosticReport;
  readonly reports: ObjectReports;
  readonly readiness: Readiness;
  readonly source: AppSource;
}

function observe({ log, metrics, findings, reports, readiness, source }: Observed): LoopObserver {
  return {
    compiled: (compilation) => {
      const { result, compileMs } = compilation;
      metrics.compiled(compileMs);
      findings.compiler(
        result.diagnostics,
        compilation.changes === undefined ? undefined : result.diagnosticsChanged,
      );
      reports.compiled(compilation);
    },
    compileFailed: (error) => log.error('compiler failed, the table before stays in force', { err: error }),
    published: (table, outcome, changeMs) => {
      reports.published(table, outcome);
      if (outcome.kind === 'failed') {
        log.error('table refused, the one before stays in force', { ...outcome });
        return;
      }
      for (const { id, message } of outcome.closed) log.error('route closed', { route: id, detail: message });
      metrics.changeLive(changeMs);
      readiness.live();
      log.info('table live', {
        generation: outcome.generation,
        routes: table.routes.size,
        changeMs: hundredths(changeMs),
        linkMs: hundredths(outcome.linkMs),
        stallMs: hundredths(outcome.stallMs),
      });
    },
    settled: (snapshot) => {
      reports.settled(snapshot);
      source.settled(snapshot);
    },
  };
}

/** Tells what a start is waiting for, where the source knows. */
function readinessWith({ state }: Readiness, { waitingFor }: AppSource): Readiness['state'] {
  if (state.ready || waitingFor.length === 0) return state;
  return { ready: false, reason: `not read yet: ${waitingFor.join(', ')}` };
}

function connectionsPerWorker(settings: Settings, workers: number, log: Log): number {
  const allowed = defaultMaxConnections(workers);
  const connections = maxConnections(settings.maxConnections, allowed);
  if (connections < settings.maxConnections) {
    log.warn('fewer connections than asked for: the limit on open files is low', {
      wanted: settings.maxConnections,
      connections,
    });
  }
  return perWorker(connections, workers);
}

function countWorkers(settings: Settings, sockets: ListeningSockets, log: Log): number {
  const wanted = settings.workers === 0 ? defaultWorkers() : settings.workers;
  if (wanted === 1 || sockets.shareable) return wanted;
  log.warn('one worker only: this platform cannot share a port among several', { wanted });
  return 1;
}

async function startAdmin(admin: AdminServer, settings: Settings): Promise<number> {
  try {
    return await admin.start();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason =
      code === 'EADDRINUSE'
        ? `port ${settings.adminPort} is taken by another process`
        : (cause as Error).message;
    throw new Error(`Listen for health and metrics: ${reason}; choose another with --admin-port`, { cause });
  }
}

function hundredths(ms: number): number {
  return Math.round(ms * 100) / 100;
}
