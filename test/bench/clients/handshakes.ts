import type { LoadRun } from '../harness/load-run.ts';
import { runCommand } from '../harness/process.ts';

export interface HandshakeLoad {
  /** The built test/bench/go-handshakes: crypto in Go costs the client less than the proxies pay. */
  readonly program: string;
  readonly port: number;
  readonly name: string;
  readonly lanes: number;
  readonly version: '1.2' | '1.3';
  readonly kind: 'full' | 'resumed';
}

/** Connections one after the other on each lane, with one GET each. A handshake of the other kind counts as an error. */
export async function handshakes(load: HandshakeLoad, seconds: number): Promise<LoadRun> {
  const { name, lanes, version, kind } = load;
  const args = [`127.0.0.1:${load.port}`, name, String(lanes), String(seconds), version, kind];
  const report = JSON.parse(await runCommand(load.program, args)) as {
    readonly done: number;
    readonly failed: number;
    readonly other: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
  };
  const { done, failed, other, p50Ms, p99Ms } = report;
  // Handshakes of the other kind cost CPU time too.
  const requests = done + other;
  return { requests, requestsPerSecond: done / seconds, p50Ms, p99Ms, errors: failed + other };
}
