import { EndpointBoard } from '../balance/endpoint-board.ts';
import { createCompiler } from '../compile/compiler.ts';
import { atMost } from '../control/at-most.ts';
import { DiagnosticReport } from '../control/diagnostic-report.ts';
import { ObjectReports } from '../control/object-reports.ts';
import { ControlLoop, systemClock } from '../control/loop.ts';
import { LogWriter } from '../telemetry/log-writer.ts';
import { createLog } from '../telemetry/log.ts';
import type { Log } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { RowAllocator } from '../telemetry/row-allocator.ts';
import { createCounterMemory } from '../telemetry/worker-counters.ts';
import { ListeningSockets } from '../workers/listening-sockets.ts';
import { WorkerPool } from '../workers/pool.ts';
import type { PoolOptions } from '../workers/pool.ts';
import { openSource } from './app-source.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { compileOptions } from './compile-settings.ts';
import { defaultMaxConnections, maxConnections, perWorker } from './connection-limit.ts';
import { defaultWorkers } from './cpu-limit.ts';
import { createAdmin, startAdmin } from './create-admin.ts';
import { observeLoop } from './loop-observer.ts';
import { edgeTls, reserveHttps } from './edge-tls.ts';
import { proxySettings } from './proxy-settings.ts';
import { Readiness } from './readiness.ts';
import type { Settings } from './settings.ts';
import type { ShutdownSteps } from './shutdown.ts';
import { TicketSecrets } from './ticket-secrets.ts';

/** Endpoints with shared state; those beyond are balanced without. 256 KiB a worker, taken from the system as it is used. */
const boardSlots = 65_536;
const flushLimitMs = 1000;
/** An API server that hangs must not keep a process that has ended its traffic. */
const farewellLimitMs = 5000;

/** A running Sallyport. */
export interface App extends ShutdownSteps {
  readonly log: Log;
}

/** Starts every part. Rejects with an Error whose message is for the operator, and then leaves nothing running. */
export async function startApp(settings: Settings, version: string): Promise<App> {
  const writer = new LogWriter();
  const log = createLog(writer, settings.logLevel);
  const sockets = ListeningSockets.reserve(settings.address, settings.httpPort);
  const httpsSockets = reserveHttps(settings, log);
  const https = httpsSockets && { sockets: httpsSockets, tls: edgeTls(settings) };
  const parts = await assemble(settings, { version, writer, log, sockets, https });
  const { pool, loop, source, reports, admin, readiness, certificates, tickets } = parts;
  const stop = async (): Promise<void> => {
    loop.stop();
    tickets?.stop();
    certificates.stop();
    await Promise.all([atMost(systemClock, farewellLimitMs, source.farewell()), pool.stop(), admin.stop()]);
    reports.stop();
    await source.stop();
    await writer.flush(flushLimitMs);
  };
  try {
    const adminPort = await startAdmin(admin, settings);
    pool.start();
    certificates.start();
    tickets?.start();
    await source.start();
    log.info('started', {
      version,
      port: sockets.port,
      ...(https === undefined ? {} : { httpsPort: https.sockets.port }),
      adminPort,
      workers: pool.status.length,
      ...source.description,
    });
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
  readonly https: PoolOptions['https'];
}

async function assemble(settings: Settings, { version, writer, log, sockets, https }: Base) {
  const workers = countWorkers(settings, sockets, log);
  const memory = EndpointBoard.allocate(boardSlots, workers);
  const rows = new RowAllocator({ workers, maxRoutes: settings.metricsMaxRoutes });
  const counters = Array.from({ length: workers }, createCounterMemory);
  const source = await openSource(settings, {
    version,
    log,
    reports: () => reports,
    onChange: ({ snapshot, changed, diagnostics }) => {
      findings.source(diagnostics);
      reports.source(diagnostics);
      certificates.seen(snapshot);
      tickets?.seen(snapshot);
      loop.update(snapshot, changed);
    },
  });
  const reports = new ObjectReports(source.identify === undefined ? {} : { identify: source.identify });
  const findings = new DiagnosticReport({ log, locate: (ref, path) => source.locate(ref, path) });
  const metrics = new Metrics({
    version,
    rows,
    counters,
    logLinesDropped: () => writer.droppedLines,
    diagnostics: () => findings.open(),
    certificates: () => certificates.expiries(),
    ...(source.watching && { watching: source.watching }),
    ...(source.reporting && { reporting: { ...source.reporting, conditions: () => reports.counts() } }),
  });
  const pool = new WorkerPool({
    workers,
    settings: proxySettings(settings),
    sockets,
    ...(https === undefined ? {} : { https }),
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
    observer: observeLoop({ log, metrics, findings, reports, readiness, source }),
    ...(source.fetch === undefined ? {} : { fetch: (references) => source.fetch?.(references) }),
  });
  const certificates = new CertificateWatch({
    table: () => loop.table,
    update: (snapshot, changed) => loop.update(snapshot, changed),
    now: () => Date.now(),
  });
  const tickets = https && ticketSecrets(settings, https, pool);
  const admin = createAdmin(settings, { log, metrics, findings, readiness, source, pool, loop });
  return { pool, loop, source, reports, admin, readiness, certificates, tickets };
}

function ticketSecrets(
  settings: Settings,
  { tls }: NonNullable<PoolOptions['https']>,
  pool: WorkerPool,
): TicketSecrets {
  return new TicketSecrets({
    first: tls.ticketSecrets,
    rotationMs: settings.sslTicketRotationMs,
    secret: settings.sslTicketSecret,
    use: (secrets) => pool.useTicketSecrets(secrets),
  });
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
