import type { AccessLog } from '../telemetry/access-log.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import type { WorkerCounters } from '../telemetry/worker-counters.ts';
import type { DeadlineSweeper } from '../util/deadline-sweeper.ts';
import type { LinkedTable } from './linked-table.ts';
import type { ProxySettings } from './proxy-settings.ts';
import type { FieldPolicy } from './request-fields.ts';
import type { Tunnel } from './tunnel.ts';

/** What every connection of a worker shares. `table` is replaced by the swap; readers take it once per request. */
export interface ProxyServices {
  readonly settings: ProxySettings;
  readonly fields: FieldPolicy;
  readonly sweeper: DeadlineSweeper;
  readonly counters: WorkerCounters;
  readonly noRoute: RouteMetrics;
  readonly accessLog: AccessLog | undefined;
  readonly random: () => number;
  /** Open tunnels, for shutdown. */
  readonly tunnels: Set<Tunnel>;
  table: LinkedTable;
  /** Set while shutting down: answers close their connections. */
  draining: boolean;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}
