import type { LoadRun } from './load-run.ts';
import { runCommand } from './process.ts';

export interface WrkLoad {
  readonly port: number;
  /** Over TLS; the name of the handshake is `localhost`, since wrk takes it from the address. */
  readonly tls?: boolean;
  readonly path: string;
  readonly host: string;
  readonly connections: number;
  /** Path of a Lua script. */
  readonly script?: string;
}

/** Units of wrk in a millisecond; below one where the unit is longer. */
const unitsPerMs: Readonly<Record<string, number>> = { us: 1000, ms: 1, s: 1 / 1000, m: 1 / 60_000 };

/** Runs wrk with one thread against a port of the loopback address. Errors are answers other than 2xx and 3xx, and those of sockets. */
export async function wrk(load: WrkLoad, seconds: number): Promise<LoadRun> {
  const origin = load.tls === true ? 'https://localhost' : 'http://127.0.0.1';
  const script = load.script === undefined ? [] : ['-s', load.script];
  const output = await runCommand('wrk', [
    '-t1',
    `-c${load.connections}`,
    `-d${seconds}s`,
    '--latency',
    '--timeout=5s',
    '-H',
    `Host: ${load.host}`,
    ...script,
    `${origin}:${load.port}${load.path}`,
  ]);
  return parseWrk(output);
}

/** Reads wrk's report. Throws when it is not one. */
export function parseWrk(output: string): LoadRun {
  const requests = Number(/(\d+) requests in /.exec(output)?.[1] ?? Number.NaN);
  const requestsPerSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1] ?? Number.NaN);
  if (Number.isNaN(requests) || Number.isNaN(requestsPerSecond))
    throw new Error(`wrk printed no report: ${output}`);
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output) ?? [];
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0);
  return {
    requests,
    requestsPerSecond,
    p50Ms: percentile(output, '50%'),
    p99Ms: percentile(output, '99%'),
    errors: sockets.slice(1).reduce((sum, text) => sum + Number(text), refused),
  };
}

function percentile(output: string, name: string): number {
  const [, value, unit] = new RegExp(`^\\s+${name}\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(output) ?? [];
  return value === undefined || unit === undefined
    ? Number.NaN
    : Number(value) / (unitsPerMs[unit] ?? Number.NaN);
}
