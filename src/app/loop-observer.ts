import type { DiagnosticReport } from '../control/diagnostic-report.ts';
import type { LoopObserver } from '../control/loop.ts';
import type { ObjectReports } from '../control/object-reports.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AppSource } from './app-source.ts';
import type { Readiness } from './readiness.ts';

/** Who is told what the loop does. */
export interface LoopListeners {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly findings: DiagnosticReport;
  readonly reports: ObjectReports;
  readonly readiness: Readiness;
  readonly source: AppSource;
}

/** Hands the loop's news to everyone who asked for them, in the order that they rely on. */
export function observeLoop({
  log,
  metrics,
  findings,
  reports,
  readiness,
  source,
}: LoopListeners): LoopObserver {
  return {
    compiled: (compilation) => {
      const { result, compileMs } = compilation;
      metrics.compiled(compileMs);
      findings.compiler(
        result.diagnostics,
        compilation.changes === undefined ? undefined : result.diagnosticsChanged,
      );
      if (!source.isSaved(compilation.snapshot)) reports.compiled(compilation);
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

function hundredths(ms: number): number {
  return Math.round(ms * 100) / 100;
}
