import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Reads a file of the control group, undefined when it is not there. */
export type ReadText = (path: string) => string | undefined;

/** Worker threads that make sense here: the cores that the process may use, within the container's CPU limit. */
export function defaultWorkers(read: ReadText = readText, cores = availableParallelism()): number {
  const limit = cpuLimit(read);
  return limit === undefined ? cores : Math.max(1, Math.min(cores, Math.ceil(limit)));
}

/** The container's CPU limit in cores, from control groups v2 or v1; undefined when there is none. */
export function cpuLimit(read: ReadText): number | undefined {
  const [quota2, period2] = read('/sys/fs/cgroup/cpu.max')?.trim().split(/\s+/) ?? [];
  if (quota2 !== undefined) return ratio(quota2, period2);
  return ratio(
    read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us')?.trim(),
    read('/sys/fs/cgroup/cpu/cpu.cfs_period_us')?.trim(),
  );
}

/** v2 writes `max`, v1 writes -1, where there is no limit. */
function ratio(quota: string | undefined, period: string | undefined): number | undefined {
  const cores = Number(quota) / Number(period);
  return Number.isFinite(cores) && cores > 0 ? cores : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
