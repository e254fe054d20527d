import type { ReportedKind } from './status-feed.ts';

/**
 * `written`; `gone`, the object was deleted or replaced; `throttled`, the API server asked to wait; `denied`, no right to
 * it; `failed`, anything else. All but the first two are tried again.
 */
export type StatusWriteResult = 'written' | 'gone' | 'throttled' | 'denied' | 'failed';

/** `merged`: counted in an Event that was there; `dropped`: beyond a limit; `failed`: the API server did not take it. */
export type EventResult = 'written' | 'merged' | 'dropped' | 'failed';

/** What reporting counts. Calls are cheap and never throw. */
export interface ReportingMetrics {
  statusWrite(kind: ReportedKind, result: StatusWriteResult): void;
  event(result: EventResult): void;
}

export const noReportingMetrics: ReportingMetrics = {
  statusWrite: () => undefined,
  event: () => undefined,
};
