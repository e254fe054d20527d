import { readFileSync } from 'node:fs';

/** Files of the process itself: log, manifests, admin connections, modules being loaded. */
const processFiles = 64;
/** What a worker holds besides connections: its event loop, its listening socket. */
const workerFiles = 16;

/**
 * Client connections that the process may hold, from the number of files that it may open. Every client connection may
 * need one to an endpoint, so half of what is left is for upstreams. 0, no limit, where the system sets none.
 */
export function defaultMaxConnections(workers: number, openFiles = openFileLimit(readLimits())): number {
  if (openFiles === undefined) return 0;
  const left = openFiles - processFiles - workers * workerFiles;
  return Math.max(workers, Math.floor(left / 2));
}

/** What a wish comes to: never more than the limit on open files allows; 0 wishes for just that. */
export function maxConnections(wanted: number, allowed: number): number {
  if (wanted === 0 || allowed === 0) return Math.max(wanted, allowed);
  return Math.min(wanted, allowed);
}

/** Each worker's part of a limit for the process; 0, no limit, stays 0. */
export function perWorker(maxConnections: number, workers: number): number {
  return maxConnections === 0 ? 0 : Math.max(1, Math.floor(maxConnections / workers));
}

/** The soft limit on open files in the text of Linux' /proc/self/limits; undefined when there is none. */
export function openFileLimit(limits: string | undefined): number | undefined {
  const [, soft] = limits?.match(/^Max open files\s+(\d+)\s/m) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

/** Read when the process runs: Node raises its soft limit to the hard one at its start. */
function readLimits(): string | undefined {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return undefined;
  }
}
