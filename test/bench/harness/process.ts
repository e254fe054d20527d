// Processes under measurement: start, wait until they answer, read their CPU time and memory from /proc, stop them.
// Only processes that were started here are ever signalled.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Linux counts CPU time in hundredths of a second (USER_HZ), whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100;
const STOP_GRACE_MS = 5000;

export interface Running {
  readonly pid: number;
  readonly exited: Promise<void>;
  /** Ends the process, by force when it does not end by itself. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a process; what it writes goes to `log`. */
export function startProcess(file: string, args: readonly string[], log: string, env = process.env): Running {
  const output = openSync(log, 'a');
  const child = spawn(file, args, { stdio: ['ignore', output, output], env });
  closeSync(output);
  running.add(child);
  const exited = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  }).then(() => void running.delete(child));
  return {
    pid: child.pid ?? -1,
    exited,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Runs a command to its end and returns what it printed. Rejects when it fails; the message holds its output. */
export async function runCommand(
  file: string,
  args: readonly string[],
  timeoutMs = 120_000,
): Promise<string> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('close', (status) => resolve(status ?? -1));
  });
  clearTimeout(timer);
  running.delete(child);
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${text.slice(-2000)}`);
  return text;
}

/** A TCP port of the loopback address that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('listening on port 0 gave no port');
  return address.port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const result = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return result;
}

/** Resolves when `probe` holds; rejects when the process ends before or the time is over. */
// oxlint-disable-next-line max-params -- the last one is the exception
export async function waitUntil(
  what: string,
  process_: Running,
  probe: () => Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  let gone = false;
  void process_.exited.then(() => (gone = true));
  while (!(await probe())) {
    if (gone) throw new Error(`${what} ended before it answered`);
    if (performance.now() > end) throw new Error(`${what} did not answer within ${limitMs / 1000} s`);
    await delay(20);
  }
}

/** Resolves when the port accepts connections. */
export async function waitForPort(what: string, process_: Running, port: number): Promise<void> {
  await waitUntil(what, process_, () => accepts(port));
}

/** A process and everything below it. The peers start processes from their main thread only. */
export function processTree(pid: number): readonly number[] {
  const found = [pid];
  for (const parent of found) {
    const children = read(`/proc/${parent}/task/${parent}/children`).split(' ');
    found.push(...children.filter((text) => text.trim() !== '').map(Number));
  }
  return found;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** User and system time of all threads of these processes, in seconds. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    // Fields count from after the command name, which may hold spaces: utime is the 12th, stime the 13th.
    const text = read(`/proc/${pid}/stat`);
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory of these processes, in bytes. */
export function residentBytes(pids: readonly number[]): number {
  let kibibytes = 0;
  for (const pid of pids)
    kibibytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  return kibibytes * 1024;
}
