import { AdminServer } from '../admin/admin-server.ts';
import type { ExplainRequest } from '../admin/admin-state.ts';
import type { ControlLoop } from '../control/loop.ts';
import { explain, explainableTable } from '../proxy/explain.ts';
import type { WorkerPool } from '../workers/pool.ts';
import type { LoopListeners } from './loop-observer.ts';
import type { Settings } from './settings.ts';

export interface AdminParts extends Omit<LoopListeners, 'reports'> {
  readonly pool: WorkerPool;
  readonly loop: ControlLoop;
}

/** The admin server over the parts of the process. */
export function createAdmin(settings: Settings, parts: AdminParts): AdminServer {
  const { log, metrics, findings, readiness, source, pool, loop } = parts;
  return new AdminServer(
    {
      ready: () => readiness.stateWhile(source.waitingFor),
      table: () => loop.table,
      workers: () =>
        pool.status.map((status) => ({ ...status, connections: metrics.connections(status.worker) })),
      diagnostics: () => [...findings.list()],
      explain: (request) => explainRequest(loop, settings, request),
      inFlight: (endpoint) => pool.inFlight(endpoint),
      metrics: () => ({ contentType: metrics.contentType, text: metrics.text() }),
    },
    {
      port: settings.adminPort,
      address: settings.adminAddress === '' ? undefined : settings.adminAddress,
      failed: (path, error) => log.warn('admin answer failed', { path, err: error }),
    },
  );
}

/** Resolves with the port; rejects with an Error for the operator. */
export async function startAdmin(admin: AdminServer, settings: Settings): Promise<number> {
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

function explainRequest(loop: ControlLoop, settings: Settings, request: ExplainRequest) {
  const { url, method, headers, clientAddress = '127.0.0.1' } = request;
  return explain(explainableTable(loop.table), {
    url,
    method,
    headers,
    clientAddress,
    allowEncodedSlashes: settings.encodedSlashes,
  });
}
