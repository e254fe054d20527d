// The measurement that most scenarios share: all peers up at once, rounds interleaved, CPU time read from /proc.
import type { Peer, PeerOptions, RunningPeer } from '../peers/peer.ts';
import type { LoadRun } from './load-run.ts';
import { cpuSeconds, processTree } from './process.ts';
import { median } from './result.ts';
import type { Column, Row } from './result.ts';

/** What run.ts gives to a scenario. */
export interface Bench {
  /** The peers that are there, Sallyport among them or not. */
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly seconds: number;
  /** Shorter runs and smaller counts, to try things out; such figures are not published. */
  readonly quick: boolean;
  /** A new empty folder below the run's own temporary folder. */
  folder(name: string): string;
  log(message: string): void;
}

/** One line of the table: who is loaded, and with what. Without `process`, CPU time is not read. */
export interface Subject {
  readonly name: string;
  load(seconds: number): Promise<LoadRun>;
  readonly process?: RunningPeer;
}

export const loadColumns: readonly Column[] = [
  { key: 'cpuMicros', label: 'CPU µs/request', digits: 1 },
  { key: 'toNginx', label: 'to nginx', digits: 2 },
  { key: 'requestsPerSecond', label: 'requests/s', digits: 0 },
  { key: 'p50Ms', label: 'p50 ms', digits: 2 },
  { key: 'p99Ms', label: 'p99 ms', digits: 2 },
  { key: 'errors', label: 'errors', digits: 0 },
];

interface Sample extends LoadRun {
  readonly cpuMicros: number;
}

async function sample(subject: Subject, seconds: number): Promise<Sample> {
  const pids = subject.process === undefined ? [] : processTree(subject.process.pid);
  const before = cpuSeconds(pids);
  const run = await subject.load(seconds);
  const spent = cpuSeconds(pids) - before;
  return { ...run, cpuMicros: (spent * 1e6) / run.requests };
}

/**
 * Loads the subjects in turn, round after round, each round starting with another one; figures are medians over the
 * rounds, errors their sum. A first short round warms up and is not counted.
 */
export async function measure(bench: Bench, subjects: readonly Subject[]): Promise<readonly Row[]> {
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]));
  for (const subject of subjects) await sample(subject, 1);
  for (let round = 0; round < bench.rounds; round++) {
    for (let offset = 0; offset < subjects.length; offset++) {
      const subject = subjects[(round + offset) % subjects.length]!;
      const one = await sample(subject, bench.seconds);
      samples.get(subject.name)!.push(one);
      const cpu = subject.process === undefined ? '' : `${one.cpuMicros.toFixed(1)} µs CPU, `;
      bench.log(`  ${subject.name}: ${cpu}${one.requestsPerSecond.toFixed(0)}/s, ${one.errors} errors`);
    }
  }
  return withRatios(subjects.map((subject) => summarise(subject, samples.get(subject.name)!)));
}

function summarise(subject: Subject, samples: readonly Sample[]): Row {
  const middle = (key: keyof Sample): number => median(samples.map((one) => one[key]));
  return {
    name: subject.name,
    values: {
      cpuMicros: subject.process === undefined ? null : middle('cpuMicros'),
      requestsPerSecond: middle('requestsPerSecond'),
      p50Ms: middle('p50Ms'),
      p99Ms: middle('p99Ms'),
      errors: samples.reduce((sum, one) => sum + one.errors, 0),
    },
  };
}

function withRatios(rows: readonly Row[]): readonly Row[] {
  const nginx = rows.find(({ name }) => name === 'nginx')?.values['cpuMicros'];
  return rows.map((row) => {
    const cpu = row.values['cpuMicros'];
    const toNginx = typeof cpu === 'number' && typeof nginx === 'number' ? cpu / nginx : null;
    return { ...row, values: { ...row.values, toNginx } };
  });
}

/** Starts these peers before one backend, hands them over, and stops them whatever happens. */
export async function withPeers<T>(
  bench: Bench,
  { peers = bench.peers, ...options }: Omit<PeerOptions, 'folder' | 'hosts'> & { peers?: readonly Peer[] },
  use: (running: ReadonlyMap<string, RunningPeer>) => Promise<T>,
): Promise<T> {
  const running = new Map<string, RunningPeer>();
  try {
    for (const peer of peers) {
      const folder = bench.folder(peer.name);
      const started = await peer.start({ hosts: 10, ...options, folder }).catch((error: unknown) => {
        // A peer that does not run here costs its own row only.
        if (peer.name === 'sallyport') throw error;
        bench.log(`  ${peer.name} did not start and is left out; its output is in ${folder}`);
      });
      if (started !== undefined) running.set(peer.name, started);
    }
    return await use(running);
  } finally {
    for (const peer of running.values()) await peer.stop();
  }
}

/** Starts something, hands it over and stops it whatever happens. */
export async function withRunning<R extends { stop(): Promise<void> }, T>(
  starting: Promise<R>,
  use: (running: R) => Promise<T>,
): Promise<T> {
  const running = await starting;
  try {
    return await use(running);
  } finally {
    await running.stop();
  }
}
