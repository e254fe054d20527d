import { readFileSync, rmSync } from 'node:fs';

import { percentile } from './load-run.ts';
import type { LoadRun } from './load-run.ts';
import { runCommand } from './process.ts';

export interface H2loadLoad {
  readonly port: number;
  /** HTTP/2 over TLS; without it by prior knowledge. */
  readonly tls: boolean;
  readonly host: string;
  readonly path: string;
  readonly connections: number;
  readonly streams: number;
  /** Requests per second over all connections; without it as many as are answered. */
  readonly rate?: number;
  /** Lines of `name: value`. */
  readonly headers?: readonly string[];
  /** A file whose bytes are posted. */
  readonly body?: string;
  /** Bytes of the body of every answer: what misses any counts as failed. */
  readonly answerBytes: number;
  /** Written anew by each run: a line for each request. */
  readonly log: string;
}

/** Runs h2load with one thread against a port of the loopback address. */
export async function h2load(load: H2loadLoad, seconds: number): Promise<LoadRun> {
  // h2load appends to it.
  rmSync(load.log, { force: true });
  const scheme = load.tls ? 'https' : 'http';
  const rate = load.rate === undefined ? [] : [`--rps=${load.rate / load.connections}`];
  const output = await runCommand('h2load', [
    '-t1',
    `-c${load.connections}`,
    `-m${load.streams}`,
    `-D${seconds}s`,
    `--log-file=${load.log}`,
    `--connect-to=127.0.0.1:${load.port}`,
    ...rate,
    ...(load.headers ?? []).map((line) => `--header=${line}`),
    ...(load.body === undefined ? [] : [`--data=${load.body}`]),
    `${scheme}://${load.host}:${load.port}${load.path}`,
  ]);
  return parseH2load(output, readFileSync(load.log, 'latin1'), { seconds, answerBytes: load.answerBytes });
}

/**
 * Reads h2load's report and its log: a line a request of start, status and duration in µs. Throws when there is no report.
 * Requests that run when the time is over are neither answered nor failed.
 */
export function parseH2load(
  output: string,
  log: string,
  { seconds, answerBytes }: { readonly seconds: number; readonly answerBytes: number },
): LoadRun {
  const bytes = Number(/, \S+ \((\d+)\) data$/m.exec(output)?.[1] ?? Number.NaN);
  const failed = Number(/^requests: .*, (\d+) failed, /m.exec(output)?.[1] ?? Number.NaN);
  if (Number.isNaN(bytes) || Number.isNaN(failed)) throw new Error(`h2load printed no report: ${output}`);
  const durations: number[] = [];
  let refused = 0;
  for (const line of log.split('\n')) {
    const [, status, duration] = line.split('\t');
    if (status === undefined || duration === undefined) continue;
    if (status === '200') durations.push(Number(duration) / 1000);
    else refused++;
  }
  // An answer that is cut, or is an error of another kind under status 200, shows in the bytes.
  const short = Math.max(0, durations.length - Math.floor(bytes / answerBytes));
  const sorted = Float64Array.from(durations).sort();
  return {
    requests: durations.length,
    requestsPerSecond: durations.length / seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    errors: Math.max(refused, failed) + short,
  };
}
